import Machine
import Testing

@testable import Diagnosis

/// What a verdict tells a person to do must be possible.
@Suite struct FixTests {
    /// Systemd does not know the apps that goodgate runs.
    @Test(arguments: ReasonCode.allCases, ["127.0.0.1:3000", "unix:/run/app/app.sock"])
    func `no rule asks systemd for an own app`(reason: ReasonCode, peer: String) {
        let start = Scene.start
        let ends: [[LifeEvent.Kind]] = [
            [.killed(signal: 11, coreDumped: false)], [.outOfMemory(constraint: ""), .killed(signal: 9, coreDumped: false)],
            [.exited(code: 1), .exited(code: 1), .exited(code: 1), .gaveUp], [.stopping, .stopTimedOut, .stopped], [.reload],
            [.addressInUse], [.failed(result: "timeout")], [],
        ]
        for kinds in ends {
            var history = AppHistory(app: "demo")
            history.add(LifeEvent(time: start.advanced(byMilliseconds: -9_000), kind: .started, line: "started"), instance: "0#1")
            for kind in kinds {
                history.add(LifeEvent(time: start.advanced(byMilliseconds: -500), kind: kind, line: "\(kind)"), instance: "0#1")
            }
            var scene = Scene(peer, [reason: 5])
            scene.system.statuses["/"] = FileStatus(mode: 0o40755)
            scene.system.statuses["/run"] = FileStatus(mode: 0o40755)
            var evidence = scene.evidence()
            evidence.own = history
            scene.failure.ownUnit = history.unit.name
            for rule in Rulebook.all {
                guard case .finding(let finding) = rule.judge(scene.failure, evidence) else { continue }
                // The gateway's own unit may be one.
                for command in finding.fix.commands where command.contains("systemctl") || command.contains("journalctl") {
                    #expect(!command.contains("demo") && !command.contains("the application"), "\(rule.id): \(command)")
                }
            }
        }
    }

    @Test func `without a unit there is no command for one`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 5])
        scene.journal(-5, nil, "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", identifier: "node", pid: 900)
        let gone = scene.judge()
        #expect(gone.rule == "P27" && gone.fix.commands.isEmpty)
        scene.listen("127.0.0.1:3000", by: scene.process("python3"))
        let held = scene.judge()
        // Whose the port is nobody knows.
        #expect(held.alternatives.contains { $0.rule == "P27" && $0.confidence == .possible })
        #expect(!held.fix.commands.contains { $0.contains("systemctl restart") || $0.hasPrefix("kill") })
    }

    /// With `proxy_pass http://$host` a client chooses the host that did not resolve, and root types the command.
    @Test func `a host that a client chose is quoted in commands`() {
        for known in [true, false] {
            var scene = Scene(nil, [.dnsFailed: 3], upstream: "$(id)")
            scene.failure.host = "x;id"
            scene.host = known ? "x;id" : nil
            let verdict = scene.judge()
            #expect(verdict.rule == "P05" && verdict.fix.commands.first == "getent ahosts 'x;id'")
            for text in verdict.fix.commands + verdict.evidence.map(\.source) {
                #expect(!text.replacing("'x;id'", with: "").contains("x;id"))
            }
        }
        for check in RuleChecks.checks([4, 20, 21, 26], peer: PeerAddress(parsing: "$(id):80")) {
            #expect(!check.replacing("'$(id)'", with: "").contains("$(id)"))
        }
    }

    /// systemd 252 does not read RFC 3339 with its Z.
    @Test func `journalctl gets a time that it understands`() {
        let command = RuleSupport.log(UnitState(name: "app.service"), since: Timestamp(milliseconds: 1_795_341_600_123))
        #expect(command.text == "journalctl -u app.service --since '2026-11-22 10:00:00 UTC' --no-pager | tail -n 40")
    }

    /// A directive of another module has no effect, and curl speaks no FastCGI.
    @Test(arguments: [
        ("http", "127.0.0.1:3000", "proxy_", "curl -sD - -o /dev/null http://127.0.0.1:3000/ |"),
        ("https", "127.0.0.1:3000", "proxy_", "curl -sD - -o /dev/null https://127.0.0.1:3000/ |"),
        ("http", "unix:/run/a b.sock", "proxy_", "curl -sD - -o /dev/null --unix-socket '/run/a b.sock' http://localhost/ |"),
        ("fastcgi", "127.0.0.1:9000", "fastcgi_", "cgi-fcgi -bind -connect 127.0.0.1:9000 |"),
        ("fastcgi", "unix:/run/php.sock", "fastcgi_", "cgi-fcgi -bind -connect /run/php.sock |"),
        ("uwsgi", "127.0.0.1:9000", "uwsgi_", nil), ("scgi", "127.0.0.1:9000", "scgi_", nil), ("grpc", "127.0.0.1:9000", "grpc_", nil),
    ] as [(String, String, String, String?)])
    func `a fix is of the module that speaks to the upstream`(scheme: String, peer: String, prefix: String, command: String?) {
        for (reason, rule) in [(ReasonCode.responseTooBigHeader, "P23"), (.responseIllegalFraming, "P24"), (.connectTimeout, "P19")] {
            var scene = Scene(peer, [reason: 3])
            if reason == .connectTimeout { scene = Scene("10.9.9.9:80", [reason: 3]) }
            scene.upstream = UpstreamFacts(name: "app", place: "/etc/nginx/nginx.conf:3", scheme: scheme)
            let verdict = scene.judge()
            #expect(verdict.rule == rule)
            let lines = verdict.fix.diff?.split(separator: "\n") ?? []
            #expect(lines.allSatisfy { $0.hasPrefix("+" + prefix) }, "\(lines)")
            #expect(lines.count == (rule == "P24" ? 0 : rule == "P19" ? 1 : scheme == "grpc" ? 1 : 3))
            if rule == "P23" { #expect(command == nil ? verdict.fix.commands.isEmpty : verdict.fix.commands[0].contains(command!)) }
            if rule == "P24" { #expect(verdict.fix.commands.isEmpty == (command == nil)) }
        }
    }

    @Test(arguments: [
        ("fastcgi", "unsupported FastCGI protocol version: 72", 72, .proven, "-    fastcgi_pass app;\n+    proxy_pass http://app;"),
        ("fastcgi", "", 0, .proven, "-    fastcgi_pass app;\n+    proxy_pass http://app;"),
        ("uwsgi", "", 0, .proven, "-    uwsgi_pass app;\n+    proxy_pass http://app;"),
        ("grpc", "", 0, .likely, "-    grpc_pass grpc://app;\n+    proxy_pass http://app;"),
    ] as [(String, String, Int, Confidence, String)])
    func `P25 knows HTTP where the proxy speaks something else`(
        scheme: String, detail: String, number: Int, confidence: Confidence, diff: String
    ) {
        for peer in ["127.0.0.1:3000", "unix:/run/fpm.sock"] {
            var scene = Scene(peer, [.responseWrongProtocol: 3])
            scene.failure.detail = detail
            scene.failure.detailNumber = number == 0 ? nil : number
            scene.upstream = UpstreamFacts(name: "app", place: "nginx.conf:9", scheme: scheme)
            scene.system.answers[peer] = Array("HTTP/1.1 400 Bad Request\r\n".utf8)
            scene.sniffs = true
            let verdict = scene.judge()
            #expect(verdict.rule == "P25" && verdict.confidence == confidence, "\(verdict.cause)")
            #expect(verdict.cause.hasSuffix("which speaks HTTP/1."))
            #expect(verdict.fix.diff == diff)
            let target = peer.hasPrefix("unix") ? "nc -U /run/fpm.sock |" : "nc 127.0.0.1 3000 |"
            #expect(verdict.fix.commands.first?.contains(target) == true, "\(verdict.fix.commands)")
        }
    }

    /// Each error of a certificate has a fix of its own; the module's own directives; no name that is an address.
    @Test(arguments: [
        (ReasonCode.tlsVerify, 10, "https", String?.none), (.tlsVerify, 9, "https", nil), (.tlsVerify, 19, "https", nil),
        (.tlsVerify, 18, "https", "+proxy_ssl_trusted_certificate /etc/nginx/upstream.pem;"),
        (.tlsVerify, 20, "https", "+proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"),
        (.tlsVerify, 20, "grpcs", "+grpc_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"),
        (.tlsVerify, 62, "https", "+proxy_ssl_name $host;"), (.tlsHandshake, 70, "grpcs", "+grpc_ssl_protocols TLSv1.2 TLSv1.3;"),
        (.tlsHandshake, 112, "https", "+proxy_ssl_server_name on;\n+proxy_ssl_name $host;"),
        (.tlsHandshake, 112, "grpcs", "+grpc_ssl_server_name on;\n+grpc_ssl_name $host;"),
    ])
    func `P26 mends what the error is about`(reason: ReasonCode, number: Int, scheme: String, diff: String?) {
        var scene = Scene("10.9.9.1:443", [reason: 3])
        scene.failure.detail = "\(number):text"
        scene.failure.detailNumber = number
        scene.upstream = UpstreamFacts(name: "back", place: "nginx.conf:9", scheme: scheme)
        scene.upstream?.sendsServerName = false
        let verdict = scene.judge()
        #expect(verdict.rule == "P26" && verdict.fix.diff == diff, "\(verdict.fix)")
        #expect(!verdict.fix.commands.contains { $0.contains("-servername 10.") })
    }

    @Test func `P22 puts each directive where nginx takes it`() throws {
        var scene = Scene(nil, [.localConnections: 3])
        scene.failure.detailNumber = 512
        let diff = try #require(scene.judge().fix.diff)
        #expect(
            diff == "@@ outside of all blocks @@\n+worker_rlimit_nofile 8192;\n@@ in events @@\n"
                + "-    worker_connections 512;\n+    worker_connections 4096;")
    }
}
