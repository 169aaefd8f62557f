import Machine
import Testing

@testable import Diagnosis

/// File modes, security policies and firewalls: each with what looks like it and is not.
@Suite struct PermissionRulesTests {
    private func denied(mode: UInt32, uid: Int) -> Scene {
        var scene = Scene("unix:/run/app/app.sock", [.socketDenied: 3])
        scene.proxyPID = scene.process("nginx", unit: "nginx.service", uid: uid)
        for path in ["/", "/run", "/run/app"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
        scene.system.statuses["/run/app/app.sock"] = FileStatus(mode: 0o140000 | mode, uid: 1_000, gid: 1_000)
        return scene
    }

    @Test func `P17 names the path component that keeps the proxy out`() {
        let verdict = denied(mode: 0o755, uid: 33).judge()
        #expect(verdict.rule == "P17" && verdict.confidence == .proven && verdict.culprit.name == "/run/app/app.sock")
        #expect(denied(mode: 0o777, uid: 33).judge().confidence == .possible)
    }

    /// Only the first class that fits a process counts: of root:www-data with 0755 the group, for a worker of www-data.
    @Test(arguments: [
        (UInt32(0o755), UInt32(0), UInt32(33), 33, "g+w"), (0o577, 33, 33, 33, "u+w"), (0o775, 0, 0, 33, "o+w"),
        (0o755, 1_000, 1_000, 33, "o+w"),
    ])
    func `P17 gives the right to the class that lacks it`(mode: UInt32, uid: UInt32, gid: UInt32, worker: Int, right: String) {
        var scene = denied(mode: mode, uid: worker)
        scene.system.statuses["/run/app/app.sock"] = FileStatus(mode: 0o140000 | mode, uid: uid, gid: gid)
        #expect(scene.judge().fix.commands.first?.hasPrefix("chmod \(right) /run/app/app.sock") == true, "\(scene.judge().fix.commands)")
        // The directory too: one right alone would change nothing.
        scene.system.statuses["/run/app"] = FileStatus(mode: 0o40750, uid: 0, gid: 33)
        #expect(scene.judge().fix.commands.first?.hasPrefix("chmod \(right) /run/app/app.sock") == true)
        scene.system.statuses["/run/app"] = FileStatus(mode: 0o40700, uid: 0, gid: 33)
        #expect(scene.judge().fix.commands.prefix(2).map { $0.prefix(9) } == ["chmod g+x", "chmod \(right)"])
    }

    /// systemd forbids socket(), not connect(), and only of families that are not named.
    @Test func `P17 blames no restriction that was not compared with the peer`() {
        var scene = Scene("10.0.0.5:8081", [.connectDenied: 3])
        scene.proxyPID = scene.process("nginx", unit: "nginx.service")
        scene.unit("nginx.service", ["RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6"])
        #expect(scene.judge().isUnknown, "\(scene.judge().cause)")
        scene.unit("nginx.service", ["IPAddressDeny": "any"])
        var other = Scene("10.0.0.5:8081", [.connectDenied: 3])
        other.proxyPID = other.process("nginx", unit: "nginx.service")
        other.unit("nginx.service", ["IPAddressDeny": "::/0 0.0.0.0/0"])
        #expect(other.judge().rule == "P17" && other.judge().confidence == .likely)
    }

    @Test func `P17 believes SELinux's own words and only about the proxy`() {
        var scene = Scene("10.0.0.5:8081", [.connectDenied: 3])
        scene.proxyPID = scene.process("nginx", unit: "nginx.service")
        scene.kernel(0, Self.avc + #"{ name_connect } for  pid=7 comm="nginx" dest=8081 scontext=a tclass=tcp_socket"#)
        #expect(scene.judge().rule == "P17" && scene.judge().culprit.name == "SELinux")
        var decoy = Scene("10.0.0.5:8081", [.connectDenied: 3])
        decoy.proxyPID = decoy.process("nginx", unit: "nginx.service")
        decoy.kernel(0, Self.avc + #"{ name_connect } for  pid=7 comm="postfix" dest=8081 scontext=a tclass=tcp_socket"#)
        #expect(decoy.judge().isUnknown)
    }

    private static let unixPeer = "unix:/run/app/app.sock"
    private static let avc = "audit: type=1400 audit(1.1:2): avc:  denied  "
    private static let appArmor = #"audit: type=1400 audit(1.1:2): apparmor="DENIED" operation="connect" profile="nginx" "#

    /// Each as the kernel writes it; nil: it is about something else.
    @Test(arguments: [
        (unixPeer, avc + #"{ connectto } for  pid=7 comm="nginx" path="/run/app/app.sock" tclass=unix_stream_socket"#, "SELinux"),
        (unixPeer, avc + #"{ write } for  pid=7 comm="nginx" name="app.sock" dev="tmpfs" ino=9 tclass=sock_file permissive=0"#, "SELinux"),
        (unixPeer, avc + #"{ search } for  pid=7 comm="nginx" name="app" dev="tmpfs" ino=8 tclass=dir permissive=0"#, "SELinux"),
        (unixPeer, appArmor + #"name="/run/app/app.sock" pid=7 comm="nginx" requested_mask="wr" denied_mask="wr""#, "AppArmor"),
        ("10.0.0.5:8081", appArmor + #"pid=7 comm="nginx" family="inet" sock_type="stream" requested_mask="connect""#, "AppArmor"),
        // Of others, or of another file, socket or family.
        (unixPeer, avc + #"{ connectto } for  pid=7 comm="nginx" path="/run/other.sock" tclass=unix_stream_socket permissive=0"#, nil),
        (unixPeer, avc + #"{ write } for  pid=7 comm="nginx" name="access.log" dev="sda1" ino=9 tclass=file permissive=0"#, nil),
        (unixPeer, avc + #"{ connectto } for  pid=7 comm="postfix" path="/run/app/app.sock" tclass=unix_stream_socket"#, nil),
        (unixPeer, appArmor + #"name="/run/other.sock" pid=7 comm="nginx" requested_mask="wr" denied_mask="wr""#, nil),
        (unixPeer, avc + #"{ name_connect } for  pid=7 comm="nginx" dest=8081 tclass=tcp_socket permissive=0"#, nil),
        ("10.0.0.5:8081", avc + #"{ connectto } for  pid=7 comm="nginx" path="/run/app/app.sock" tclass=unix_stream_socket"#, nil),
        ("10.0.0.5:8081", appArmor + #"name="/run/app/app.sock" pid=7 comm="nginx" requested_mask="wr" denied_mask="wr""#, nil),
    ] as [(String, String, String?)])
    func `P17 takes a policy's denial for its cause only if it is of this connection`(peer: String, line: String, policy: String?) {
        var scene = peer == Self.unixPeer ? denied(mode: 0o777, uid: 33) : Scene(peer, [.connectDenied: 3])
        if scene.proxyPID == nil { scene.proxyPID = scene.process("nginx", unit: "nginx.service") }
        scene.kernel(0, line)
        let verdict = scene.judge()
        guard let policy else {
            #expect(verdict.isUnknown || verdict.confidence == .possible, "\(verdict)")
            return
        }
        #expect(verdict.rule == "P17" && verdict.confidence == .proven && verdict.culprit == Culprit(.securityPolicy, policy), "\(verdict)")
        #expect(verdict.evidence.contains { $0.text == line } && verdict.cause.contains("denied nginx the connection to \(peer)"))
        #expect(verdict.fix.commands.contains("aa-logprof") == (policy == "AppArmor"), "\(verdict.fix)")
    }

    @Test func `a firewall is blamed only for what nobody else explains`() {
        // Somebody has listened there for long, and yet connections are refused.
        var refused = Scene("127.0.0.1:3000", [.connectRefused: 3])
        refused.listen("127.0.0.1:3000", by: refused.process("node"))
        let rejects = refused.judge()
        #expect(rejects.rule == "P01" && rejects.confidence == .likely)
        #expect(rejects.culprit == Culprit(.firewall, "a REJECT rule with tcp-reset"))
        #expect(rejects.fix.commands.contains { $0.hasPrefix("nft list ruleset") })
        refused.system.answers["127.0.0.1:3000"] = []
        #expect(refused.judge().culprit.kind != .firewall, "it works now")
        // Packets to this host vanish, and the queue is not full.
        var dropped = Scene("127.0.0.1:3000", [.connectTimeout: 3])
        dropped.listen("127.0.0.1:3000", by: dropped.process("node"))
        #expect(dropped.judge().confidence == .possible && dropped.judge().culprit.kind == .firewall)
        for (count, culprit) in [(262_144, Culprit.Kind.firewall), (200_000, .network)] {
            var tracked = Scene("192.0.2.9:3000", [.connectTimeout: 3])
            tracked.system.errors["192.0.2.9:3000"] = 110
            tracked.system.files["/proc/sys/net/netfilter/nf_conntrack_count"] = "\(count)\n"
            tracked.system.files["/proc/sys/net/netfilter/nf_conntrack_max"] = "262144\n"
            let verdict = tracked.judge()
            #expect(verdict.rule == "P19" && verdict.culprit.kind == culprit, "\(verdict)")
            #expect((verdict.confidence == .proven) == (culprit == .firewall))
        }
    }
}
