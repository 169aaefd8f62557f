import Testing
import Wire

@Suite struct SmallPartsTests {
    @Test func `the writer never writes beyond its region`() {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
        defer { unsafe region.deallocate() }
        var writer = unsafe ByteWriter(region)
        #expect(writer.append("abc") && writer.append(byte: 0x64) && writer.remaining == 4)
        #expect(!writer.append("12345") && writer.isOverflown && writer.written == "abcd")
        #expect(writer.append("1234") && !writer.append(byte: 0) && !writer.appendCRLF())
        #expect(!writer.append(decimal: 1) && !writer.append(hex: 1) && !writer.append(lowercased: "A"))
        #expect(writer.append("") && writer.isOverflown)
        writer.truncate(to: 2)
        #expect(writer.written == "ab" && !writer.isOverflown)
        #expect(!writer.append(secondsFromMilliseconds: 123_456) && !writer.append(signed: -1_234_567))
        #expect(writer.written == "ab", "what did not fit left nothing behind")
        writer.removeAll()
        #expect(writer.append("a: bcd") && writer.appendCRLF() && writer.written == "a: bcd\r\n")
        #expect(writer.written(from: 3) == "bcd\r\n")
        var empty = unsafe ByteWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        #expect(!empty.append(byte: 1) && empty.append("") && empty.written.isEmpty)
    }

    @Test(
        arguments: [
            (0, "0", "0"), (9, "9", "9"), (10, "10", "a"), (4096, "4096", "1000"),
            (UInt64.max, "18446744073709551615", "ffffffffffffffff"),
        ] as [(UInt64, String, String)])
    func `numbers are written`(value: UInt64, decimal: String, hex: String) {
        #expect(written { $0.append(decimal: value) } == decimal)
        #expect(written { $0.append(hex: value) } == hex)
    }

    @Test func `numbers with a width, a sign, a fraction`() {
        #expect(written { $0.append(decimal: 7, width: 3) } == "007")
        #expect(written { $0.append(decimal: 1234, width: 3) } == "1234")
        #expect(written { $0.append(hex: 0xab, width: 4) } == "00ab")
        #expect(written { $0.append(signed: .min) } == "-9223372036854775808")
        #expect(written { $0.append(signed: 5) } == "5")
        #expect(written { $0.append(secondsFromMilliseconds: 42) } == "0.042")
        #expect(written { $0.append(secondsFromMilliseconds: 61_005) } == "61.005")
        #expect(written { $0.append(hexBytes: "\u{0}Az") } == "00417a")
        #expect(written { $0.append(lowercased: "AbZ[@") } == "abz[@")
    }

    @Test(arguments: [
        ("plain text", "plain text", "plain text"), ("a\"b\\c", "a\\x22b\\x5Cc", "a\\\"b\\\\c"),
        ("\u{0}\u{1f}\u{7f}\n", "\\x00\\x1F\\x7F\\x0A", "\\u0000\\u001F\u{7f}\\n"),
        ("\u{e9}", "\\xC3\\xA9", "\u{e9}"), ("", "", ""),
    ])
    func `log values are escaped`(plain: String, escaped: String, json: String) {
        #expect(written { LogEscape.default.write(bytes(plain), into: &$0) } == escaped)
        #expect(written { LogEscape.json.write(bytes(plain), into: &$0) } == json)
        #expect(written { LogEscape.none.write(bytes(plain), into: &$0) } == plain)
        if !plain.isEmpty {
            #expect(
                written(capacity: escaped.utf8.count - 1) { LogEscape.default.write(bytes(plain), into: &$0) } == nil)
        }
    }

    @Test(
        arguments: [
            ("a", "a=1", "1"), ("a", "b=2; a=1", "1"), ("A", "a=1", "1"), ("a", "a = 1 ;b=2", "1 "),
            ("a", "aa=1;a=2", "2"), ("a", "a=\"x;y\"", "\"x"),
            ("a", "a", nil), ("a", "", nil), ("", "=1", nil), ("a", "b=a=1", nil), ("a", "a=", ""), ("a", "b;a=1", "1"),
            ("b", "a=1;  b=2", "2"),
        ] as [(String, String, String?)])
    func `cookies are found`(name: String, field: String, value: String?) {
        #expect(Cookie.value(bytes(name), in: bytes(field))?.string == value)
    }

    @Test func `a Set-Cookie field has one cookie, at its front`() {
        #expect(Cookie.value("a", setBy: "a=1; Path=/; b=2") == "1")
        #expect(Cookie.value("path", setBy: "a=1; Path=/") == nil)
    }

    @Test(arguments: [
        ("gzip", true), ("GZIP, deflate", true), ("deflate, gzip", true), ("deflate,gzip;q=0.5", true),
        ("gzip;q=0", false), ("gzip;q=0.0", false),
        ("gzip;q=1.000", true), ("gzip;q=1.001", false), ("gzip;q=0.0001", false), ("gzip; q=0.001, x", true),
        ("xgzip", false), ("gzipx", false),
        ("x-gzip", false), ("*", false), ("", false), ("gzip;", true), ("gzip;q", false), ("gzip;q=", false),
        ("gzip;q=2", false),
        ("gzip ;q=1 , x", true), ("gzip;a=1", false), ("gzip x", false),
    ])
    func `gzip is accepted as nginx reads it`(value: String, accepted: Bool) {
        #expect(AcceptEncoding.acceptsGzip(bytes(value)) == accepted)
    }

    @Test func `lists are divided at commas outside quotes`() {
        var offset = 0
        let list = bytes(" a ,, \"b,\\\",c\" ,\td;q=1,")
        var members: [String] = []
        while let member = HeaderList.next(list, &offset) { members.append(member.string) }
        #expect(members == ["a", "\"b,\\\",c\"", "d;q=1"])
        #expect(HeaderList.next(list, &offset) == nil)
        #expect(HeaderList.contains("A", in: list) && !HeaderList.contains("c", in: list))
        #expect(!HeaderList.contains("a", in: ""))
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{ff}\u{3fe}?", "w7/Pvj8="),
    ])
    func `Base64 both ways`(plain: String, encoded: String) {
        #expect(written { Base64.encode(bytes(plain), into: &$0) } == encoded)
        #expect(written { Base64.decode(bytes(encoded), into: &$0) } == plain)
        let safe = encoded.filter { $0 != "=" }.map { $0 == "+" ? "-" : $0 == "/" ? "_" : String($0) }.joined()
        #expect(written { Base64.encode(bytes(plain), urlSafe: true, into: &$0) } == safe)
        #expect(written { Base64.decode(bytes(safe), urlSafe: true, into: &$0) } == plain)
    }

    @Test(arguments: ["A", "Zm9vY", "Z\n==", "Zm-v", "\u{e9}"])
    func `anything else is not Base64`(text: String) {
        #expect(written { Base64.decode(bytes(text), into: &$0) } == nil)
    }

    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func `MD5 gives the digests of RFC 1321`(text: String, digest: String) {
        #expect(md5(bytes(text)) == digest)
    }

    private func md5(_ bytes: ByteView) -> String? {
        var md5 = MD5()
        md5.update(bytes)
        let digest = md5.digest()
        return written {
            $0.append(hex: digest.low.byteSwapped, width: 16)
            return $0.append(hex: digest.high.byteSwapped, width: 16)
        }
    }

    @Test func `MD5 is the same in parts`() {
        for count in [55, 56, 57, 63, 64, 65, 119, 120, 128] {
            let input = bytes(Array(repeating: UInt8(0x61), count: count))
            var parts = MD5()
            parts.update(input.prefix(count / 3))
            parts.update(input.dropFirst(count / 3))
            var whole = MD5()
            whole.update(input)
            #expect(parts.digest() == whole.digest())
        }
        #expect(md5(bytes(String(repeating: "a", count: 56))) == "3b0c8ac703f828b04c6c197006d17218")
    }

    @Test func `checksums and hashes`() {
        #expect(CRC32.of("123456789") == 0xcbf4_3926)
        var crc = CRC32()
        for byte in "123456789".utf8 { crc.update(byte: byte) }
        #expect(crc.value == 0xcbf4_3926)
        #expect(MurmurHash2.hash("") == 0)
        #expect(MurmurHash2.hash("abc") == 0x1357_7c9b)
        #expect(MurmurHash2.hash("test") != MurmurHash2.hash("tesu"))
        #expect(IPHash.hash(bytes([127, 0, 0])) == (((89 * 113 + 127) % 6271 * 113) % 6271 * 113) % 6271)
        #expect(IPHash.hash(bytes([1]), previous: .max) < 6271)
    }

    @Test func `decimal numbers of a field`() {
        for (text, value) in [("0", 0), ("007", 7), ("9223372036854775807", UInt64(Int64.max))] as [(String, UInt64)] {
            #expect(Decimal.parse(bytes(text)) == value)
        }
        for text in ["", "-1", "1 ", "9223372036854775808", "a", String(repeating: "0", count: 33)] {
            #expect(Decimal.parse(bytes(text)) == nil)
        }
    }

    @Test func `ranges, sets and sizes`() {
        #expect(ByteRange(from: 5, to: 3).isEmpty && ByteRange(from: -1, to: 3).isEmpty)
        #expect(ByteRange(from: 2, to: 4).view("abcdef") == "cd")
        var set = TokenSet(.host, .cookie)
        #expect(set.contains(.host) && set.contains(.cookie) && !set.contains(.accept))
        let last = HeaderToken(rawValue: UInt8(HeaderToken.count - 1))
        set.insert(last)
        #expect(set.contains(last))
        #expect(MemoryLayout<ParsedField>.size <= 24 && HeaderToken.count <= 128)
        #expect(MemoryLayout<RequestHeadParser>.size <= 400)
    }

    @Test func `words of bytes`() {
        let view = bytes("ABCDEFGHIJ-1")
        #expect(view.word(at: 0) == 0x4847_4645_4443_4241)
        #expect(view.foldedWord(at: 8, length: 4) == 0x312d_6a69)
        #expect(view.exactWord(at: 9, length: 3) == 0x312d_4a)
        #expect(view.exactWord(at: 0, length: 2) == 0x4241)
    }
}
