import Machine
import Testing

@testable import Diagnosis

/// The other rules, each with what proves it and with a decoy that must not be blamed.
@Suite struct OtherRulesTests {
    private static let served = ["ExecStart": "argv[]=/usr/bin/node server.js --port 3000 ; "]

    @Test func `P03 finds the app in another network namespace`() {
        for (peer, addresses) in [
            ("10.88.0.7:3000", "10.88.0.7"), ("[fd00::7]:3000", "fd000000000000000000000000000007 02 40 00 80 eth0"),
        ] {
            let verdict = contained(peer, addresses).judge()
            #expect(verdict.rule == "P03" && verdict.confidence == .firm)
            #expect(verdict.cause.contains("bound 127.0.0.1:3000 inside its own network namespace"))
        }
    }

    private func contained(_ peer: String, _ address: String?) -> Scene {
        var scene = Scene(peer, [.connectRefused: 3])
        let pid = scene.process("node", namespace: 4_026_532_999)
        scene.listen("127.0.0.1:3000", by: pid)
        guard let address else { return scene }
        scene.system.files["/proc/\(pid)/net/fib_trie"] =
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.88.0.0/16 2 0 2\n"
            + "        |-- 10.88.0.1\n           /32 link BROADCAST\n        |-- \(address)\n           /32 host LOCAL\n"
        scene.system.files["/proc/\(pid)/net/if_inet6"] = address + "\n"
        return scene
    }

    /// Another machine, or another container, whose address is not one of the namespace that the listener is in.
    @Test func `P03 does not take any container's loopback for the peer's`() {
        let other = contained("10.1.2.3:3000", "10.88.0.7").judge()
        #expect(other.rule == "P01" && other.ruledOut.contains { $0.rule == "P03" })
        let unread = contained("10.1.2.3:3000", nil).judge()
        #expect(unread.rule == "P01" && unread.alternatives.contains { $0.rule == "P03" && $0.confidence == .possible })
    }

    @Test func `P03 is silent when the other namespace's app bound all addresses`() {
        var scene = Scene("10.88.0.7:3000", [.connectRefused: 3])
        scene.listen("0.0.0.0:3000", by: scene.process("node", namespace: 4_026_532_999))
        #expect(scene.judge().rule != "P03")
    }

    @Test func `P04 sees that the name has moved`() {
        var scene = Scene("172.18.0.4:3000", [.connectRefused: 9])
        scene.host = "api"
        scene.system.names["api"] = [PeerAddress(parsing: "172.18.0.9:0")]
        let verdict = scene.judge()
        #expect(verdict.rule == "P04" && verdict.cause.contains("still dials 172.18.0.4"))
        scene.system.names["api"] = [PeerAddress(parsing: "172.18.0.4:0")]
        #expect(scene.judge().rule == "P01")
    }

    @Test func `P05 names a name that does not resolve`() {
        var scene = Scene(nil, [.dnsFailed: 5])
        scene.host = "backend.internal"
        scene.failure.detailNumber = 3
        scene.system.files["/etc/resolv.conf"] = "nameserver 10.0.0.2\nsearch example.org\n"
        let verdict = scene.judge()
        #expect(verdict.rule == "P05" && verdict.confidence == .proven)
        scene.system.names["backend.internal"] = [PeerAddress(parsing: "10.0.0.9:0")]
        let later = scene.judge()
        #expect(later.rule == "P05" && later.confidence == .likely && later.cause.contains("it does now"))
    }

    private func race() -> Scene {
        var scene = Scene.app("127.0.0.1:3000", [.connKeepaliveRace: 6], Self.served)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        scene.failure.samples = Scene.samples(6, .connKeepaliveRace) {
            $0.reused = true; $0.bytesRead = 0; $0.connectionIdle = 5_010
        }
        return scene
    }

    @Test func `P06 says the number of seconds`() {
        let verdict = race().judge()
        #expect(verdict.rule == "P06" && verdict.confidence == .firm && verdict.reason == "conn.keepalive_race")
        #expect(verdict.cause.contains("after 5 s"))
    }

    @Test func `a predecessor on the port that was stopped is not the one that closed the connection`() {
        var scene = race()
        scene.unit("old.service", ["ActiveState": "inactive", "SubState": "dead"])
        scene.journal(-20, "old.service", "Server listening on port 3000", identifier: "node", pid: 900)
        scene.journal(-0.5, "old.service", "Stopping old.service...")
        let verdict = scene.judge()
        #expect(verdict.rule == "P06" && !verdict.evidence.contains { $0.text.contains("old.service") })
    }

    @Test func `of two units that said they listen there the later one is the backend`() {
        var scene = Scene("127.0.0.1:3000", [.connEndBeforeHead: 1])
        scene.unit("old.service", ["ActiveState": "inactive", "SubState": "dead"])
        scene.unit("new.service", ["ActiveState": "activating", "SubState": "auto-restart"])
        scene.journal(-20, "old.service", "Server listening on port 3000", identifier: "node", pid: 900)
        scene.journal(-2, "old.service", "Stopping old.service...")
        scene.journal(-1.5, "new.service", "Server listening on port 3000", identifier: "node", pid: 901)
        scene.journal(0.2, "new.service", "new.service: Main process exited, code=dumped, status=6/ABRT")
        let verdict = scene.judge()
        #expect(verdict.rule == "P07" && verdict.culprit.name == "new.service", "\(verdict)")
    }

    @Test func `a host without a limit of open files is no overflow`() {
        var scene = Scene("127.0.0.1:3000", [.localDescriptors: 3])
        scene.system.files["/proc/sys/fs/file-nr"] = "1024\t0\t9223372036854775807\n"
        #expect(scene.judge().rule == "P22")
    }

    @Test func `P06 gives way to a crash in that second`() {
        var scene = race()
        scene.journal(0, "app.service", "app.service: Main process exited, code=dumped, status=11/SEGV")
        let verdict = scene.judge()
        #expect(verdict.rule == "P07" && verdict.confidence == .proven)
        #expect(verdict.ruledOut.contains { $0.rule == "P06" })
    }

    @Test func `P07 tells the signal and not another unit's crash`() {
        var scene = Scene.app("127.0.0.1:3000", [.connReset: 4], Self.served)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", age: -3))
        scene.journal(0.5, "app.service", "app.service: Main process exited, code=killed, status=6/ABRT")
        let verdict = scene.judge()
        #expect(verdict.rule == "P07" && verdict.cause.contains("killed by signal 6"))
        var decoy = Scene.app("127.0.0.1:3000", [.connReset: 4], Self.served)
        decoy.unit("cron.service")
        decoy.listen("127.0.0.1:3000", by: decoy.process("node", unit: "app.service"))
        decoy.journal(0.5, "cron.service", "cron.service: Main process exited, code=killed, status=6/ABRT")
        let other = decoy.judge()
        #expect(other.culprit.name != "cron.service")
        #expect(other.ruledOut.contains { $0.rule == "P07" && $0.text.contains("cron.service") })
    }

    @Test func `P07 sees a worker that its master replaced`() {
        var scene = Scene.app("127.0.0.1:3000", [.connEndBeforeHead: 1], Self.served)
        scene.listen("127.0.0.1:3000", by: scene.process("gunicorn", unit: "app.service"))
        scene.journal(0.1, "app.service", "[ERROR] Worker (pid:88) was sent SIGSEGV!", identifier: "gunicorn", pid: 80)
        #expect(scene.judge().rule == "P07")
    }

    @Test func `P08 explains why only POSTs were lost`() {
        var scene = Scene("127.0.0.1:3000", [.connReset: 10])
        scene.failure.siblings = [PeerAddress(parsing: "127.0.0.1:3001")]
        scene.failure.samples =
            Scene.samples(5, .connReset) {
                $0.method = "POST"; $0.bytesWritten = 900
            }
            + Scene.samples(5, .connReset) {
                $0.method = "GET"; $0.action = .servedFromElsewhere; $0.clientStatus = 200
            }
        scene.failure.samples.sort { $0.time < $1.time }
        #expect(scene.judge().rule == "P08")
        scene.failure.samples = scene.failure.samples.map {
            var r = $0; r.method = "GET"; r.action = .failedToClient; return r
        }
        #expect(scene.judge().rule != "P08")
    }

    private func ejected(alive: Bool) -> Scene {
        var scene = Scene("127.0.0.1:3000", [.poolEmpty: 90, .responseTimeout: 2])
        var facts = UpstreamFacts(
            name: "app", place: "nginx.conf:3",
            servers: [
                .init(text: "127.0.0.1:3000", address: PeerAddress(parsing: "127.0.0.1:3000")),
                .init(text: "127.0.0.1:3001", address: PeerAddress(parsing: "127.0.0.1:3001")),
            ])
        facts.hasZone = true
        scene.upstream = facts
        if alive {
            scene.listen("127.0.0.1:3000", by: scene.process("node"))
            scene.listen("127.0.0.1:3001", by: scene.process("node"))
            scene.system.answers["127.0.0.1:3000"] = []
        }
        return scene
    }

    @Test func `P09 blames the ejection only of servers that live`() {
        let verdict = ejected(alive: true).judge()
        #expect(
            verdict.rule == "P09" && verdict.confidence == .firm && verdict.cause.contains("although 2 of 2 listen"))
        let dead = ejected(alive: false).judge()
        #expect(dead.rule != "P09" && dead.ruledOut.contains { $0.rule == "P09" })
    }

    @Test func `P11 knows that systemd has given up`() {
        var scene = Scene.app(
            "127.0.0.1:3000", [.connectRefused: 99],
            [
                "ActiveState": "failed", "SubState": "failed", "Result": "start-limit-hit", "NRestarts": "5",
                "ExecMainCode": "1", "ExecMainStatus": "3",
            ])
        for attempt in 0..<5 {
            scene.journal(
                -20 + Double(attempt), "app.service",
                "app.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED")
        }
        scene.journal(-15, "app.service", "app.service: Start request repeated too quickly.")
        let verdict = scene.judge()
        #expect(
            verdict.rule == "P11"
                && verdict.cause == "app.service ends at every start, always with code 3; systemd has stopped trying.")
    }

    @Test func `P11 does not take another unit's loop for ours`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 9], ["ActiveState": "inactive"])
        scene.unit("other.service", ["ActiveState": "failed", "Result": "start-limit-hit"])
        for attempt in 0..<5 {
            scene.journal(
                -20 + Double(attempt), "other.service",
                "other.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED")
        }
        #expect(scene.judge().rule == "P01")
    }

    @Test func `P11 knows PM2's errored`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 9])
        let pid = scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
        #expect(pid > 0)
        scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
            #"[{"name":"api","pid":0,"pm2_env":{"status":"errored","restart_time":16,"unstable_restarts":16,"exec_mode":"fork_mode","PORT":3000}}]"#
        #expect(scene.judge().rule == "P11")
        scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"]?.replace("\"api\"", with: "\"auth\"")
        #expect(scene.judge().evidence.contains { $0.text.hasPrefix("auth is errored, 16 restarts") })
    }

    private func reloaded(_ mode: String) -> Scene {
        var scene = Scene("127.0.0.1:3000", [.connReset: 3, .connectRefused: 5])
        scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
        scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
            #"[{"name":"api","pid":77,"pm2_env":{"status":"online","restart_time":3,"exec_mode":"\#(mode)","PORT":"3000","pm_exec_path":"/srv/api.js"}}]"#
        scene.listen("127.0.0.1:3000", by: scene.process("node", age: -3))
        return scene
    }

    @Test func `P12 blames PM2's reload in fork mode`() {
        var scene = reloaded("fork_mode")
        scene.journal(
            -0.3, "pm2-root.service", "App [api:0] exited with code [0] via signal [SIGINT]", identifier: "pm2", pid: 5)
        let verdict = scene.judge()
        #expect(verdict.rule == "P12" && verdict.cause.contains("fork mode"))
        // Cluster mode is for Node alone, and no command starts anew what has arguments and an environment that it does not know.
        #expect(verdict.fix.commands.isEmpty && verdict.fix.diff == nil && !verdict.fix.summary.contains("cluster"))
        let list = "env PM2_HOME=/home/deploy/.pm2 pm2 jlist"
        scene.system.commands[list]?.replace("\"exec_mode\"", with: "\"exec_interpreter\":\"node\",\"exec_mode\"")
        #expect(scene.judge().fix.diff?.contains("+exec_mode: \"cluster\"") == true)
        #expect(reloaded("fork_mode").judge().rule != "P12")
        var decoy = reloaded("fork_mode")
        decoy.journal(
            -0.3, "pm2-root.service", "PM2 | App [other:0] exited with code [0] via signal [SIGINT]", identifier: "pm2", pid: 5)
        #expect(decoy.judge().rule != "P12")
    }

    private func restarted(_ counts: [ReasonCode: Int]) -> Scene {
        var scene = Scene.app("127.0.0.1:3000", counts, Self.served)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", age: -3))
        scene.journal(-0.2, "app.service", "Stopping app.service - The app...")
        scene.journal(0.8, "app.service", "Stopped app.service - The app.")
        scene.journal(0.9, "app.service", "Started app.service - The app.")
        return scene
    }

    @Test func `P13 sees the order to stop before the cut requests`() {
        let verdict = restarted([.connReset: 3, .bodyTruncated: 1]).judge()
        #expect(verdict.rule == "P13" && verdict.cause.contains("told to stop"))
    }

    @Test func `P15 sees the gap of a restart`() {
        let verdict = restarted([.connectRefused: 40]).judge()
        #expect(verdict.rule == "P15" && verdict.cause.contains("nobody held the requests"))
    }

    /// `systemctl restart` into a release that exits.
    @Test(arguments: ["failed", "active", "activating"])
    func `P15 takes no release that dies for the gap of a restart`(state: String) {
        var scene = Scene.app(
            "127.0.0.1:3000", [.connectRefused: 10],
            ["ActiveState": state, "Result": state == "failed" ? "exit-code" : "success", "ExecMainCode": "1", "ExecMainStatus": "3"])
        scene.journal(-40, "app.service", "Stopping app.service - The app...")
        scene.journal(-39, "app.service", "Started app.service - The app.")
        scene.journal(-1, "app.service", "app.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED")
        scene.journal(-1, "app.service", "app.service: Failed with result 'exit-code'.")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.culprit.name == "app.service", "\(verdict.cause)")
        #expect(verdict.ruledOut.contains { $0.rule == "P15" && $0.text.contains("and ended at") })
    }

    /// How long ago it was started, and whether it listens now.
    @Test(arguments: [(2.0, true, Confidence.proven), (40, true, .proven), (2, false, .firm), (40, false, .likely)])
    func `P15 proves no gap that has not ended`(ago: Double, serves: Bool, confidence: Confidence) {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 10], Self.served, seconds: 1)
        scene.journal(-ago - 0.2, "app.service", "Stopping app.service - The app...")
        scene.journal(-ago, "app.service", "Started app.service - The app.")
        if serves {
            scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", age: 1))
        } else {
            scene.journal(-9_000, "app.service", "Listening on port 3000", identifier: "node", pid: 890)
        }
        let verdict = scene.judge()
        let found = ([(verdict.rule, verdict.confidence)] + verdict.alternatives.map { ($0.rule, $0.confidence) }).first { $0.0 == "P15" }
        #expect(found?.1 == confidence, "\(verdict.rule ?? "") \(verdict.cause)")
        #expect(verdict.rule == (confidence == .likely ? "P01" : "P15"))
    }

    /// PrivateTmp=yes, and the unit was restarted 20 s ago.
    @Test func `P16 is told when the socket is in another mount namespace, restarted or not`() {
        let path = "/tmp/app.sock"
        var scene = Scene("unix:\(path)", [.socketMissing: 4])
        for folder in ["/", "/tmp"] { scene.system.statuses[folder] = FileStatus(mode: 0o41777) }
        scene.unit("blog.service", ["ExecStart": "argv[]=/usr/bin/python3 /srv/app.py unix \(path) ; "])
        let pid = scene.process("python3", unit: "blog.service", age: 20)
        scene.system.links["/proc/\(pid)/ns/mnt"] = "mnt:[2]"
        scene.system.statuses["/proc/\(pid)/root\(path)"] = FileStatus(mode: 0o140777)
        scene.listen("unix:\(path)", by: pid)
        scene.journal(-20.2, "blog.service", "Stopping blog.service - Blog...")
        scene.journal(-20, "blog.service", "Started blog.service - Blog.")
        let verdict = scene.judge()
        #expect(verdict.rule == "P16" && verdict.confidence == .proven, "\(verdict.rule ?? "") \(verdict.cause)")
        #expect(verdict.alternatives.contains { $0.rule == "P15" && $0.confidence == .likely })
    }

    @Test func `P15 counts the gap until the app listened`() {
        var scene = restarted([.connectRefused: 40])
        scene.journal(1.8, "app.service", "Listening on port 3000", identifier: "node", pid: 901)
        #expect(scene.judge().rule == "P15" && scene.judge().cause.contains("for 2 s nothing listened"), "\(scene.judge().cause)")
    }

    @Test func `neither P13 nor P15 takes an old restart or another unit's`() {
        for counts in [[ReasonCode.connReset: 3], [ReasonCode.connectRefused: 3]] {
            var scene = Scene.app("127.0.0.1:3000", counts, Self.served)
            scene.unit("other.service")
            scene.journal(-4_000, "app.service", "Stopping app.service - The app...")
            scene.journal(-3_999, "app.service", "Started app.service - The app.")
            scene.journal(-0.2, "other.service", "Stopping other.service - Another...")
            scene.journal(0.2, "other.service", "Started other.service - Another.")
            let verdict = scene.judge()
            #expect(verdict.rule != "P13" && verdict.rule != "P15")
        }
    }

    @Test func `P14 needs a reload of the proxy`() {
        var scene = Scene("127.0.0.1:3000", [.bodyTruncated: 20])
        scene.failure.samples = Scene.samples(6, .bodyTruncated, phase: .relayingBody) { $0.duration = 600_000 }
        scene.failure.proxyLoaded = Scene.start
        #expect(scene.judge().rule == "P14")
        scene.failure.proxyLoaded = Scene.start.advanced(byMilliseconds: -900_000)
        #expect(scene.judge().rule != "P14")
    }

    @Test func `P18 reads the queue of the socket`() {
        var scene = Scene("unix:/run/app.sock", [.backlogFull: 30])
        scene.listen("unix:/run/app.sock", by: scene.process("gunicorn", unit: "app.service"), queue: 11, max: 10)
        let verdict = scene.judge()
        #expect(verdict.rule == "P18" && verdict.confidence == .proven && verdict.cause.contains("of 10"))
    }

    @Test func `P19 tells a full queue from a silent host`() {
        var full = Scene("127.0.0.1:3000", [.connectTimeout: 30])
        full.listen("127.0.0.1:3000", by: full.process("node"), queue: 129, max: 128)
        #expect(full.judge().rule == "P19" && full.judge().culprit.name.hasPrefix("node"))
        var silent = Scene("192.0.2.9:3000", [.connectTimeout: 30])
        silent.system.errors["192.0.2.9:3000"] = 110
        #expect(silent.judge().rule == "P19" && silent.judge().culprit.kind == .network)
        var flood = Scene("127.0.0.1:3000", [.connectTimeout: 30])
        flood.listen("127.0.0.1:3000", by: flood.process("node"))
        flood.kernel(1, "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:3000. Sending cookies.")
        #expect(flood.judge().confidence == .proven)
        var decoy = Scene("127.0.0.1:3000", [.connectTimeout: 30])
        decoy.listen("127.0.0.1:3000", by: decoy.process("node"))
        decoy.kernel(1, "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:30001. Sending cookies.")
        #expect(decoy.judge().confidence == .possible)
    }

    @Test func `P20 tells no route from a vanished neighbour`() {
        var scene = Scene("192.0.2.9:3000", [.connectUnreachable: 3])
        scene.system.files["/proc/net/arp"] =
            "IP address HW type Flags HW address Mask Device\n192.0.2.9 0x1 0x0 00:00:00:00:00:00 * eth0\n"
        scene.system.routes = ["192.0.2.9": true]
        #expect(scene.judge().rule == "P20" && scene.judge().cause.contains("does not answer on its own network"))
        scene.system.routes = ["192.0.2.9": false]
        #expect(scene.judge().cause.contains("no route") && scene.judge().confidence == .proven)
        // It tells of another network than the proxy's.
        scene.proxyPID = scene.process("nginx", namespace: 4_026_532_999)
        #expect(!scene.judge().cause.contains("no route"))
        scene.proxyPID = nil
        scene.system.routes = nil
        #expect(!scene.judge().cause.contains("no route"))
    }

    @Test func `P21 counts the sockets to the peer`() {
        var scene = Scene("10.0.0.5:3000", [.localPorts: 30])
        scene.system.files["/proc/sys/net/ipv4/ip_local_port_range"] = "40000\t40009\n"
        scene.extraRows = (0..<10).map {
            "  \($0): 0500000A:\(Scene.hex(UInt64(40_000 + $0), 4)) 0500000A:0BB8 06 00000000:00000000 03:00000000 "
                + "00000000     0        0 0 1"
        }
        let verdict = scene.judge()
        #expect(
            verdict.rule == "P21" && verdict.confidence == .proven
                && verdict.evidence.contains { $0.text.contains("10 TIME_WAIT") })
        scene.extraRows = []
        #expect(scene.judge().isUnknown && scene.judge().ruledOut.contains { $0.rule == "P21" })
        // Seen later, a table without them says nothing.
        scene.system.time = scene.system.time.advanced(byMilliseconds: 60_000)
        #expect(scene.judge().rule == "P21" && scene.judge().confidence == .likely)
    }

    @Test func `P22 compares descriptors with their limit`() {
        var scene = Scene("127.0.0.1:3000", [.localDescriptors: 30])
        let pid = scene.process("nginx", unit: "nginx.service")
        scene.proxyPID = pid
        scene.system.files["/proc/\(pid)/limits"] =
            "Limit Soft Hard Units\nMax open files            20                   20                   files     \n"
        scene.system.directories["/proc/\(pid)/fd"] = (0..<20).map(String.init)
        #expect(scene.judge().rule == "P22" && scene.judge().confidence == .proven)
        var connections = Scene(nil, [.localConnections: 3])
        connections.failure.detailNumber = 512
        #expect(connections.judge().cause.contains("512 worker_connections"))
    }

    @Test(arguments: [
        (ReasonCode.responseTooBigHeader, "sent too big header", "P23"),
        (.responseIllegalFraming, "sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time", "P24"),
        (.responseIllegalFraming, "sent duplicate header line: \"Content-Length: 3\"", "P24"),
    ])
    func `P23 and P24 repeat what the parser saw`(reason: ReasonCode, detail: String, rule: String) {
        var scene = Scene("127.0.0.1:3000", [reason: 3])
        scene.failure.detail = detail
        let verdict = scene.judge()
        #expect(verdict.rule == rule && verdict.confidence == .proven)
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH_9.2\r\n", "SSH"), ("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{46}", "a TLS alert"),
        ("-ERR unknown command\r\n", "Redis"),
        ("220 mail ESMTP\r\n", "SMTP or FTP"),
    ])
    func `P25 looks at the first bytes`(answer: String, speaks: String) {
        var scene = Scene("127.0.0.1:3000", [.responseWrongProtocol: 3])
        scene.listen("127.0.0.1:3000", by: scene.process("thing"))
        scene.system.answers["127.0.0.1:3000"] = Array(answer.utf8)
        scene.sniffs = true
        let verdict = scene.judge()
        #expect(verdict.rule == "P25" && verdict.cause.contains("speaks \(speaks)"))
    }

    @Test func `P25 is ruled out by an HTTP answer and knows HTTP in an h2 frame's length`() {
        var scene = Scene("127.0.0.1:3000", [.responseInvalid: 3])
        scene.system.answers["127.0.0.1:3000"] = Array("HTTP/1.1 400 Bad Request\r\n".utf8)
        scene.sniffs = true
        #expect(scene.judge().rule == "P24")
        var grpc = Scene("127.0.0.1:3000", [.responseWrongProtocol: 3])
        grpc.failure.detailNumber = 4_740_180
        #expect(grpc.judge().rule == "P25" && grpc.judge().confidence == .proven)
    }

    @Test func `P09 counts each server once and keeps what stands beside its address`() {
        var scene = ejected(alive: true)
        scene.upstream?.servers[0].parameters = ["weight=3", "max_fails=1"]
        scene.upstream?.servers[1].parameters = ["backup"]
        scene.failure.siblings = [PeerAddress(parsing: "127.0.0.1:3001"), PeerAddress(parsing: "127.0.0.1:3000")]
        let verdict = scene.judge()
        #expect(verdict.cause.contains("although 2 of 2 listen"), "\(verdict.cause)")
        #expect(Set(verdict.evidence.map(\.text)).count == verdict.evidence.count)
        #expect(
            verdict.fix.diff == "-    server 127.0.0.1:3000 weight=3 max_fails=1;\n"
                + "+    server 127.0.0.1:3000 weight=3 max_fails=5 fail_timeout=5s;\n"
                + "-    server 127.0.0.1:3001 backup;\n+    server 127.0.0.1:3001 backup max_fails=5 fail_timeout=5s;")
    }

    @Test(arguments: [
        (
            ReasonCode.tlsHandshake, "error:0A000410:SSL routines::sslv3 alert handshake failure:SSL alert number 40",
            40, "P26", "which name is wanted"
        ),
        (.tlsHandshake, "error:0A00010B:SSL routines::wrong version number", 0, "P25", "plain text"),
        (.tlsVerify, "10:certificate has expired", 10, "P26", "has expired"),
        (.tlsVerify, "20:unable to get local issuer certificate", 20, "P26", "not trusted"),
    ])
    func `P26 reads alerts and verify errors by number`(
        reason: ReasonCode, detail: String, number: Int, rule: String, text: String
    ) {
        var scene = Scene("10.0.0.5:443", [reason: 3])
        scene.failure.detail = detail
        scene.failure.detailNumber = number == 0 ? nil : number
        scene.upstream = UpstreamFacts(name: "10.0.0.5:443", place: "nginx.conf:9", scheme: "https")
        scene.upstream?.sendsServerName = false
        let verdict = scene.judge()
        #expect(verdict.rule == rule && verdict.cause.contains(text))
    }

    /// nginx, Apache and Go answer text at a TLS port with a 400 in text; to a ClientHello with an alert.
    @Test(arguments: [
        ("SSL: error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112", 112, "HTTP/1.1 400 Bad Request\r\n"),
        ("SSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70", 70, "HTTP/1.0 400 Bad Request\r\n"),
        ("SSL: error:0A000126:SSL routines::unexpected eof while reading", 0, "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}"),
        ("", 0, "\u{16}\u{3}\u{3}"),
    ])
    func `P25 does not take a peer that speaks TLS for one in plain text`(detail: String, alert: Int, answer: String) {
        var scene = Scene("10.0.0.5:443", [.tlsHandshake: 5])
        scene.failure.detail = detail
        scene.failure.detailNumber = alert == 0 ? nil : alert
        scene.upstream = UpstreamFacts(name: "10.0.0.5:443", place: "nginx.conf:9", scheme: "https")
        scene.upstream?.sendsServerName = false
        scene.system.answers["10.0.0.5:443"] = Array(answer.utf8)
        scene.sniffs = true
        let verdict = scene.judge()
        #expect(verdict.rule == "P26" && verdict.ruledOut.contains { $0.rule == "P25" }, "\(verdict.cause)")
        #expect(verdict.fix.diff?.contains("proxy_pass http:") != true)
    }

    @Test func `P25 believes an answer in plain text only to a ClientHello`() {
        var scene = Scene("10.0.0.5:443", [.tlsHandshake: 5])
        scene.failure.detail = "SSL: error:0A000126:SSL routines::unexpected eof while reading"
        scene.upstream = UpstreamFacts(name: "10.0.0.5:443", place: "nginx.conf:9", scheme: "https")
        scene.system.answers["10.0.0.5:443"] = Array("HTTP/1.1 400 Bad Request\r\n".utf8)
        var evidence = scene.evidence()
        ProbeCollector().sample(scene.failure.peer!, inTLS: false, from: scene.recorded(), into: &evidence)
        #expect(VerdictEngine.judge(scene.failure, evidence: evidence).rule == "P26")
        ProbeCollector().sample(scene.failure.peer!, inTLS: true, from: scene.recorded(), into: &evidence)
        let verdict = VerdictEngine.judge(scene.failure, evidence: evidence)
        #expect(verdict.rule == "P25" && verdict.confidence == .proven && verdict.cause.hasSuffix("which speaks HTTP/1."))
    }

    @Test func `P28 believes the application server's own complaint`() {
        var scene = Scene.app("127.0.0.1:3000", [.responseTimeout: 12], Self.served)
        scene.journal(2, "app.service", "[CRITICAL] WORKER TIMEOUT (pid:88)", identifier: "gunicorn", pid: 80)
        #expect(scene.judge().rule == "P28" && scene.judge().confidence == .proven)
        var php = Scene("unix:/run/php.sock", [.responseTimeout: 12])
        php.unit("php-fpm.service", ["ExecStart": "argv[]=php-fpm --sock /run/php.sock ; "])
        php.journal(
            2, "php-fpm.service", "WARNING: [pool www] server reached pm.max_children setting (5), consider raising it",
            identifier: "php-fpm", pid: 3)
        php.listen("unix:/run/php.sock", by: php.process("php-fpm", unit: "php-fpm.service"))
        #expect(php.judge().cause == "All 5 workers of php-fpm.service were busy.")
        var decoy = Scene.app("127.0.0.1:3000", [.responseTimeout: 12], Self.served)
        decoy.unit("other.service")
        decoy.journal(2, "other.service", "[CRITICAL] WORKER TIMEOUT (pid:88)", identifier: "gunicorn", pid: 80)
        #expect(decoy.judge().confidence == .likely)
        #expect(!decoy.judge().evidence.contains { $0.text.contains("WORKER TIMEOUT") })
    }

    /// Seconds between the reload and the first failure, and between the first and the last; servers; whether one listens.
    @Test(arguments: [
        (2, 4, 2, false, true), (10, 30, 3, false, true), (-1, 4, 2, false, true),
        // Too long after it, or before it; for too long; of one server, which is never taken out; it listens.
        (11, 4, 2, false, false), (-2, 4, 2, false, false), (2, 31, 2, false, false), (2, 4, 1, false, false), (2, 4, 2, true, false),
    ] as [(Int64, Int64, Int, Bool, Bool)])
    func `P29 needs a reload just before a short outage of one of several servers`(
        delay: Int64, length: Int64, servers: Int, listens: Bool, fits: Bool
    ) {
        for reason in [ReasonCode.connectRefused, .connectTimeout] {
            var scene = Scene("127.0.0.1:3000", [reason: 3], seconds: length)
            scene.failure.proxyLoaded = Scene.start.advanced(byMilliseconds: -delay * 1_000)
            scene.upstream = UpstreamFacts(
                name: "app", place: "nginx.conf:3",
                servers: (0..<servers).map { .init(text: "127.0.0.1:300\($0)", address: PeerAddress(parsing: "127.0.0.1:300\($0)")) })
            if listens { scene.listen("127.0.0.1:3000", by: scene.process("node")) }
            let verdict = scene.judge()
            let found = verdict.alternatives.first { $0.rule == "P29" }
            #expect((found != nil) == fits && verdict.rule != "P29", "\(verdict)")
            #expect(found?.confidence ?? .possible == .possible, "it never outweighs what happened to the server")
        }
    }

    @Test func `P29 is a possibility beside the dead server itself`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        scene.upstream = UpstreamFacts(
            name: "app", place: "nginx.conf:3",
            servers: [
                .init(text: "127.0.0.1:3000", address: PeerAddress(parsing: "127.0.0.1:3000")),
                .init(text: "127.0.0.1:3001", address: PeerAddress(parsing: "127.0.0.1:3001")),
            ])
        scene.failure.proxyLoaded = Scene.start.advanced(byMilliseconds: -2_000)
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.alternatives.contains { $0.rule == "P29" })
    }

    @Test func `P30 tells that the application said it`() {
        var scene = Scene("127.0.0.1:3000", [.appAnswered: 3])
        scene.failure.samples = Scene.samples(3, .appAnswered) { $0.clientStatus = 502 }
        #expect(scene.judge().cause.contains("itself answered with 502"))
    }

    @Test func `without any evidence nobody is blamed`() {
        for reason in ReasonCode.allCases {
            let failure = FailureCase(
                upstream: "app", peer: PeerAddress(parsing: "127.0.0.1:3000"), counts: [reason: 3], first: Scene.start,
                last: Scene.start)
            let verdict = VerdictEngine.judge(failure, evidence: EvidenceSet())
            #expect(verdict.culprit.kind != .unit && verdict.culprit.kind != .process, "\(reason)")
        }
    }

    @Test func `every rule has a number, a page and a unique name`() {
        #expect(Rulebook.all.map(\.number) == Array(1...30))
        #expect(Set(Rulebook.all.map(\.slug)).count == 30)
        #expect(Rulebook.rule("P06")?.page == "docs/verdicts/P06-keepalive-race.md")
    }
}
