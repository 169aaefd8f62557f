import Testing
import Wire

@Suite struct ListingTests {
    @Test func `times of directory listings`() {
        #expect(written { HTTPDate.writeListingTime(1_600_000_000, offsetSeconds: 0, into: &$0) } == "13-Sep-2020 12:26")
        #expect(written { HTTPDate.writeListingTime(1_600_000_000, offsetSeconds: -46_800, into: &$0) } == "12-Sep-2020 23:26")
        #expect(written { HTTPDate.writeUTC(1_600_000_000, into: &$0) } == "2020-09-13T12:26:40Z")
        #expect(written(capacity: 16) { HTTPDate.writeListingTime(0, offsetSeconds: 0, into: &$0) } == nil)
        #expect(written(capacity: 19) { HTTPDate.writeUTC(0, into: &$0) } == nil)
        #expect(written { HTTPDate.writeListingTime(.max, offsetSeconds: .max, into: &$0) } != nil)
    }

    @Test(
        arguments: [("", 0, ""), ("abc", 3, "ab"), ("дом", 3, "до"), ("a€😀", 3, "a€")] as [(String, Int, String)])
    func `characters are counted and cut whole`(text: String, count: Int, prefix: String) {
        #expect(UTF8Text.characterCount(bytes(text)) == count)
        #expect(UTF8Text.prefix(2, of: bytes(text)).string == prefix)
        #expect(UTF8Text.prefix(9, of: bytes(text)).string == text)
    }

    @Test(arguments: [[0x80], [0xc3], [0xe2, 0x82], [0xff, 0x41], [0xc3, 0x41], [0xf8, 0x80, 0x80, 0x80, 0x80]] as [[UInt8]])
    func `bytes that are not UTF-8 are not counted`(broken: [UInt8]) {
        let text = ByteView.immortal([0x41] + broken)
        #expect(UTF8Text.characterCount(text) == nil)
        #expect(UTF8Text.prefix(9, of: text).string == "A")
    }
}
