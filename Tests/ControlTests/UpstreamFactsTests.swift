import Config
import Diagnosis
import Pattern
import Testing

@testable import Control

/// What verdicts say of the configuration is what stands there.
@Suite struct UpstreamFactsTests {
    private struct Source: ConfigurationSource {
        let text: String
        var facts: ConfigurationFacts { ConfigurationFacts() }
        func read(path: String) throws(ConfigurationReadError) -> [UInt8] { Array(text.utf8) }
        func glob(pattern: String) -> [String] { [] }
    }

    private func facts(_ http: String) throws -> [String: UpstreamFacts] {
        let outcome = Configuration.parse(
            ConfigurationRequest(path: "/c", prefix: "/"), source: Source(text: "events { }\nhttp {\n\(http)\n}\n"),
            patterns: PatternCompiler())
        let configuration = try #require(outcome.configuration, "\(outcome.diagnostics)")
        return Dictionary(UpstreamFacts.list(configuration).map { ($0.facts.name, $0.facts) }) { first, _ in first }
    }

    @Test func `what a proxy_pass names is called by host and port, and has its own place`() throws {
        let all = try facts(
            """
            server {
                location /a { proxy_pass http://127.0.0.1:3000/a/; proxy_buffer_size 8k; }
                location /b { proxy_pass http://127.0.0.1:3001; }
                location /c { proxy_pass http://127.0.0.1; }
                location /d { proxy_pass http://[::1]:3000; }
                location /e { proxy_pass http://unix:/run/s:/e; }
                location /f { proxy_pass http://127.0.0.1:3000; proxy_buffer_size 8k; }
            }
            """)
        let expected = [
            "127.0.0.1:3000": ("/c:4", "127.0.0.1:3000", 8_192), "127.0.0.1:3001": ("/c:5", "127.0.0.1:3001", 4_096),
            "127.0.0.1:80": ("/c:6", "127.0.0.1", 4_096), "[::1]:3000": ("/c:7", "[::1]:3000", 4_096),
            "unix:/run/s": ("/c:8", "unix:/run/s", 4_096),
        ]
        #expect(Set(all.keys) == Set(expected.keys))
        for (name, (place, written, size)) in expected {
            let one = try #require(all[name])
            #expect(one.place == place && one.written == written && one.bufferSize == size && one.isImplicit, "\(one)")
            #expect(one.servers.map(\.address.text) == [name])
        }
    }

    @Test func `numbers are those of the locations that pass there, and missing where these differ`() throws {
        let all = try facts(
            """
            upstream one { server 127.0.0.1:3000 max_fails=3; server 127.0.0.1 backup; server 127.0.0.2:1 down; server unix:/run/s; }
            upstream two { server 127.0.0.1:3001; }
            server {
                proxy_read_timeout 5s;
                location /a { proxy_pass http://one; proxy_buffer_size 8k; proxy_connect_timeout 1500ms; }
                location /b { proxy_pass http://one; proxy_buffer_size 8k; proxy_connect_timeout 1500ms; }
                location /c { proxy_pass http://two; }
                location /d { proxy_pass http://two; proxy_read_timeout 7s; }
            }
            """)
        let one = try #require(all["one"]), two = try #require(all["two"])
        #expect(one.readTimeout == 5 && one.connectTimeout == 2 && one.bufferSize == 8_192)
        #expect(one.servers.map(\.maxFails) == [3, 1, 1, 1])
        #expect(one.servers.map(\.isBackup) == [false, true, false, false] && one.servers.map(\.isDown) == [false, false, true, false])
        #expect(one.servers.map(\.address.text) == ["127.0.0.1:3000", "127.0.0.1:80", "127.0.0.2:1", "unix:/run/s"])
        #expect(two.readTimeout == nil && two.connectTimeout == 60 && two.bufferSize == 4_096)
    }
}
