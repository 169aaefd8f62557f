import Testing

@testable import Config

@Suite("Numbers, sizes, times and addresses are read as nginx reads them")
struct ValueParsingTests {
    @Test(
        "times in milliseconds",
        arguments: [
            ("0", 0), ("1", 1_000), ("90", 90_000), ("500ms", 500), ("1s", 1_000), ("1m", 60_000), ("1h", 3_600_000),
            ("1d", 86_400_000), ("1w", 604_800_000), ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("1m 30", 90_000),
            ("1s 5ms", 1_005), ("1h30", 3_630_000), ("1M", nil), ("1y", nil), ("", nil), ("x", nil), ("1x", nil),
            ("30m1h", nil), ("1s1s", nil), ("-1", nil), ("1.5s", nil), ("99999999999999999999", nil),
            ("9223372036854775807", nil), (" 1", 1_000), ("1 ", 1_000),
        ] as [(String, Int?)])
    func milliseconds(text: String, expected: Int?) { #expect(ValueParsing.milliseconds(text.utf8) == expected) }

    @Test(
        "times in seconds",
        arguments: [
            ("1y", 31_536_000), ("1M", 2_592_000), ("1y1M", 34_128_000), ("30d", 2_592_000), ("5", 5), ("5ms", nil),
            ("1d12h", 129_600), ("9223372036854775807", 9_223_372_036_854_775_807), ("9223372036854775808", nil),
        ] as [(String, Int?)])
    func seconds(text: String, expected: Int?) { #expect(ValueParsing.seconds(text.utf8) == expected) }

    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("1024", 1_024), ("8k", 8_192), ("8K", 8_192), ("1m", 1_048_576), ("1M", 1_048_576), ("1g", nil),
            ("k", nil), ("", nil), ("1kk", nil), ("-1", nil), ("9007199254740992k", nil),
        ] as [(String, Int?)])
    func sizes(text: String, expected: Int?) { #expect(ValueParsing.size(text.utf8) == expected) }

    @Test("gigabytes only where an offset is meant")
    func gigabytes() {
        #expect(ValueParsing.size("2g".utf8, allowsGiga: true) == 2 << 30)
        #expect(parse(Wrapping.http.around("client_max_body_size 2g;")).errors == [])
        #expect(parse(Wrapping.http.around("proxy_buffer_size 2g;")).errors.count == 1)
    }

    @Test(
        "IPv4 addresses",
        arguments: [
            ("127.0.0.1", 0x7F00_0001), ("255.255.255.255", 0xFFFF_FFFF), ("0.0.0.0", 0), ("1.2.3", nil),
            ("1.2.3.4.5", nil), ("256.1.1.1", nil), ("1..2.3", nil), ("", nil), ("a.b.c.d", nil), ("1.2.3.", nil),
            ("01.2.3.4", 0x0102_0304), ("1.2.3.4 ", nil), ("4294967297.1.1.1", nil),
        ] as [(String, UInt32?)])
    func ipv4(text: String, expected: UInt32?) { #expect(NetworkAddress.parseIPv4(text.utf8) == expected) }

    @Test(
        "IPv6 addresses, in and out",
        arguments: [
            ("::", "[::]"), ("::1", "[::1]"), ("1::", "[1::]"), ("2001:DB8::1", "[2001:db8::1]"),
            ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]"), ("::ffff:1.2.3.4", "[::ffff:102:304]"),
            ("1:0:0:2:0:0:0:3", "[1:0:0:2::3]"), ("1:2:3:4:5:6:7", nil), ("1:2:3:4:5:6:7:8:9", nil), (":::", nil),
            ("1::2::3", nil), ("12345::", nil), ("g::", nil), (":1", nil), ("1:", nil), ("", nil), ("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"),
            ("::1.2.3", nil), ("1.2.3.4::", nil), ("1:2:3:4:5:6:7:1.2.3.4", nil),
        ] as [(String, String?)])
    func ipv6(text: String, expected: String?) {
        let parsed = NetworkAddress.parseIPv6(text.utf8)
        #expect(parsed.map { NetworkAddress.ipv6(high: $0.high, low: $0.low, port: 1).host } == expected)
    }

    @Test(
        "networks and what they hold",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("0.0.0.0/0", "9.9.9.9", true),
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("2001:db8::/32", "2001:db8:1::", true), ("2001:db8::/32", "2001:db9::", false), ("::/0", "::1", true),
            ("2001:db8::/96", "2001:db8::1:0", true), ("2001:db8::/96", "2001:db8::1:0:0", false),
            ("::/0", "1.2.3.4", false),
        ])
    func networks(network: String, address: String, expected: Bool) throws {
        let (range, _) = try #require(AddressRange.parse(network.utf8))
        let value = try #require(NetworkAddress(withOptionalPort: bytes(address)))
        #expect(range.contains(value) == expected)
    }

    @Test("bits beyond the mask are told", arguments: [("10.1.0.0/8", true), ("10.0.0.0/8", false), ("::1/64", true)])
    func lowBits(network: String, expected: Bool) throws {
        #expect(try #require(AddressRange.parse(network.utf8)).hasLowBits == expected)
    }

    @Test("what is no network", arguments: ["10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/", "/8", ""])
    func badNetworks(text: String) { #expect(AddressRange.parse(text.utf8) == nil) }

    @Test(
        "hosts and ports",
        arguments: [
            ("a.example:8080", "a.example", 8_080), ("a.example", "a.example", 80), ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:81", "[::1]", 81), ("[::1]", "[::1]", 80), ("unix:/a:b", "/a:b", 0), ("UNIX:/a", "/a", 0),
        ] as [(String, String, UInt16)])
    func hostPort(text: String, host: String, port: UInt16) throws {
        let parsed = try HostPort(bytes(text), HostPort.Rules())
        #expect(string(parsed.host) == host)
        #expect(parsed.port == port)
    }

    @Test("a Unix-domain path has a limit of 107 bytes")
    func unixPath() {
        let path = String(repeating: "a", count: 107)
        #expect(throws: Never.self) { try HostPort(bytes("unix:" + path), HostPort.Rules()) }
        #expect(throws: HostPort.Failure.self) { try HostPort(bytes("unix:" + path + "a"), HostPort.Rules()) }
    }
}
