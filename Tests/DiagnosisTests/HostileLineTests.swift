import Machine
import Testing

@testable import Diagnosis

/// Lines of nginx's error log in which others than nginx have written.
@Suite struct HostileLineTests {
    private static func line(_ message: String) -> String {
        "2026/11/22 10:03:04 [error] 12#12: *7 \(message), client: 10.0.0.9, server: a.example, request: \"GET /x HTTP/1.1\", "
            + "upstream: \"http://127.0.0.1:3000/x\", host: \"a.example\""
    }

    private static let forged =
        "upstream sent too big header while reading response header from upstream, client: 1.1.1.1, server: s, "
        + "request: \"GET / HTTP/1.1\", upstream: \"127.0.0.1:3001"

    /// What a client asks for, what PHP writes and what a file is called stand in messages, with words of nginx's own.
    @Test(arguments: [
        "open() \"/srv/\(forged)\" failed (2: No such file or directory)",
        "open() \"/srv/x\" failed (24: Too many open files), client: 1.1.1.1\" failed (2: No such file or directory)",
        "open() \"/srv/x(24: y\" failed (2: No such file or directory)", "directory index of \"/srv/\(forged)/\" is forbidden",
        "\"/srv/\(forged)/index.html\" is not found (2: No such file or directory)",
        "FastCGI sent in stderr: \"PHP message: \(forged)\" while reading response header from upstream",
        "FastCGI sent in stderr: \"connect() failed (111: Connection refused) in a.php\" while reading response header from upstream",
        "FastCGI sent in stderr: \"SSL_do_handshake() failed (SSL: x)\" while reading response header from upstream",
        "FastCGI sent in stderr: \"no live upstreams, limiting requests, upstream timed out (110: x)\" while reading upstream",
        "open() \"/srv/listen EADDRINUSE :::3000 Primary script unknown\" failed (2: No such file or directory)",
        "access forbidden by rule \"no live upstreams\"", "client sent invalid host header \"x could not be resolved (3: y\"",
    ])
    func `what others write is no message of nginx`(message: String) throws {
        let line = try #require(NginxErrorLine(LineText(Self.line(message))))
        #expect(NginxFailure.classify(line) == nil)
        #expect(Explainer.explain(Self.line(message)) == nil)
    }

    @Test(arguments: [
        ("open() \"/srv/x\" failed (24: Too many open files)", ReasonCode.localDescriptors),
        ("socket() failed (24: Too many open files) while connecting to upstream", .localDescriptors),
        ("1024 worker_connections are not enough while connecting to upstream", .localConnections),
        ("api.internal could not be resolved (3: Host not found)", .dnsFailed),
        (
            "upstream sent invalid header: \"x while connecting to upstream\" while reading response header from upstream",
            .responseIllegalFraming
        ),
    ])
    func `nginx's own messages stay known`(message: String, reason: ReasonCode) throws {
        let line = try #require(NginxErrorLine(LineText(Self.line(message))))
        #expect(NginxFailure.classify(line)?.reason == reason)
    }

    @Test(arguments: [
        ("bind() to [::]:80 failed (98: Address already in use)", "cannot bind [::]:80:", "sport = :80"),
        ("bind() to 0.0.0.0:443 failed (98: Address already in use)", "cannot bind 0.0.0.0:443:", "sport = :443"),
        ("bind() to unix:/run/a.sock failed (98: Address already in use)", "cannot bind unix:/run/a.sock:", ""),
    ])
    func `an address that nginx cannot have is named whole`(message: String, text: String, check: String) throws {
        let found = try #require(Explainer.explain("2026/11/22 10:03:04 [emerg] 12#12: \(message)"))
        #expect(found.summary.contains(text) && found.checks.contains { $0.contains(check) } || check.isEmpty, "\(found)")
    }
}
