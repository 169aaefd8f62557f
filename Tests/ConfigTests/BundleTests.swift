import TestKit
import Testing

@testable import Config

@Suite("A bundle gives the worker what the supervisor read")
struct BundleTests {
    private func outcome() -> Configuration.Outcome {
        var source = MemorySource([
            "/etc/nginx/conf.d/a.conf": "server { listen box:81; location / { proxy_pass http://box:82; } }",
            "/etc/nginx/conf.d/b.conf": "upstream u { server unix:/s; server [::1]; }",
        ])
        source.names["box"] = .addresses([.ipv4(0x0A00_0001, port: 0), .ipv6(high: .max, low: 7, port: 0)])
        source.facts.isRoot = false
        return parse(
            "events { }\nhttp { include conf.d/*.conf; include none/*; resolver box; server { listen 82; server_name $hostname; } }\n",
            source: source)
    }

    @Test("parsing the decoded bundle gives the same configuration")
    func roundTrip() throws {
        let first = outcome()
        #expect(first.errors == [])
        let decoded = try ConfigurationBundle(decoding: first.bundle.encode())
        #expect(decoded == first.bundle)
        let second = Configuration.parse(decoded, patterns: GroupCounter())
        #expect(second.diagnostics == first.diagnostics)
        #expect(second.bundle == first.bundle)
        var (left, right) = ("", "")
        dump(first.configuration, to: &left)
        dump(second.configuration, to: &right)
        // Dictionaries print in any order, so compare the lines.
        #expect(left.split(separator: "\n").sorted() == right.split(separator: "\n").sorted())
        #expect(second.configuration?.http?.upstreams.last?.servers[0].resolved.count == 2)
    }

    @Test("failures are part of it too")
    func failures() throws {
        let first = parse("events { }\ninclude gone.conf;\n")
        let second = Configuration.parse(
            try ConfigurationBundle(decoding: first.bundle.encode()), patterns: GroupCounter())
        #expect(second.errors == first.errors)
        #expect(second.errors.count == 1)
    }

    @Test("every cut of a bundle is refused, and so is every byte more")
    func truncated() {
        let whole = outcome().bundle.encode()
        for length in 0..<whole.count {
            #expect(throws: ConfigurationBundle.DecodingFailure.self) {
                try ConfigurationBundle(decoding: Array(whole[..<length]))
            }
        }
        #expect(throws: ConfigurationBundle.DecodingFailure.malformed) {
            try ConfigurationBundle(decoding: whole + [0])
        }
        #expect(throws: ConfigurationBundle.DecodingFailure.version(9)) {
            try ConfigurationBundle(decoding: [9] + whole.dropFirst())
        }
    }

    @Test("damaged bundles never trap")
    func damaged() {
        let whole = outcome().bundle.encode()
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<3 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            _ = try? ConfigurationBundle(decoding: bytes)
        }
    }
}
