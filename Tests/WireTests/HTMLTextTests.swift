import Testing
import Wire

@Suite struct HTMLTextTests {
    private func escaped(_ text: String) -> String {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count * HTMLText.growthMax, alignment: 1)
        defer { unsafe region.deallocate() }
        var writer = unsafe ByteWriter(region)
        #expect(HTMLText.write(text, into: &writer), "\(text): more than it may take")
        return writer.written.string
    }

    @Test(
        arguments: [
            ("plain text, 127.0.0.1:3000 (P01, proven).", "plain text, 127.0.0.1:3000 (P01, proven)."), ("", ""),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onmouseover='x' &lt;", "&quot; onmouseover=&#39;x&#39; &amp;lt;"),
            ("\u{1b}[31m\n\r\t\0\u{7f}", "\\x1b[31m\\x0a\\x0d\\x09\\x00\\x7f"),
            ("5 × ü 😀", "5 &#xd7; &#xfc; &#x1f600;"), ("\u{10ffff}", "&#x10ffff;"),
            ("a\u{202e}b\u{200b}\u{85}\u{feff}\u{2028}", "a\\u{202e}b\\u{200b}\\u{85}\\u{feff}\\u{2028}"),
        ]) func `foreign text is shown, not obeyed`(text: String, expected: String) { #expect(escaped(text) == expected) }

    @Test func `whatever it is, nothing but printable ASCII leaves, and no markup`() {
        for value in 0...0x10ffff as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let region: InlineArray<10, UInt8> = .init(repeating: 0)
            var copy = region
            let isClean = unsafe withUnsafeMutableBytes(of: &copy) { bytes in
                var writer = unsafe ByteWriter(bytes)
                guard HTMLText.write(String(scalar), into: &writer) else { return false }
                if writer.count > Character(scalar).utf8.count * HTMLText.growthMax { return false }
                let out = writer.written
                for index in 0..<out.count where out[index] < 0x20 || out[index] > 0x7e || [0x3c, 0x3e, 0x22, 0x27].contains(out[index]) {
                    return false
                }
                return true
            }
            guard isClean else {
                Issue.record("U+\(String(value, radix: 16))")
                return
            }
        }
    }

    @Test func `what does not fit is not written beyond its region`() {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
        defer { unsafe region.deallocate() }
        var writer = unsafe ByteWriter(region)
        #expect(!HTMLText.write("a<b", into: &writer) && writer.isOverflown && writer.written == "a")
    }
}
