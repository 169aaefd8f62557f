import Machine
import Testing

@testable import Diagnosis

/// The doctor's test of each upstream as it is now.
@Suite struct UpstreamTestTests {
    /// What a host answers: health URIs by the first bytes, handshakes by what openssl prints.
    private func run(
        _ location: String, http: String = "", answers: [String: String] = [:], openssl: [String: String] = [:],
        errors: [String: Int32] = [:]
    ) -> DoctorReport {
        // 2026-11-23T00:00:00Z
        var system = RecordedSystem(time: Timestamp(seconds: 1_795_392_000))
        system.files["/etc/nginx/nginx.conf"] = "http {\n\(http)\nserver { location / {\n\(location)\n} }\n}\n"
        system.names["api.example"] = [PeerAddress(parsing: "192.0.2.7:0")]
        system.answers = answers.mapValues { Array($0.utf8) }
        system.commands = Dictionary(uniqueKeysWithValues: openssl.map { ("openssl s_client " + $0, $1) })
        system.errors = errors
        var options = Doctor<RecordedSystem>.Options(since: system.time.advanced(byMilliseconds: -3_600_000))
        options.zoneOffset = 0
        return Doctor.run(options, system: system)
    }

    @Test(arguments: [
        ("health_check uri=/ok;", "HTTP/1.1 200 OK\r\n", "GET /ok: 200", false),
        ("health_check;", "HTTP/1.0 302 Found\r\n", "GET /: 302", false),
        ("health_check uri=/ok;", "HTTP/1.1 503 No\r\n", "GET /ok: 503", true),
        ("health_check uri=/ok;", "", "GET /ok: no answer within 2 s", true),
        ("health_check uri=/ok match=m;", "HTTP/1.1 503 No\r\n", "GET /ok: 503", false),
        ("health_check uri=/ok;", "+PONG\r\n", "GET /ok: no HTTP", true),
        ("health_check uri=/ok port=3001;", "HTTP/1.1 200 OK\r\n", "GET /ok at 127.0.0.1:3001: 204", false),
        ("health_check uri=/ok port=3002;", "", "GET /ok at 127.0.0.1:3002: not connected (error 111)", true),
        ("health_check type=grpc;", "", nil, false), ("health_check uri=/$x;", "", nil, false), ("", "", nil, false),
    ] as [(String, String, String?, Bool)])
    func `a health URI is asked as the proxy asks it`(check: String, answer: String, told: String?, isTroubled: Bool) throws {
        let report = run(
            "proxy_pass http://app; \(check)", http: "upstream app { server 127.0.0.1:3000; }",
            answers: ["127.0.0.1:3000": answer, "127.0.0.1:3001": "HTTP/1.1 204 No Content\r\n"])
        let test = try #require(report.upstreams.first)
        #expect(report.upstreams.count == 1 && test.health == told && test.isTroubled == isTroubled && test.isReachable, "\(test)")
        let text = DoctorText.render(report)
        #expect(text.contains("  \(isTroubled ? "BAD " : "ok  ")  app: 127.0.0.1:3000"), "\(text)")
        #expect(told.map { text.contains("\n        \($0)\n") } ?? true, "\(text)")
    }

    /// As OpenSSL 3.0 prints it, shortened.
    private static func printed(
        _ code: String, until: String = "Nov  4 05:35:52 2027 GMT", cipher: String = "TLS_AES_256_GCM_SHA384"
    ) -> String {
        """
        CONNECTED(00000003)
        ---
        Certificate chain
         0 s:CN = api.example
           i:CN = some authority
           v:NotBefore: Nov  3 05:35:52 2025 GMT; NotAfter: \(until)
         1 s:CN = some authority
           v:NotBefore: Nov  3 05:35:52 2015 GMT; NotAfter: Nov  4 05:35:52 2035 GMT
        ---
        New, TLSv1.3, Cipher is \(cipher)
        Verify return code: \(code)
        ---

        """
    }
    private static let bare = "-connect 192.0.2.7:443 -noservername -verify_hostname api.example"
    private static let full = "-connect 192.0.2.7:443 -servername api.example -verify_hostname api.example -CAfile /etc/nginx/ca.pem"
    private static let verifies = "proxy_ssl_server_name on; proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem;"

    @Test(arguments: [
        ("", bare, printed("0 (ok)"), "TLS, certificate until 2027-11-04", false),
        ("", bare, printed("20 (unable to get local issuer certificate)"), "TLS, certificate until 2027-11-04", false),
        ("", bare, printed("62 (hostname mismatch)"), "TLS, certificate not for api.example (proxy_ssl_verify is off)", false),
        ("", bare, printed("18 (self-signed certificate)", until: "Nov  4 05:35:52 2026 GMT"),
         "TLS, certificate expired on 2026-11-04 (proxy_ssl_verify is off)", false),
        ("", bare, printed("0 (ok)", cipher: "(NONE)"),
         "the TLS handshake fails (proxy_ssl_server_name is off: no name is sent): openssl s_client \(bare) </dev/null", true),
        (verifies, full, printed("0 (ok)"), "TLS, certificate until 2027-11-04", false),
        (verifies, full, printed("10 (certificate has expired)", until: "Nov 22 05:35:52 2026 GMT"),
         "TLS, certificate expired on 2026-11-22: proxy_ssl_verify refuses it", true),
        (verifies, full, printed("62 (hostname mismatch)", until: "Nov 22 05:35:52 2026 GMT"),
         "TLS, certificate expired on 2026-11-22, not for api.example: proxy_ssl_verify refuses it", true),
        (verifies, full, printed("20 (unable to get local issuer certificate)"),
         "TLS, certificate unable to get local issuer certificate: proxy_ssl_verify refuses it", true),
        (verifies + "proxy_ssl_name other.example;",
         "-connect 192.0.2.7:443 -servername other.example -verify_hostname other.example -CAfile /etc/nginx/ca.pem",
         printed("62 (hostname mismatch)"), "TLS, certificate not for other.example: proxy_ssl_verify refuses it", true),
        // The name is a variable's: none is checked.
        (verifies + "proxy_ssl_name $host;", "-connect 192.0.2.7:443 -noservername -CAfile /etc/nginx/ca.pem", printed("0 (ok)"),
         "TLS, certificate until 2027-11-04", false),
    ])
    func `a certificate is looked at as the proxy does`(
        settings: String, words: String, printed: String, told: String, isTroubled: Bool
    ) throws {
        let report = run("proxy_pass https://api.example; \(settings)", answers: ["192.0.2.7:443": ""], openssl: [words: printed])
        let test = try #require(report.upstreams.first)
        #expect(test.tls == told && test.isTroubled == isTroubled && test.health == nil, "\(test)\(report.gaps)")
        #expect(DoctorText.render(report).contains("  \(isTroubled ? "BAD " : "ok  ")  api.example:443 = 192.0.2.7:443"))
    }

    @Test func `who cannot be asked is said`() throws {
        let without = run("proxy_pass https://api.example;", answers: ["192.0.2.7:443": ""])
        #expect(without.gaps.contains("TLS of upstreams: openssl is not installed") && without.upstreams.first?.tls == nil)
        let silent = run(
            "proxy_pass https://api.example;", answers: ["192.0.2.7:443": ""], errors: ["openssl s_client " + Self.bare: 110])
        #expect(silent.upstreams.first?.tls == "no TLS handshake within 3 s" && silent.upstreams.first?.isTroubled == true)
        // Of a group nginx takes the group's name, which no certificate has, and does not check it.
        let group = run(
            "proxy_pass https://app;", http: "upstream app { server 192.0.2.7:443; server 192.0.2.8:443; }", answers: ["192.0.2.7:443": ""],
            openssl: ["-connect 192.0.2.7:443 -noservername": Self.printed("0 (ok)")])
        #expect(group.upstreams.map(\.tls) == ["TLS, certificate until 2027-11-04", nil])
        let servers = (1...20).map { "server 127.0.0.1:\(3_000 + $0);" }.joined()
        let many = run(
            "proxy_pass http://app; health_check;", http: "upstream app { \(servers) }",
            answers: Dictionary(uniqueKeysWithValues: (1...20).map { ("127.0.0.1:\(3_000 + $0)", "HTTP/1.1 200 OK\r\n") }))
        #expect(many.upstreams.count == 20 && many.upstreams.filter { $0.health != nil }.count == 16)
        #expect(many.gaps.contains("more than 16 servers with a health URI: the others were not asked"))
    }
}
