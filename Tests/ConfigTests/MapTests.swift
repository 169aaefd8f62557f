import Testing

@testable import Config

@Suite("map, geo, split_clients and charset_map")
struct MapTests {
    private func http(_ text: String, files: [String: String] = [:]) throws -> (Configuration, HTTPSettings) {
        let outcome = parse("events { }\nhttp {\n\(text)\n}", files: files)
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        return (configuration, try #require(configuration.http))
    }

    @Test("a map has exact keys without case, expressions in order, a default, and includes")
    func map() throws {
        let (configuration, http) = try http(
            """
            map $uri-$args $x { volatile; default d; A 1; \\~b "2 $host"; ~^c$ 3; ~*^d 4; include m.conf; "" empty; }
            """, files: ["/etc/nginx/m.conf": "e 5;\n"])
        let map = http.maps[0]
        #expect(configuration.text(map.source) == "$uri-$args")
        #expect(map.exact[bytes("a")]?.constant == bytes("1"))
        #expect(configuration.text(map.exact[bytes("~b")]) == "2 $host")
        #expect(map.exact[bytes("e")]?.constant == bytes("5"))
        #expect(map.exact[[]]?.constant == bytes("empty"))
        #expect(map.defaultValue.constant == bytes("d"))
        #expect(map.patterns.map { configuration[$0.pattern].caseless } == [false, true])
        #expect(map.isVolatile)
        #expect(configuration[map.variable].isVolatile)
        #expect(configuration[map.variable].kind == .map(0))
    }

    @Test("a map of host names knows wildcards")
    func hostnames() throws {
        let (_, http) = try http("map $host $x { hostnames; .a.b 1; *.c 2; d.* 3; e 4; }")
        let keys = http.maps[0].keys
        let answers = ["a.b", "x.a.b", "x.c", "d.x", "e", "c", "f"].map { keys.find(bytes($0))?.constant.map(string) }
        #expect(answers == ["1", "1", "2", "3", "4", nil, nil])
    }

    @Test("a second map of one variable replaces the first")
    func twice() throws {
        let (configuration, http) = try http("map $uri $x { default 1; } map $uri $x { default 2; }")
        #expect(configuration[http.maps[1].variable].kind == .map(1))
    }

    @Test(
        "geo finds the longest network",
        arguments: [
            ("10.1.2.3", "c"), ("10.1.9.9", "b"), ("10.9.9.9", "a"), ("11.0.0.1", "d"), ("2001:db8::1", "six"),
            ("2001:db9::1", "d"), ("::ffff:10.1.2.3", "c"), ("unix:/a", "none"),
        ])
    func geoNetworks(address: String, value: String) throws {
        let (_, http) = try http(
            "geo $x { default d; 10.0.0.0/8 a; 10.1.0.0/16 b; 10.1.2.0/24 c; 2001:db8::/32 six; 255.255.255.255 none; "
                + "12.0.0.0/8 gone; delete 12.0.0.0/8; }")
        let geo = http.geos[0]
        let index = geo.valueIndex(for: NetworkAddress(withOptionalPort: bytes(address)))
        #expect(string(geo.values[index]) == value)
    }

    @Test(
        "geo with ranges",
        arguments: [
            ("10.0.0.1", "a"), ("10.0.0.5", "b"), ("10.0.0.6", "b"), ("10.0.0.7", "a"), ("10.3.0.0", "wide"),
            ("9.255.255.255", "d"), ("::1", "d"), ("11.0.0.3", "d"), ("10.0.0.255", "a"), ("10.0.1.0", "d"),
        ])
    func geoRanges(address: String, value: String) throws {
        let (_, http) = try http(
            "geo $x { ranges; default d; 10.0.0.0-10.0.0.255 a; 10.0.0.5-10.0.0.6 b; 10.2.0.0-10.4.255.255 wide; "
                + "11.0.0.1-11.0.0.9 gone; delete 11.0.0.1-11.0.0.9; }")
        let geo = http.geos[0]
        let index = geo.valueIndex(for: NetworkAddress(withOptionalPort: bytes(address)))
        #expect(string(geo.values[index]) == value)
    }

    @Test("ranges that touch and have one value are one")
    func mergedRanges() throws {
        let (_, http) = try http("geo $x { ranges; 10.2.0.0-10.4.255.255 a; 10.5.0.0-10.5.0.9 a; 10.5.0.10-10.5.0.11 b; }")
        #expect(http.geos[0].ranges.map(\.low) == [0x0A02_0000, 0x0A05_000A])
    }

    @Test("geo of another address, with proxies")
    func geoSource() throws {
        let (configuration, http) = try http("geo $arg_ip $x { proxy 10.0.0.0/8; proxy_recursive; 1.2.3.4 a; }")
        let geo = http.geos[0]
        #expect(geo.source.map { configuration[$0].name } == "arg_ip")
        #expect(geo.proxies.count == 1)
        #expect(geo.isProxyRecursive)
        #expect(geo.valueIndex(for: nil) == 0)
    }

    @Test(
        "geo warns as nginx does",
        arguments: [
            ("1.2.3.4 a; 1.2.3.4 b;", "duplicate network \"1.2.3.4\", value: \"b\", old value: \"a\""),
            ("delete 1.2.3.4;", "no network \"1.2.3.4\" to delete"),
            ("10.1.0.0/8 a;", "low address bits of 10.1.0.0/8 are meaningless"),
            ("ranges; 1.0.0.1-1.0.0.2 a; 1.0.0.1-1.0.0.2 b;", "duplicate range \"1.0.0.1-1.0.0.2\", value: \"b\", old value: \"a\""),
            ("ranges; delete 1.0.0.1-1.0.0.2;", "no address range \"1.0.0.1-1.0.0.2\" to delete"),
        ])
    func geoWarnings(text: String, warning: String) {
        #expect(parse(Wrapping.http.around("geo $x { \(text) }")).warnings == ["3 \(warning)"])
    }

    @Test("split_clients adds up its shares")
    func splitClients() throws {
        let (configuration, http) = try http("split_clients \"a${uri}\" $x { 0.5% a; 25.25% b; * c; }")
        let parts = http.splitClients[0].parts
        #expect(parts.map(\.upperBound) == [21_474_836, 21_474_836 + 1_084_479_241, nil])
        #expect(parts.map { configuration.text($0.value) } == ["a", "b", "c"])
        let (_, whole) = try self.http("split_clients $uri $x { 50% a; 50% b; }")
        #expect(whole.splitClients[0].parts.map { $0.upperBound == nil } == [false, true])
    }

    @Test("charset_map, to one byte and to UTF-8")
    func charsetMap() throws {
        let (_, http) = try http(
            "charset_map koi8-r windows-1251 { C0 FE; }\ncharset_map koi8-r utf-8 { C0 D18E; }\n"
                + "server { charset windows-1251; source_charset koi8-r; }")
        #expect(http.charsetMaps[0].toTarget[0xC0] == [0xFE])
        #expect(http.charsetMaps[0].toSource[[0xFE]] == 0xC0)
        #expect(http.charsetMaps[1].toTarget[0xC0] == [0xD1, 0x8E])
        #expect(http.charsetMaps[1].toTarget[0x41] == [0x41])
        #expect(
            parse("events { }\nhttp {\nserver { charset a; source_charset b; }\n}").errors
                == ["3 no \"charset_map\" between the charsets \"b\" and \"a\""])
    }
}
