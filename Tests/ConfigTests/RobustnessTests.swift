import TestKit
import Testing

@testable import Config

@Suite("Nothing that stands in a file traps the parser")
struct RobustnessTests {
    /// One directive of each kind with its arguments, as raw material.
    private static let words: [String] =
        DirectiveTable.entries.map(\.name) + [
            "on", "off", "0", "1", "-1", "10k", "99999999999999999999", "5s", "5ms", "$uri", "$1", "${x", "$", "a", "/", "/a/",
            "~", "~*", "~^(", "~^(?<n>.)", "=", "^~", "@a", "zone=a:1m", "zone=a", "rate=1r/s", "http://a/", "http://$host",
            "http://[::1]:1/", "unix:/a", "unix:", "[::", "127.0.0.1:80", "1-2", "80", "*", ".a", "*.a", "a.*", "default", "ranges",
            "10.0.0.0/8", "::/0", "1.2.3.4-1.2.3.9", "50%", "include", "max=", "timeout=", "\"\"", "'a b'", "(", ")", "($uri",
            "-f", "!", "always", "resolve", "weight=0", "route=", "expires=", "=404", "combined", "syslog:server=a", "http_502",
        ]

    @Test("random statements and blocks", arguments: 0..<400)
    func randomText(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var text = ""
        let wrapping = Wrapping.allCases[seed % Wrapping.allCases.count]
        for _ in 0..<40 {
            for _ in 0...Int(random.next() % 5) {
                text += Self.words[Int(random.next() % UInt64(Self.words.count))] + " "
            }
            text += ["; ", "; ", "{ ", "} ", "{ } ", "\n"][Int(random.next() % 6)]
        }
        let outcome = parse(wrapping.around(text))
        #expect(outcome.configuration == nil || outcome.errors.isEmpty)
    }

    @Test("each directive with odd arguments in each context")
    func oddArguments() {
        var count = 0
        let arguments = ["", "\"\"", "$", "~", "a b c d e f", "(", "0", "unix:", "\"\" \"\""]
        for wrapping in Wrapping.allCases {
            var text = ""
            for name in Set(DirectiveTable.entries.map(\.name)).sorted() {
                for argument in arguments { text += "\(name) \(argument);\n\(name) \(argument) { a \"\"; \"\" \(argument); }\n" }
            }
            count += parse(wrapping.around(text)).errors.count
        }
        #expect(count > 5_000)
    }

    @Test("each directive with the largest numbers there are, by itself")
    func extremes() {
        let numbers = [
            "9223372036854775807", "9007199254740993 4k", "8 4611686018427387904", "4611686018427387904 4611686018427387904",
            "9007199254740991k", "292471208y", "106751991167d", "zone=a:9223372036854775807 rate=9223372036854775807r/s",
            "127.0.0.1 weight=9223372036854775807", "127.0.0.1:80 backlog=9223372036854775807",
        ]
        var accepted = 0
        for entry in DirectiveTable.entries {
            for wrapping in Wrapping.allCases where entry.contexts.contains(wrapping.context) {
                for number in numbers where entry.arguments.allows(number.split(separator: " ").count) {
                    accepted += parse(wrapping.around("\(entry.name) \(number);")).configuration == nil ? 0 : 1
                }
            }
        }
        #expect(accepted > 100)
    }

    @Test("cuts and damage of a real file", arguments: 0..<20)
    func damage(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let whole = bytes(SampleSiteTests.sites.map(\.text).joined(separator: "\n"))
        for _ in 0..<5 {
            var damaged = Array(whole[..<Int(random.next() % UInt64(whole.count))])
            for _ in 0..<4 where !damaged.isEmpty {
                let index = Int(random.next() % UInt64(damaged.count))
                damaged[index] = [0, 0x7B, 0x7D, 0x3B, 0x22, 0x24, 0xFF, 0x5C][Int(random.next() % 8)]
            }
            #expect(parse(String(decoding: damaged, as: UTF8.self)).bundle.files.count >= 1)
        }
    }

    @Test("bytes that are no UTF-8 are taken as they are")
    func notUTF8() throws {
        struct Source: ConfigurationSource {
            var facts = ConfigurationFacts()
            func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
                bytes("events { } http { server { return 200 \"") + [0xFF, 0x00, 0x80] + bytes("\"; } }")
            }
            func glob(pattern: String) -> [String] { [] }
        }
        let outcome = Configuration.parse(
            ConfigurationRequest(path: "/c", prefix: "/"), source: Source(), patterns: GroupCounter())
        guard case .return(let result)? = outcome.configuration?.server.rewrite.instructions.first else {
            Issue.record("no return")
            return
        }
        #expect(result.text?.constant == [0xFF, 0x00, 0x80])
    }

    @Test("a thousand servers and upstreams are read")
    func manyServers() throws {
        var text = "events { }\nhttp {\n"
        for index in 0..<1_000 {
            text += "upstream u\(index) { server 10.0.0.1:\(index + 1); }\n"
            text += "server { server_name s\(index); location / { proxy_pass http://u\(index); } location /a { return 204; } }\n"
        }
        let configuration = try #require(parse(text + "}\n").configuration)
        #expect(configuration.http?.servers.count == 1_000)
        #expect(configuration.http?.listeners.count == 1)
        #expect(configuration.http?.listeners[0].hosts.names.find(bytes("s999")) == 999)
        #expect(configuration.http?.locations.count == 3_001)
    }
}
