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
    @Test(arguments: [(Bool?.none, "P04", Confidence.firm), (false, "P04", .likely), (true, "P01", .likely)])
    func `P04 is as sure as the address is known to have been the name's`(isOld: Bool?, rule: String, confidence: Confidence) {
        var scene = Scene("172.18.0.4:3000", [.connectRefused: 9])
        scene.host = "api"
        scene.failure.isHostOld = isOld
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
}
