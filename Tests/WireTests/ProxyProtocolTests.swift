import TestKit
import Testing
import Wire

@Suite struct ProxyProtocolTests {
    /// Parses in one piece, and checks that each prefix asks for more or gives the same answer.
    private func parse(_ input: [UInt8]) -> ProxyProtocol.Outcome {
        let whole = ProxyProtocol.parse(bytes(input))
        for count in 0..<input.count {
            let part = ProxyProtocol.parse(bytes(Array(input.prefix(count))))
            if part != .needMore && part != whole { Issue.record("prefix of \(count) bytes: \(part)") }
        }
        return whole
    }

    private func header(_ input: [UInt8]) -> ProxyProtocolHeader? {
        if case .complete(let header) = parse(input) { return header }
        return nil
    }

    private let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    @Test func `version 1 gives addresses and their text`() {
        let text = "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\nGET /"
        let found = header(Array(text.utf8))
        #expect(found?.length == 41)
        #expect(found?.source == IPAddress(low: 0xc000_0201, port: 123, isIPv6: false))
        #expect(found?.destination?.port == 5678)
        #expect(found?.sourceText.string(text) == "192.0.2.1")
        #expect(found?.destinationText.string(text) == "192.0.2.2")
        let newer = header(Array("PROXY TCP6 2001:DB8::1 ::ffff:1.2.3.4 1 65535\r\n".utf8))
        #expect(newer?.source == IPAddress(high: 0x2001_0db8_0000_0000, low: 1, port: 1, isIPv6: true))
        #expect(newer?.destination == IPAddress(low: 0xffff_0102_0304, port: 65535, isIPv6: true))
        #expect(header(Array("PROXY UNKNOWN\r\n".utf8)) == ProxyProtocolHeader(length: 15))
        #expect(header(Array("PROXY UNKNOWN ::1 ::1 1 2\r\n".utf8))?.source == nil)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4\r\n", "PROXY \r\n",
        "proxy TCP4",
        "PROXY TCP4 1.2.3.4 1.2.3.4 a 2\r\n", "PROXY TCP6 1::2::3 ::1 1 2\r\n", "PROXY TCP6 :1 ::1 1 2\r\n",
        "PROXY TCP6 1: ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
        "PROXY TCP6 12345:: ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::1 1 2\r\n", "PROXY TCP6 ::1.2.3.4:1 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4::5:6:7:8 ::1 1 2\r\n",
    ])
    func `faulty version 1 headers are refused`(text: String) {
        #expect(parse(Array(text.utf8)) == .failed)
    }

    @Test func `a version 1 header has a length limit`() {
        let long = Array("PROXY UNKNOWN \(String(repeating: "x", count: 91))\r\n".utf8)
        #expect(long.count == ProxyProtocol.maxV1Length)
        #expect(header(long)?.length == 107)
        #expect(parse(Array("PROXY UNKNOWN \(String(repeating: "x", count: 92))\r\n".utf8)) == .failed)
    }

    private func version2(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    @Test func `version 2 gives addresses and values`() {
        let tlvs: [UInt8] = [1, 0, 2, 104, 50, 0x20, 0, 11, 1, 0, 0, 1, 2, 0x21, 0, 3, 49, 46, 50, 0xae, 0, 1, 7]
        let input = version2(0x21, 0x11, [192, 0, 2, 1, 192, 0, 2, 2, 0, 123, 0x16, 0x2e] + tlvs) + [71]
        guard let found = header(input) else { Issue.record("refused"); return }
        let base = bytes(input)
        #expect(found.length == input.count - 1)
        #expect(found.source == IPAddress(low: 0xc000_0201, port: 123, isIPv6: false))
        #expect(found.destination == IPAddress(low: 0xc000_0202, port: 5678, isIPv6: false))
        #expect(found.sourceText.isEmpty)
        for (name, value) in [
            ("alpn", "h2"), ("ssl_version", "1.2"), ("ssl_0x21", "1.2"), ("0x000ae", "\u{7}"), ("0x1", "h2"), ("0xAE", "\u{7}"),
            ("0x01", "h2"),
        ] {
            #expect(ProxyProtocol.tlv(bytes(name), found, base)?.string == value)
            #expect(written { ProxyProtocol.writeTLV(bytes(name), found, base, into: &$0) } == value)
        }
        for name in ["authority", "ssl_cn", "0xag", "0x", "0x123", "", "ssl_", "nope"] {
            #expect(ProxyProtocol.tlv(bytes(name), found, base) == nil)
        }
        #expect(written { ProxyProtocol.writeTLV("ssl_verify", found, base, into: &$0) } == "258")
    }

    @Test func `version 2 over IPv6`() {
        let source: [UInt8] = [0x20, 1, 0x0d, 0xb8] + Array(repeating: 0, count: 11) + [1]
        let input = version2(0x21, 0x21, source + source.reversed() + [0, 1, 0, 2])
        #expect(header(input)?.source == IPAddress(high: 0x2001_0db8_0000_0000, low: 1, port: 1, isIPv6: true))
        #expect(header(input)?.tlvs.isEmpty == true)
    }

    @Test func `version 2 without addresses, broken, and too long`() {
        #expect(header(version2(0x20, 0x00, [])) == ProxyProtocolHeader(length: 16))
        #expect(header(version2(0x21, 0x31, Array(repeating: 1, count: 216)))?.source == nil)
        #expect(header(version2(0x21, 0x12, Array(repeating: 1, count: 12)))?.source == nil)
        #expect(parse(version2(0x21, 0x11, [1, 2, 3])) == .failed)
        #expect(parse(version2(0x11, 0x11, Array(repeating: 1, count: 12))) == .failed)
        #expect(parse(version2(0x21, 0x11, Array(repeating: 0, count: 4081))) == .failed)
        let broken = version2(0x21, 0x11, Array(repeating: 0, count: 12) + [1, 0, 9, 1])
        #expect(ProxyProtocol.tlv("alpn", header(broken)!, bytes(broken)) == nil)
    }

    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("1:2:3:4:5:6::", "1:2:3:4:5:6::"),
        ("FE80::ABCD", "fe80::abcd"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ])
    func `IPv6 addresses are read and written`(text: String, canonical: String) {
        guard let address = IPAddress.parseIPv6(bytes(text)) else { Issue.record("refused"); return }
        let value = IPAddress(high: address.high, low: address.low, port: 0, isIPv6: true)
        #expect(written { value.write(into: &$0) } == canonical)
    }

    @Test(arguments: 0..<300)
    func `random IPv6 addresses survive`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let groups = (0..<8).map { _ in Bool.random(using: &random) ? 0 : UInt64.random(in: 0...0xffff, using: &random)
        }
        let high = groups[0..<4].reduce(0) { $0 << 16 | $1 }
        let low = groups[4..<8].reduce(0) { $0 << 16 | $1 }
        let text = written { IPAddress(high: high, low: low, port: 0, isIPv6: true).write(into: &$0) } ?? ""
        let parsed = IPAddress.parseIPv6(bytes(text))
        #expect(parsed?.high == high && parsed?.low == low, "\(text)")
    }
}
