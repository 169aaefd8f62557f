import Machine
import Testing
import Wire

@Suite struct ValueTests {
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func sessionDigestsAreMD5(text: String, expected: String) {
        let digest = SessionDigest(of: bytes(text))
        func hex(_ word: UInt64) -> String {
            let text = String(word, radix: 16); return String(repeating: "0", count: 16 - text.count) + text
        }
        #expect(hex(digest.high) + hex(digest.low) == expected)
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
