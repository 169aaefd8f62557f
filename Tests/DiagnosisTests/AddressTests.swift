import Machine
import Testing

@testable import Diagnosis

/// Which address was dialled, from which, and whose it was.
@Suite struct AddressTests {
    /// `localhost` in a container without IPv6: error 99 as well.
    @Test(arguments: [
        ("[::1]:3000", false, "P02"), ("[2001:db8::7]:80", false, "P02"), ("[::1]:3000", true, "P21"), ("[2001:db8::7]:80", true, "P21"),
    ])
    func `P21 is not said where IPv6 is missing`(peer: String, has: Bool, rule: String) {
        var scene = Scene(peer, [.localPorts: 30])
        scene.system.addresses = ["127.0.0.1:0", "10.0.0.5:0"].map { PeerAddress(parsing: $0) }
        if has { scene.system.addresses += ["[::1]:0", "[fd00::5]:0"].map { PeerAddress(parsing: $0) } }
        scene.system.time = scene.system.time.advanced(byMilliseconds: 60_000)
        let verdict = scene.judge()
        #expect(verdict.rule == rule && verdict.fix.edit == nil, "\(verdict.cause)")
        #expect(verdict.confidence == (has ? .possible : .firm) && !verdict.cause.contains("All local ports"))
        #expect(rule == "P21" || !verdict.fix.commands.contains { $0.contains("ip_local_port_range") })
    }

    @Test func `P21 is not said of an address that proxy_bind may not have`() throws {
        let text =
            "2026/11/22 10:03:04 [crit] 1#1: *1 bind(10.9.9.9) failed (99: Cannot assign requested address) while connecting to "
            + "upstream, client: 192.0.2.1, server: a, request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:3000/\", host: \"a\""
        let line = try #require(NginxErrorLine(LineText(text)))
        let failure = try #require(NginxFailure.classify(line))
        #expect(failure.reason == .localPorts && failure.detail == "bind(10.9.9.9)" && failure.summary.contains("proxy_bind"))
        var scene = Scene("127.0.0.1:3000", [.localPorts: 30])
        scene.failure.detail = failure.detail
        let verdict = scene.judge()
        #expect(verdict.isUnknown && verdict.ruledOut.contains { $0.rule == "P21" && $0.text.contains("no address of this host") })
    }

    /// The doctor knows the name of an old address by its port alone.
    @Test(arguments: [(false, "P04", Confidence.firm), (true, "P01", .likely)])
    func `P04 is as sure as the address is known to have been the name's`(isGuess: Bool, rule: String, confidence: Confidence) {
        var scene = Scene("172.18.0.4:3000", [.connectRefused: 9])
        scene.host = "api"
        scene.failure.isHostGuess = isGuess
        scene.system.names["api"] = [PeerAddress(parsing: "172.18.0.9:0")]
        #expect(scene.judge().rule == rule && scene.judge().confidence == confidence, "\(scene.judge().cause)")
    }

    @Test func `an address is not taken for a name's where a variable chooses the host`() {
        func upstream(_ more: String) -> String? {
            var system = RecordedSystem(time: Scene.start)
            system.files["/n"] = "http { server { location / { proxy_pass http://api:3000; } \(more) } }"
            return NginxSite(mainFile: "/n", prefix: "/", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system)
                .upstream(serving: PeerAddress(parsing: "198.51.100.9:3000"))?.facts.name
        }
        #expect(upstream("") == "api:3000")
        #expect(upstream("location /v { proxy_pass http://$http_x:3000; }") == nil)
    }

    private func report(_ error: String, names: [String: [PeerAddress]] = [:]) -> DoctorReport {
        var system = RecordedSystem(time: Scene.start)
        system.files["/etc/nginx/nginx.conf"] =
            "error_log /log/error;\nhttp { access_log off;\nserver { server_name example.com;\n"
            + "location / { proxy_pass http://$arg_to; } } }\n"
        system.files["/log/error"] = error + "\n"
        system.statuses["/log/error"] = FileStatus(mode: 0o100644, modified: Scene.start)
        system.names = names
        var options = Doctor<RecordedSystem>.Options(since: Scene.start.advanced(byMilliseconds: -86_400_000))
        options.configuration = "/etc/nginx/nginx.conf"
        options.zoneOffset = 0
        return Doctor.run(options, system: system)
    }

    /// The name in the line is another than the server's, and it resolves.
    @Test func `P05 names the missing resolver, not the site`() throws {
        let report = report(
            "2026/11/22 09:59:04 [error] 1#1: *1 no resolver defined to resolve vm, client: 192.0.2.1, server: example.com, "
                + "request: \"GET / HTTP/1.1\", host: \"a\"", names: ["vm": [PeerAddress(parsing: "10.0.0.9:0")]])
        let verdict = try #require(report.cases.first?.verdict)
        #expect(verdict.rule == "P05" && verdict.confidence == .proven && verdict.culprit.kind == .configuration, "\(verdict.cause)")
        #expect(verdict.culprit.name == "/etc/nginx/nginx.conf:4")
        #expect(verdict.cause.contains("the name vm") && !verdict.cause.contains("example.com"))
        #expect(!verdict.fix.commands.contains { $0.contains("example.com") })
    }

    @Test(arguments: [true, false])
    func `P05 names the place that nginx named when it did not start`(isBack: Bool) throws {
        let report = report(
            "2026/11/22 09:59:04 [emerg] 1#1: host not found in upstream \"nowhere.invalid:3000\" in /etc/nginx/conf.d/a.conf:5",
            names: isBack ? ["nowhere.invalid": [PeerAddress(parsing: "10.0.0.9:0")]] : [:])
        let verdict = try #require(report.cases.first?.verdict)
        #expect(verdict.rule == "P05" && verdict.culprit.name == "/etc/nginx/conf.d/a.conf:5", "\(verdict.culprit) \(verdict.cause)")
        #expect(verdict.confidence == (isBack ? .likely : .proven) && verdict.cause.contains("refused to start"))
        #expect(verdict.fix.commands.first == "getent ahosts nowhere.invalid")
    }
}
