import Machine

@testable import Diagnosis

/// A host made of recorded texts (tables of /proc, `systemctl show`, `journalctl -o json`, /dev/kmsg) and one failure on it: what a rule's
/// test needs, in a few words. Collectors read it as they read a real one.
struct Scene {
    static let start = Timestamp(seconds: 1_795_341_600)
    var system: RecordedSystem
    var failure: FailureCase
    var host: String?
    var upstream: UpstreamFacts?
    var countersBefore: [String: Int64]?
    private var tcp: [String] = [], tcp6: [String] = [], unix: [String] = [], units: [String] = [],
        journal: [String] = [], kernel: [String] = []
    private var nextPID = 1_000
    private var foreign: [Int: (namespace: Int, rows: [String])] = [:]
    private var counters: [String: Int64] = [:]

    init(_ peer: String?, _ counts: [ReasonCode: Int], seconds: Int64 = 4, upstream: String = "app") {
        let end = Self.start.advanced(byMilliseconds: seconds * 1_000)
        failure = FailureCase(
            upstream: upstream, peer: peer.map { PeerAddress(parsing: $0) }, counts: counts, first: Self.start,
            last: end, now: end.advanced(byMilliseconds: 500))
        system = RecordedSystem(time: failure.now)
        system.files["/proc/stat"] = "btime \(Self.start.seconds - 100_000)\n"
        system.files["/proc/uptime"] = "100004.50 1.00\n"
        system.files["/proc/self/status"] = "Name:\tgoodgate\nUid:\t33\t33\t33\t33\n"
        system.links["/proc/self/ns/net"] = "net:[4026531840]"
        system.links["/proc/self/ns/mnt"] = "mnt:[1]"
        system.addresses = [
            PeerAddress(parsing: "127.0.0.1:0"), PeerAddress(parsing: "[::1]:0"), PeerAddress(parsing: "10.0.0.5:0"),
        ]
        system.files["/proc/sys/net/core/somaxconn"] = "128\n"
        system.files["/proc/sys/net/ipv4/ip_local_port_range"] = "32768\t60999\n"
    }

    /// A process; returns its pid. `age` is how long before the first failure it was started, in seconds.
    @discardableResult
    mutating func process(
        _ name: String, unit: String? = nil, age: Int64 = 50_000, uid: Int = 33, parent: Int = 1,
        namespace: Int = 4_026_531_840, command: String? = nil
    ) -> Int {
        nextPID += 1
        let pid = nextPID
        let ticks = (100_000 - age) * 100
        system.files["/proc/\(pid)/stat"] =
            "\(pid) (\(name)) S \(parent) \(pid) \(pid) 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 1 0 \(ticks) 1000 100 "
            + "18446744073709551615\n"
        system.files["/proc/\(pid)/cmdline"] = command ?? name
        system.files["/proc/\(pid)/cgroup"] =
            unit.map { "0::/system.slice/\($0)\n" } ?? "0::/user.slice/session-1.scope\n"
        system.files["/proc/\(pid)/status"] =
            "Name:\t\(name)\nUid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)\nGid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)\nGroups:\t\(uid) \n"
        system.links["/proc/\(pid)/ns/net"] = "net:[\(namespace)]"
        system.links["/proc/\(pid)/ns/mnt"] = "mnt:[1]"
        return pid
    }

    /// A listening socket of a process.
    mutating func listen(_ address: String, by pid: Int, queue: Int = 0, max: Int = 128) {
        let inode = 50_000 + pid * 10 + tcp.count + tcp6.count + unix.count
        system.links["/proc/\(pid)/fd/5"] = "socket:[\(inode)]"
        let peer = PeerAddress(parsing: address)
        let queueText = Self.hex(UInt64(queue), 8)
        if case .unix(let path) = peer {
            unix.append("0000000000000000: 00000002 00000000 00010000 0001 01 \(inode) \(path)")
            system.queues.append(ListenQueue(inode: UInt64(inode), length: queue, max: max))
            return
        }
        let row =
            "   0: \(Self.local(peer)) \(peer.isIPv6 ? String(repeating: "0", count: 32) : "00000000"):0000 0A "
            + "00000000:\(queueText) 00:00000000 00000000     0        0 \(inode) 1"
        if let namespace = namespace(of: pid), namespace != 4_026_531_840 {
            foreign[pid, default: (namespace, [])].rows.append(row)
            return
        }
        if peer.isIPv6 { tcp6.append(row) } else { tcp.append(row) }
        system.queues.append(ListenQueue(inode: UInt64(inode), length: queue, max: max))
    }

    private func namespace(of pid: Int) -> Int? {
        system.links["/proc/\(pid)/ns/net"].flatMap { LineText($0).after("[")?.number }
    }

    static func hex(_ value: UInt64, _ width: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: Swift.max(width - text.count, 0)) + text
    }

    static func local(_ peer: PeerAddress) -> String {
        switch peer {
        case .ipv4(let a, let port): return hex(UInt64(a.byteSwapped), 8) + ":" + hex(UInt64(port), 4)
        case .ipv6(let h, let l, let port):
            let words = [
                UInt32(truncatingIfNeeded: h >> 32), UInt32(truncatingIfNeeded: h), UInt32(truncatingIfNeeded: l >> 32),
                UInt32(truncatingIfNeeded: l),
            ]
            return words.map { hex(UInt64($0.byteSwapped), 8) }.joined() + ":" + hex(UInt64(port), 4)
        default: return ""
        }
    }

    /// A block of `systemctl show`.
    mutating func unit(_ name: String, _ properties: [String: String] = [:]) {
        var all = [
            "Id": name, "ActiveState": "active", "SubState": "running", "Result": "success",
            "ControlGroup": "/system.slice/\(name)", "Restart": "no",
        ]
        all.merge(properties) { $1 }
        units.append(all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n"))
    }

    /// A line of the journal, `at` seconds after the first failure.
    mutating func journal(
        _ at: Double, _ unit: String?, _ message: String, identifier: String = "systemd", pid: Int = 1
    ) {
        let micros = (Self.start.milliseconds + Int64(at * 1_000)) * 1_000
        let escaped = message.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let field =
            unit.map {
                identifier == "systemd"
                    ? "\"UNIT\":\"\($0)\",\"_SYSTEMD_UNIT\":\"init.scope\"," : "\"_SYSTEMD_UNIT\":\"\($0)\","
            } ?? ""
        journal.append(
            "{\(field)\"__REALTIME_TIMESTAMP\":\"\(micros)\",\"SYSLOG_IDENTIFIER\":\"\(identifier)\",\"_PID\":\"\(pid)\",\"_TRANSPORT\":\"journal\",\"MESSAGE\":\"\(escaped)\"}"
        )
    }

    /// A record of the kernel's ring.
    mutating func kernel(_ at: Double, _ message: String) {
        kernel.append("6,\(kernel.count),\(Int64((100_000 + at) * 1_000_000)),-;\(message)")
    }

    mutating func oomKill(_ at: Double, of unit: String, pid: Int = 4_711, constraint: String = "MEMCG") {
        oomKill(at, inCgroup: "/system.slice/\(unit)", pid: pid, constraint: constraint)
    }

    mutating func oomKill(_ at: Double, inCgroup cgroup: String, pid: Int = 4_711, constraint: String = "MEMCG") {
        kernel(
            at,
            "oom-kill:constraint=CONSTRAINT_\(constraint),nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=\(cgroup),task_memcg=\(cgroup),task=node,pid=\(pid),uid=33"
        )
        kernel(
            at,
            "Memory cgroup out of memory: Killed process \(pid) (node) total-vm:159772kB, anon-rss:61056kB, "
                + "file-rss:7988kB, shmem-rss:0kB, UID:33 pgtables:204kB oom_score_adj:0"
        )
    }

    /// The host as a recording.
    func recorded() -> RecordedSystem {
        var system = system
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        for base in ["/proc/net"] + [proxyPID.map { "/proc/\($0)/net" }].compactMap({ $0 }) {
            system.files["\(base)/tcp"] = head + tcp.joined(separator: "\n") + "\n" + extraRows.joined(separator: "\n")
            system.files["\(base)/tcp6"] = head + tcp6.joined(separator: "\n")
            system.files["\(base)/unix"] =
                "Num       RefCount Protocol Flags    Type St Inode Path\n" + unix.joined(separator: "\n")
        }
        for (pid, table) in foreign { system.files["/proc/\(pid)/net/tcp"] = head + table.rows.joined(separator: "\n") }
        system.commands["systemctl show *.service*"] = units.joined(separator: "\n\n") + "\n"
        system.commands[
            "journalctl -o json --output-fields=MESSAGE,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_PID,_TRANSPORT,_COMM "
                + "--no-pager -n 20000*"
        ] = journal.joined(separator: "\n")
        if system.errors["/dev/kmsg"] == nil { system.files["/dev/kmsg"] = kernel.joined(separator: "\n") }
        return system
    }

    /// Reads the scene through the collectors.
    func evidence() -> EvidenceSet {
        let system = recorded()
        var set = EvidenceSet()
        var subject = CollectionSubject(
            peer: failure.peer, host: host, proxyPID: proxyPID.map { Int32($0) },
            since: failure.first.advanced(byMilliseconds: -86_400_000), until: failure.last)
        subject.countersBefore = countersBefore
        if let upstream { set.upstream = .known(upstream, source: upstream.place) }
        Collectors.collect(subject, from: system, into: &set)
        if let peer = failure.peer, sniffs {
            ProbeCollector().sample(peer, inTLS: set.wantsTLS(failure), from: system, into: &set)
        }
        return set
    }

    var proxyPID: Int?
    var sniffs = false
    var extraRows: [String] = []

    func judge() -> Verdict {
        var failure = failure
        failure.host = host ?? failure.host
        return VerdictEngine.judge(failure, evidence: evidence())
    }
}

extension Scene {
    /// The usual backend: app.service on a port or path, whose log says so.
    static func app(
        _ peer: String, _ counts: [ReasonCode: Int], _ properties: [String: String] = [:], seconds: Int64 = 4
    ) -> Scene {
        var scene = Scene(peer, counts, seconds: seconds)
        var all = properties
        if all["ExecStart"] == nil {
            all["ExecStart"] =
                "{ path=/usr/bin/node ; argv[]=/usr/bin/node server.js --listen "
                + "\(PeerAddress(parsing: peer).path ?? PeerAddress(parsing: peer).port.map { "\($0)" } ?? "") ; "
                + "ignore_errors=no }"
        }
        scene.unit("app.service", all)
        return scene
    }

    static func samples(
        _ count: Int, _ reason: ReasonCode, phase: AttemptPhase = .awaitingHead, _ change: (inout AttemptRecord) -> Void
    ) -> [AttemptRecord] {
        (0..<count).map { index in
            var record = AttemptRecord(
                time: start.advanced(byMilliseconds: Int64(index) * 100), upstream: "app",
                peer: PeerAddress(parsing: "127.0.0.1:3000"), phase: phase, reason: reason)
            change(&record)
            return record
        }
    }
}
