import Foundation
import Machine
import Testing
import class TestKit.Origin
import class TestKit.TemporaryDirectory

@testable import Diagnosis

/// The formats of the sources, as real systems write them.
@Suite struct CollectorTests {
    private let time = Timestamp(seconds: 1_795_341_600)

    @Test func `socket tables of both families are read`() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:0CEA 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0
               1: 0100007F:0CEA 0100007F:D2A4 06 00000000:00000000 03:00000C2B 00000000     0        0 0 3 0000000000000000
            broken line
            """
        let rows = SocketTable.parseTCP(Array(text.utf8))
        #expect(rows.count == 2)
        #expect(
            rows[0].local.text == "127.0.0.1:3306" && rows[0].state == 10 && rows[0].queue == 3
                && rows[0].inode == 12_345)
        #expect(rows[1].remote.text == "127.0.0.1:53924" && rows[1].state == 6)
        let six =
            "head\n   0: 00000000000000000000000001000000:0BBA 00000000000000000000000000000000:0000 0A "
            + "00000000:00000000 00:00000000 00000000     0        0 777 1"
        #expect(SocketTable.parseTCP(Array(six.utf8)).first?.local.text == "[::1]:3002")
        let mapped =
            "head\n   0: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A "
            + "00000000:00000000 00:00000000 00000000     0        0 778 1"
        #expect(SocketTable.parseTCP(Array(mapped.utf8)).first?.local.text == "[::ffff:127.0.0.1]:80")
    }

    /// Who may not look must not say that nothing is there: no rule rules itself out for want of evidence.
    @Test(arguments: ReasonCode.allCases.filter { $0 != .unknown })
    func `what nobody could look at rules nothing out`(reason: ReasonCode) {
        var set = EvidenceSet()
        let no = "no right"
        set.proxy = .unavailable(why: no); set.listeners = .unavailable(why: no); set.foreignListeners = .unavailable(why: no)
        set.unixListeners = .unavailable(why: no); set.socketPath = .unavailable(why: no); set.apps = .unavailable(why: no)
        set.journal = .unavailable(why: no); set.kernel = .unavailable(why: no); set.memory = .unavailable(why: no)
        set.host = .unavailable(why: no); set.name = .unavailable(why: no); set.sample = .unavailable(why: no)
        set.upstream = .unavailable(why: no); set.probe = .unavailable(why: no)
        for peer in ["127.0.0.1:3000", "10.0.0.9:80", "unix:/run/a.sock"] {
            for units in [.unavailable(why: no), .known([UnitState(name: "app.service")], source: "")] as [Observation<[UnitState]>] {
                set.units = units
                var failure = FailureCase(
                    upstream: "app", peer: PeerAddress(parsing: peer), counts: [reason: 3], first: time, last: time)
                failure.ownUnit = units.value?.first?.name
                let said = VerdictEngine.judge(failure, evidence: set).ruledOut.filter { !$0.text.hasPrefix("not decided") }
                #expect(said.isEmpty, "\(peer): \(said.map { "\($0.rule) \($0.text)" })")
            }
        }
    }

    /// 20,000 lines of another unit are newer than the kill.
    @Test(arguments: [true, false])
    func `what matters is found in a busy journal`(isFound: Bool) {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], ["ActiveState": "active"])
        for index in 0..<20_000 { scene.journal(3_600 + Double(index) / 100, "chat.service", "GET / 200", identifier: "chat", pid: 9) }
        var system = scene.recorded()
        scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3])
        scene.journal(-1, "app.service", "app.service: A process of this unit has been killed by the OOM killer.")
        let old = scene.recorded().commands.first { $0.key.hasPrefix("journalctl -o json") && $0.key.hasSuffix("20000*") }
        let query = "journalctl -o json --output-fields=\(JournalCollector.fields) --no-pager --since*"
        if isFound { system.commands[query] = old?.value } else { system.errors["journalctl"] = 110 }
        var set = EvidenceSet()
        let subject = CollectionSubject(
            peer: scene.failure.peer, since: Scene.start.advanced(byMilliseconds: -600_000), until: Scene.start.advanced(byMilliseconds: 1))
        Collectors.collect(subject, from: system, into: &set)
        let verdict = VerdictEngine.judge(scene.failure, evidence: set)
        #expect((verdict.rule == "P10") == isFound, "\(verdict.cause)")
        #expect((set.journalFrom == nil) == isFound)
        if !isFound {
            let texts = verdict.ruledOut.filter { ["P11", "P13", "P15"].contains($0.rule) }.map(\.text)
            #expect(!texts.isEmpty && texts.allSatisfy { $0.hasPrefix("not decided: the journal before") }, "\(texts)")
        }
    }

    @Test func `namespaces that may not be read are a gap, not empty`() throws {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        scene.proxyPID = scene.process("nginx")
        let other = scene.process("node", namespace: 7)
        scene.listen("0.0.0.0:3000", by: other)
        #expect(scene.evidence().foreignListeners.value?.count == 1)
        scene.system.links["/proc/\(other)/ns/net"] = nil
        scene.system.errors["/proc/\(other)/ns/net"] = 13
        let set = scene.evidence()
        #expect(set.foreignListeners.value == nil && set.gaps.contains("no right to read the network namespaces of 1 process"))
        #expect(scene.judge().ruledOut.first { $0.rule == "P03" }?.text.hasPrefix("not decided: no right") == true)
    }

    @Test func `listening unix sockets are those with the flag, with spaces in their paths`() {
        let text = """
            Num       RefCount Protocol Flags    Type St Inode Path
            0000000000000000: 00000002 00000000 00010000 0001 01 16045 /run/my app/app.sock
            0000000000000000: 00000003 00000000 00000000 0001 03 16046 /run/app.sock
            0000000000000000: 00000002 00000000 00010000 0001 01 16047
            """
        let found = SocketTable.parseUnix(Array(text.utf8))
        #expect(found.map { $0.address.text } == ["unix:/run/my app/app.sock"])
    }

    @Test(arguments: [
        ("0.0.0.0:80", "127.0.0.1:80", false, true), ("[::]:80", "127.0.0.1:80", false, true),
        ("[::]:80", "127.0.0.1:80", true, false),
        ("[::]:80", "[::1]:80", true, true), ("127.0.0.1:80", "[::1]:80", false, false),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", false, true),
        ("127.0.0.1:80", "127.0.0.2:80", false, false), ("0.0.0.0:80", "127.0.0.1:81", false, false),
    ])
    func `a listener accepts what the kernel would give it`(
        bound: String, dialled: String, v6Only: Bool, expected: Bool
    ) {
        #expect(
            Listener(address: PeerAddress(parsing: bound)).accepts(PeerAddress(parsing: dialled), v6Only: v6Only)
                == expected)
    }

    @Test(arguments: [
        ("5s", 5_000), ("1min 30s", 90_000), ("500ms", 500), ("1h 2min", 3_720_000), ("infinity", nil as Int64?),
        ("", 0), ("200000000000d", nil), ("999999999d 999999999d", nil), (".", nil),
    ])
    func `durations of systemctl are read`(text: String, expected: Int64?) {
        #expect(UnitCollector.duration(text) == expected)
    }

    @Test func `blocks of systemctl show become units`() {
        let text =
            "Id=a.service\nMemoryMax=infinity\nMemoryLimit=infinity\nExecStart={ path=/bin/a ; argv[]=/bin/a --port "
            + "3000 ; ignore_errors=no ; start_time=[n/a] "
            + "}\n\nId=b.service\nMemoryMax=62914560\nExecMainExitTimestamp=Sun 2026-11-22 10:00:03 "
            + "UTC\nExecMainCode=2\nExecMainStatus=9\n"
        let units = UnitCollector.parse(Array(text.utf8))
        #expect(units.map(\.name) == ["a.service", "b.service"])
        #expect(units[0].memoryMax == nil && units[0].execStart == "/bin/a --port 3000")
        #expect(units[1].memoryMax == 62_914_560 && units[1].mainExited?.text == "2026-11-22T10:00:03Z")
        #expect(units[1].end?.kind == .killed(signal: 9, coreDumped: false))
    }

    /// systemd takes a second to list all files, and another to show them: a failure of now asks only for what may be its backend.
    @Test(arguments: [
        ("127.0.0.1:3000", ["by-port", "by-part"]), ("unix:/run/app/a.sock", ["by-folder", "by-path"]), ("10.0.0.9:999", []), (nil, []),
    ] as [(String?, [String])])
    func `of services that were never started those are asked for that name the peer`(peer: String?, wanted: [String]) throws {
        var scene = Scene(peer, [.connectRefused: 1])
        scene.unit("running.service")
        for (path, text) in [
            ("/etc/systemd/system/by-port.service", "[Service]\nExecStart=/usr/bin/node app.js --listen 3000\n"),
            ("/usr/lib/systemd/system/by-part.service", "[Service]\nExecStart=/usr/bin/node app.js\n"),
            ("/etc/systemd/system/by-part.service.d/port.conf", "[Service]\nEnvironment=PORT=3000\n"),
            ("/usr/lib/systemd/system/by-path.service", "[Service]\nExecStart=gunicorn --bind unix:/run/app/a.sock app\n"),
            ("/usr/lib/systemd/system/by-folder.service", "[Service]\nRuntimeDirectory=app\n"),
            ("/usr/lib/systemd/system/other.service", "[Service]\nExecStart=/usr/bin/other --port 4000\n"),
            ("/usr/lib/systemd/system/at@.service", "[Service]\nExecStart=/usr/bin/node app.js --listen 3000 /run/app/a.sock\n"),
            ("/usr/lib/systemd/system/running.service", "[Service]\nEnvironment=PORT=3000\n"),
            ("/usr/lib/systemd/system/app.timer", "[Timer]\n# 3000 /run/app/a.sock\n"),
        ] { scene.system.files[path] = text }
        let names = wanted.map { "\($0).service" }
        scene.system.commands["systemctl show \(names.sorted().joined(separator: " ")) -p*"] =
            names.map { "Id=\($0)\nActiveState=inactive\n" }.joined(separator: "\n")
        let system = ClockedSystem(scene.recorded(), from: time, each: 0)
        var evidence = EvidenceSet()
        UnitCollector().collect(CollectionSubject(peer: scene.failure.peer, since: time, until: time), from: system, into: &evidence)
        #expect(Set((evidence.units.value ?? []).map(\.name)) == Set(names + ["running.service"]))
        #expect(!system.waitedFor.contains { $0.contains("list-unit-files") } && system.waitedFor.count == (wanted.isEmpty ? 1 : 2))
        var subject = CollectionSubject(peer: nil, since: time, until: time)
        subject.isOfHost = true
        UnitCollector().collect(subject, from: system, into: &evidence)
        #expect(system.waitedFor.contains { $0.contains("list-unit-files") }, "the doctor wants to know all")
    }

    @Test func `cgroups of both versions are read and their absence is no error`() throws {
        var system = RecordedSystem(time: time)
        system.files["/sys/fs/cgroup/system.slice/a.service/memory.events"] =
            "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n"
        system.files["/sys/fs/cgroup/system.slice/a.service/memory.max"] = "62914560\n"
        system.files["/sys/fs/cgroup/system.slice/a.service/memory.peak"] = "62910464\n"
        system.files["/sys/fs/cgroup/memory/system.slice/b.service/memory.oom_control"] =
            "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"
        system.files["/sys/fs/cgroup/memory/system.slice/b.service/memory.limit_in_bytes"] = "9223372036854771712\n"
        let two = try #require(try MemoryCollector.read("/system.slice/a.service", from: system))
        #expect(two.oomKills == 1 && two.limit == 62_914_560 && two.peak == 62_910_464)
        let one = try #require(try MemoryCollector.read("/system.slice/b.service", from: system))
        #expect(one.oomKills == 2 && one.limit == nil)
        #expect(try MemoryCollector.read("/system.slice/c.service", from: system) == nil)
    }

    @Test(arguments: [
        ("0::/system.slice/app.service\n", "app.service"),
        ("12:memory:/system.slice/app.service\n1:name=systemd:/system.slice/app.service\n0::/\n", "app.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/my.service\n", "my.service"),
        ("0::/\n", nil as String?),
        ("0::/system.slice/docker-abc.scope\n", "docker-abc.scope"),
    ])
    func `the unit is in the cgroup's path`(text: String, expected: String?) {
        #expect(ProcessTable.unitCgroup(text).flatMap(ProcessTable.unit(ofCgroup:)) == expected)
    }

    @Test func `a process name may hold brackets and spaces`() {
        let stat = Array("77 (a) b (c)) S 1 77 77 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 500 1000 100 184\n".utf8)
        let facts = ProcessTable.parseStat(stat, pid: 77, bootTime: time)
        #expect(facts?.name == "a) b (c)" && facts?.started == time.advanced(byMilliseconds: 5_000))
        #expect(ProcessTable.parseStat(Array("77 a".utf8), pid: 77, bootTime: nil) == nil)
    }

    @Test func `another user's PM2 is not asked, and its absence is no empty list`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 1])
        scene.process("PM2 v6.0.8: God", uid: 1_000, command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
        // Whatever is asked would start a daemon.
        for command in ["pm2 jlist", "env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] { scene.system.commands[command] = "[]" }
        #expect(scene.evidence().apps.value == nil)
        #expect(scene.evidence().gaps.contains("PM2 runs as another user, and answers only that one"))
        scene.process("PM2 v6.0.8: God", uid: 33, command: "PM2 v6.0.8: God Daemon (/home/www/.pm2)")
        scene.system.commands["env PM2_HOME=/home/www/.pm2 pm2 jlist"] = #"[{"name":"api","pid":0,"pm2_env":{}}]"#
        #expect(scene.evidence().apps.value?.map(\.name) == ["api"])
    }

    @Test func `two processes with supervisord in their command give one list`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 1])
        scene.process("supervisord", command: "/usr/bin/python3 /usr/bin/supervisord")
        scene.process("tail", command: "tail -f /var/log/supervisord.log")
        scene.system.commands["env -C / supervisorctl status"] = "api   RUNNING   pid 123, uptime 0:01:02\n"
        #expect(scene.evidence().apps.value?.count == 1)
    }

    @Test(arguments: [
        ("Server listening on port 3000, waiting for connections", 3_000), ("Listening for connections on port 3000", 3_000),
        ("connect ECONNREFUSED 127.0.0.1:3000 - is it listening on port 3000?", nil as UInt16?),
        ("waiting for the api listening on port 3000", nil), ("nobody: server not listening on port 3000", nil),
        ("could not connect to the server listening on port 3000", nil), ("health check of the server running on port 3000 failed", nil),
    ])
    func `a line about another's listener is not an own one`(line: String, port: UInt16?) {
        #expect(EventReader.listeningPort(LineText(line)) == port)
    }

    @Test func `only process 1 speaks for units`() {
        func events(pid: Int, unit: String) -> [LifeEvent] {
            let fields = [
                "__REALTIME_TIMESTAMP": "1795341600000000", "SYSLOG_IDENTIFIER": "systemd", "UNIT": "app.service", "_SYSTEMD_UNIT": unit,
                "_PID": "\(pid)", "MESSAGE": "app.service: A process of this unit has been killed by the OOM killer.",
            ]
            let line = "{" + fields.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
            return JournalCollector.parse(Array(line.utf8), source: "journalctl")
        }
        #expect(events(pid: 1, unit: "init.scope").map(\.unit) == ["app.service"])
        #expect(events(pid: 4_711, unit: "user@1000.service").isEmpty)
    }

    @Test func `journal messages that are arrays of bytes are read`() {
        let line =
            #"{"__REALTIME_TIMESTAMP":"1795341600000000","SYSLOG_IDENTIFIER":"node","_SYSTEMD_UNIT":"app.service","_PID":"7","MESSAGE":[69,65,68,68,82,73,78,85,83,69,27]}"#
        let events = JournalCollector.parse(Array((line + "\nnot json\n{}\n").utf8), source: "journalctl")
        #expect(events.count == 1 && events[0].kind == .addressInUse && events[0].unit == "app.service")
    }

    @Test(arguments: [
        ("Listening on port 3000", 3000), ("listening at: http://127.0.0.1:8000 (77)", 8000),
        ("Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", 8000),
        ("[80] [INFO] Listening at: http://[::]:9000 (80)", 9000), ("Server listening on 4000", 4000),
        ("listening to the queue orders", nil as UInt16?),
        ("* Running on http://127.0.0.1:5000", nil), ("Tomcat started on port(s): 8080", nil),
    ])
    func `applications tell their port in many ways`(text: String, expected: UInt16?) {
        #expect(EventReader.listeningPort(LineText(text)) == expected)
    }

    @Test(arguments: [
        ("--port 3000", true), ("PORT=3000", true), (":3000", true), ("--port 30001", false), ("v1.3000", false),
        ("13000", false), ("3000ms", false),
        ("http://127.0.0.1:3000/", true),
    ])
    func `a port is named only as a number of its own`(text: String, expected: Bool) {
        #expect(EvidenceSet.names(port: 3000, in: text) == expected)
    }

    @Test func `two lines about one OOM kill are one event`() {
        let text = """
            6,1,1000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a/app.service,task=node,pid=7,uid=0
            3,2,1000100,-;Memory cgroup out of memory: Killed process 7 (node) total-vm:1kB
             SUBSYSTEM=x
            3,3,1500100,-;Out of memory: Killed process 8 (other) total-vm:1kB
            """
        let events = EventReader.merged(KernelCollector.parse(Array(text.utf8), boot: time))
        #expect(events.map(\.pid) == [7, 8])
        #expect(events[0].time == time.advanced(byMilliseconds: 1_000) && events[0].cgroup == "/a/app.service")
        #expect(events[1].kind == .outOfMemory(constraint: "NONE"))
    }

    @Test func `counters are paired by name`() {
        var found: [String: Int64] = [:]
        HostCollector.parseCounters(
            Array(
                "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 23\nIpExt: InOctets\nIpExt: 5\n".utf8),
            into: &found)
        #expect(found == ["SyncookiesSent": 1, "ListenOverflows": 22, "ListenDrops": 23, "InOctets": 5])
        #expect(HostCollector.difference(["ListenOverflows": 20, "x": 9], found) == ["ListenOverflows": 2])
    }

    @Test func `supervisord's table and PM2's list are read`() {
        let table =
            "web                              RUNNING   pid 1187, uptime 1:02:03\nworker                           "
            + "FATAL     Exited too quickly (process log may have details)\nunix:///tmp/supervisor.sock no such "
            + "file\n"
        let apps = AppCollector.parseSupervisord(Array(table.utf8))
        #expect(apps.map(\.status) == ["RUNNING", "FATAL"] && apps[0].pid == 1_187 && apps[1].hasGivenUp)
        #expect(
            AppCollector.parsePM2(Array("[PM2] Spawning\n[{\"name\":\"api\",\"pid\":7,\"pm2_env\":{}}]\n".utf8))?.map(\.name) == ["api"])
        #expect(AppCollector.parsePM2(Array(">>>> In-memory PM2 is out-of-date\n[]".utf8))?.isEmpty == true)
        #expect(AppCollector.parsePM2([91, 255]) == nil && AppCollector.parsePM2(Array("[PM2] nothing".utf8)) == nil)
    }

    @Test func `what may not be read is named`() {
        var system = RecordedSystem(time: time)
        system.errors["/dev/kmsg"] = 1
        system.errors["/proc/net/tcp"] = 13
        var set = EvidenceSet()
        Collectors.collect(
            CollectionSubject(peer: PeerAddress(parsing: "127.0.0.1:1"), since: time, until: time), from: system,
            into: &set)
        #expect(
            set.gaps.contains("no right to read /dev/kmsg") && set.gaps.contains("no right to read /proc/net/tcp")
                && set.gaps.contains("systemctl is not there"))
    }

    @Test(arguments: [false, true]) func `the accept queues of this host are those of its sockets`(isUnix: Bool) throws {
        let folder = try TemporaryDirectory()
        let origin = try Origin(unixPath: isUnix ? folder.path + "/s" : nil) { _ in .close }
        let peer = PeerAddress(parsing: isUnix ? "unix:\(folder.path)/s" : "127.0.0.1:\(origin.port)"), system = LiveSystem()
        var evidence = EvidenceSet()
        ListenerCollector().collect(CollectionSubject(peer: peer, since: system.now(), until: system.now()), from: system, into: &evidence)
        let listener = try #require(evidence.listeners(for: peer).first)
        #expect(listener.owner?.pid == ProcessInfo.processInfo.processIdentifier)
        #expect(try system.sockets(of: ProcessInfo.processInfo.processIdentifier).contains(listener.inode))
        #expect(throws: SystemError(2, "/proc/4194305/fd")) { try system.sockets(of: 4_194_305) }
        let somaxconn = try #require(system.number("/proc/sys/net/core/somaxconn"))
        // Some kernels and containers tell nothing of a family of sockets.
        let isTold = ((isUnix ? evidence.unixListeners : evidence.listeners).value ?? []).contains { $0.queueMax != nil }
        #expect(listener.queueMax == (isTold ? min(1_024, somaxconn) : nil) && listener.queue == 0)
        withExtendedLifetime(origin) {}
    }

    @Test func `a route is looked up without a word on the wire`() {
        let system = LiveSystem()
        #expect(system.hasRoute(to: PeerAddress(parsing: "127.0.0.1:1")) == true)
        #expect(system.hasRoute(to: .unix("/x")) == nil)
    }

    @Test func `this host can be read`() {
        let system = LiveSystem()
        var set = EvidenceSet()
        let now = system.now()
        let clock = Subprocess.monotonicMilliseconds()
        let subject = CollectionSubject(peer: PeerAddress(parsing: "127.0.0.1:1"), since: now, until: now)
        Collectors.collect(subject, from: system, step: .volatile, into: &set)
        #expect(set.listeners.value != nil && set.host.value?.somaxconn ?? 0 > 0)
        // A kernel that has too much to do may not refuse within the 25 ms of the first look; the next one has more patience.
        ProbeCollector(deadline: 5_000).collect(subject, from: system, into: &set)
        #expect(set.probe.value?.errorNumber == 111)
        #expect(Subprocess.monotonicMilliseconds() - clock < 10_000)
        #expect(system.interfaceAddresses().contains(PeerAddress(parsing: "127.0.0.1:0")))
        #expect((try? system.read("/definitely/not/there", limit: 10)) == nil)
    }

    /// The doctor collects the host once and then each peer.
    @Test func `sockets to a peer are counted beside the host's facts`() throws {
        var scene = Scene("10.0.0.9:80", [.localPorts: 3])
        scene.extraRows = (0..<3).map {
            "   \($0): \(Scene.local(PeerAddress(parsing: "10.0.0.5:4000\($0)"))) \(Scene.local(PeerAddress(parsing: "10.0.0.9:80"))) 01 "
                + "00000000:00000000 00:00000000 00000000     0        0 7\($0) 1"
        }
        scene.system.routes = ["10.0.0.9": true]
        let system = scene.recorded()
        var set = EvidenceSet()
        var subject = CollectionSubject(peer: nil, since: scene.failure.first, until: scene.failure.last)
        for collector in Collectors.all where collector.isHostWide { collector.collect(subject, from: system, into: &set) }
        subject.peer = scene.failure.peer
        for collector in Collectors.all where !collector.isHostWide { collector.collect(subject, from: system, into: &set) }
        let host = try #require(set.host.value)
        #expect(host.socketsToPeer == ["ESTABLISHED": 3] && host.hasRoute == true && host.somaxconn == 128)
    }

    @Test func `a journal that was cut is named`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        for _ in 0..<19_999 { scene.journal(-5, "x.service", "x", identifier: "x", pid: 9) }
        #expect(scene.evidence().unread.isEmpty)
        scene.journal(-5, "x.service", "x", identifier: "x", pid: 9)
        scene.journal(-5, "x.service", "x", identifier: "x", pid: 9)
        let evidence = scene.evidence()
        #expect(evidence.unread == ["the journal before 2026-11-22T09:59:55Z: only the last 20000 lines were read"])
        #expect(evidence.gaps.contains(evidence.unread[0]))
    }

    /// A program that says nothing for a while is neither at its end nor without a deadline.
    @Test func `a silent program is waited for until its deadline`() throws {
        var output: [UInt8] = []
        let late = ["/bin/sh", "-c", "sleep 0.2; echo late"]
        let status = try Subprocess.stream(late, deadline: 5_000, pause: 20) { output += $0; return true }
        #expect(status == 0 && output == Array("late\n".utf8))
        let clock = ContinuousClock(), start = clock.now
        #expect(throws: SystemError(110, "/bin/sleep 20")) {
            _ = try Subprocess.stream(["/bin/sleep", "20"], deadline: 200, pause: 50) { _ in true }
        }
        #expect(clock.now - start < .seconds(10))
    }
}
