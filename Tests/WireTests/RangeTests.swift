import Testing
import Wire

@Suite struct RangeTests {
    private func parse(_ value: String, size: UInt64, max: Int = ByteRangeSet.unlimited) -> (
        ByteRangeSet.Outcome, [Range<UInt64>]
    ) {
        var set = ByteRangeSet()
        let outcome = set.parse(bytes(value), size: size, maxRanges: max)
        return (outcome, set.ranges)
    }

    @Test(
        arguments: [
            ("bytes=0-8", [0..<9]), ("bytes=0-0", [0..<1]), ("bytes=5-", [5..<100]), ("bytes=-10", [90..<100]),
            ("bytes=-200", [0..<100]),
            ("Bytes= 1 - 2 ", [1..<3]), ("bytes=50-1000", [50..<100]), ("bytes=0-1,3-4,-1", [0..<2, 3..<5, 99..<100]),
            ("bytes=200-,0-1", [0..<2]), ("bytes=5-2,0-1", [0..<2]), ("bytes=0-9223372036854775807", [0..<100]),
        ] as [(String, [Range<UInt64>])])
    func `satisfiable ranges`(value: String, ranges: [Range<UInt64>]) {
        let (outcome, found) = parse(value, size: 100)
        #expect(outcome == .partial)
        #expect(found == ranges)
    }

    @Test(
        arguments: [
            ("bytes=100-", 100, .notSatisfiable), ("bytes=5-2", 100, .notSatisfiable),
            ("bytes=-0", 100, .notSatisfiable),
            ("bytes=a", 100, .notSatisfiable), ("bytes=0-1,", 100, .notSatisfiable), ("bytes=1", 100, .notSatisfiable),
            ("bytes=0-1;", 100, .notSatisfiable), ("bytes=--1", 100, .notSatisfiable),
            ("bytes=0-18446744073709551616", 100, .notSatisfiable),
            ("bytes=9223372036854775808-", 100, .notSatisfiable), ("bytes=0-", 0, .ignore), ("bytes=-5", 0, .ignore),
            ("chars=0-1", 100, .ignore), ("bytes", 100, .ignore), ("bytes=", 100, .ignore), ("", 100, .ignore),
            ("bytes=0-99,0-99", 100, .ignore), ("bytes=0-0,0-0", 100, .partial),
        ] as [(String, UInt64, ByteRangeSet.Outcome)])
    func `other ranges`(value: String, size: UInt64, outcome: ByteRangeSet.Outcome) {
        #expect(parse(value, size: size).0 == outcome)
    }

    @Test func `the number of ranges is limited`() {
        #expect(parse("bytes=0-0", size: 9, max: 0).0 == .ignore)
        #expect(parse("bytes=0-0", size: 9, max: 1).0 == .partial)
        #expect(parse("bytes=0-0,1-1", size: 9, max: 1).0 == .ignore)
        let many = "bytes=" + (0..<40).map { "\($0)-\($0)" }.joined(separator: ",")
        #expect(parse(many, size: 100).0 == .ignore, "40 lines of multipart are more than the whole")
        #expect(parse(many, size: 100, max: 100).0 == .partial)
    }

    @Test(arguments: [
        ("\"a\"", "\"a\"", true, true), ("\"b\", \"a\"", "\"a\"", true, true), ("*", "\"a\"", true, true),
        ("W/\"a\"", "\"a\"", true, false),
        ("\"a\"", "W/\"a\"", true, false), ("W/\"a\"", "W/\"a\"", true, true), ("\"b\"", "\"a\"", false, false),
        ("", "\"a\"", false, false),
        ("\"x,\"a\"\"", "\"a\"", false, false), ("\"x,y\" ,\t\"a\"\t,\"c\"", "\"a\"", true, true),
        ("\"a", "\"a\"", false, false),
    ])
    func `entity tags are compared weakly and strongly`(list: String, tag: String, weak: Bool, strong: Bool) {
        #expect(EntityTagList.matches(bytes(list), tag: bytes(tag), weak: true) == weak)
        #expect(EntityTagList.matches(bytes(list), tag: bytes(tag), weak: false) == strong)
    }

    @Test func `without a tag only the star matches`() {
        #expect(EntityTagList.matches("*", tag: nil, weak: false))
        #expect(!EntityTagList.matches("\"a\"", tag: nil, weak: true))
    }
}
