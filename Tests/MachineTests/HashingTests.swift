import Machine
import Testing
import Wire

@Suite struct HashingTests {
    @Test(arguments: [
        ("", UInt32(0)), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
    ])
    func crc32HasTheKnownValues(text: String, expected: UInt32) {
        var crc = CRC32()
        crc.add(bytes(text))
        #expect(crc.value == expected)
    }

    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"),
    ])
    func md5HasTheValuesOfTheRFC(text: String, expected: String) {
        let (high, low) = MD5.digest(bytes(text))
        func hex(_ word: UInt64) -> String { let text = String(word, radix: 16); return String(repeating: "0", count: 16 - text.count) + text }
        #expect(hex(high) + hex(low) == expected)
        let (again, _) = MD5.digest(Array(text.utf8))
        #expect(again == high)
    }

    @Test func md5OfEveryLengthAroundABlockIsTheSameInOnePieceAndByBytes() {
        for length in 50...130 {
            let text = [UInt8](repeating: 0x61, count: length)
            #expect(MD5.digest(text) == MD5.digest(ByteView.immortal(text)))
        }
    }

    @Test func randomNumbersStayBelowTheirBoundAndReachIt() {
        var random = RandomSource(seed: 7)
        var seen = Set<UInt64>()
        for _ in 0..<1000 {
            let value = random.next(below: 10)
            #expect(value < 10)
            seen.insert(value)
        }
        #expect(seen.count == 10)
        #expect(random.next(below: 0) == 0)
    }
}
