import Testing
import Wire

@Suite struct DNSTests {
    private static let head: [UInt8] = [0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
    private static let question: [UInt8] = [1, 0x61, 3, 0x6e, 0x65, 0x74, 0, 0, 1, 0, 1]

    private func records(_ rest: [UInt8], count: UInt8 = 1) -> [DNSRecord]? {
        var bytes = Self.head
        bytes[7] = count
        return Property.withView(bytes + Self.question + rest) { view in
            DNSMessage(head: view)?.records(view)?.answers
        }
    }

    @Test(arguments: [
        ("a.example.net", "a.example.net"), ("A.Example.NET.", "a.example.net"), ("localhost", "localhost"),
        (String(repeating: "x", count: 63) + ".y", String(repeating: "x", count: 63) + ".y"),
        ("_http._tcp.example", "_http._tcp.example"),
    ])
    func `host names become labels in lower case`(text: String, read: String) {
        #expect(DNSName(host: text.utf8)?.text == read)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a.b..", String(repeating: "x", count: 64),
        (0..<64).map { _ in "abc" }.joined(separator: "."),
    ])
    func `what has no labels is no name`(text: String) {
        #expect(DNSName(host: text.utf8) == nil)
    }

    @Test func `the longest name is taken`() {
        let text =
            (0..<3).map { _ in String(repeating: "a", count: 63) }.joined(separator: ".") + "."
            + String(repeating: "b", count: 61)
        #expect(DNSName(host: text.utf8)?.bytes.count == 255)
        #expect(DNSName(host: (text + "b").utf8) == nil)
    }

    @Test func `a query is what servers expect`() throws {
        let name = try #require(DNSName(host: "a.net".utf8))
        let bytes = DNSMessage.query(id: 0x1234, DNSMessage.Question(name: name, type: .aaaa))
        #expect(bytes == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 3, 0x6e, 0x65, 0x74, 0, 0, 28, 0, 1])
    }

    @Test func `an answer with a compressed owner`() {
        let found = records([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1])
        #expect(found?.map(\.owner.text) == ["a.net"])
        #expect(found?.map(\.timeToLive) == [60])
        #expect(found?.map(\.data) == [.ipv4(0x7f00_0001)])
    }

    @Test func `a time to live with its highest bit set is none`() {
        #expect(records([0xc0, 12, 0, 1, 0, 1, 0x80, 0, 0, 60, 0, 4, 1, 2, 3, 4])?.first?.timeToLive == 0)
    }

    @Test(
        arguments: [
            ("a pointer to itself", [0xc0, 23]), ("a pointer ahead", [0xc0, 40]),
            ("a label beyond the end", [63, 1, 2]),
            ("an unknown kind of label", [0x80, 1]), ("a cut pointer", [0xc0]),
        ] as [(String, [UInt8])])
    func `names that do not end are refused`(what: String, name: [UInt8]) {
        #expect(records(name + [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]) == nil, "\(what)")
    }

    @Test func `two names that point to each other are refused`() {
        // 23: a pointer to 25, 25: a pointer to 23.
        #expect(records([0xc0, 25, 0xc0, 23, 0, 1, 0, 1]) == nil)
        // A long chain of pointers, each to the one before.
        var chain: [UInt8] = [1, 0x62, 0]
        for index in 0..<40 { chain += [0xc0, UInt8(index == 0 ? 34 : 37 + 2 * (index - 1))] }
        let padding: [UInt8] = [0, 0, 16, 0, 1, 0, 0, 0, 0, 0, UInt8(chain.count)]
        let last: [UInt8] = [0xc0, UInt8(37 + 2 * 39), 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 1, 1, 1]
        #expect(records(padding + chain + last, count: 2) == nil)
    }

    @Test(
        arguments: [
            ("an address too short", [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 127, 0, 0]),
            ("data beyond the end", [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0]),
            ("a cut record", [0xc0, 12, 0, 1, 0]), ("no record", []),
            ("an alias longer than its data", [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 1, 0x62, 0]),
        ] as [(String, [UInt8])])
    func `records that are cut or of wrong length are refused`(what: String, rest: [UInt8]) {
        #expect(records(rest) == nil, "\(what)")
    }

    @Test func `heads that are no plain answer are refused`() {
        for (offset, byte) in [(2, 0xa9), (5, 2)] as [(Int, UInt8)] {
            var bytes = Self.head + Self.question
            bytes[offset] = byte
            #expect(Property.withView(bytes) { DNSMessage(head: $0) == nil })
        }
        #expect(Property.withView([0, 1, 2]) { DNSMessage(head: $0) == nil })
    }
}
