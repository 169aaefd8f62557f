import Testing
import Wire

@Suite struct HostTests {
    @Test(
        arguments: [
            ("l", "l", nil), ("L", "L", nil), ("abcd-ef.g02.xyz:", "abcd-ef.g02.xyz", nil),
            ("1.2.3.4:987", "1.2.3.4", 987),
            ("a.b.", "a.b", nil), ("a.b.:88", "a.b", 88), ("[abcd::ef98:0:7654:321]", "[abcd::ef98:0:7654:321]", nil),
            ("[::ffff:12.30.67.89]:80", "[::ffff:12.30.67.89]", 80), ("a_b~!$&'()*+,;=%41", "a_b~!$&'()*+,;=%41", nil),
            ("[v0aF.!$&'()*+,;=-._~zZ9:]", "[v0aF.!$&'()*+,;=-._~zZ9:]", nil), ("a:65535", "a", 65535),
            ("a:0", "a", nil),
            ("a:00080", "a", 80),
        ] as [(String, String, UInt16?)])
    func `valid hosts are divided into name and port`(text: String, name: String, port: UInt16?) {
        let host = HostValidator.validate(bytes(text))
        #expect(host.map { bytes(text)[$0.host].string } == name)
        #expect(host?.port == port)
        #expect(host?.needsLowercase == (name != name.lowercased()))
        #expect(host?.isIPLiteral == name.hasPrefix("["))
    }

    @Test(arguments: [
        "", ".", ":", ":80", "a..b", "..a", "a..", "a..:", "example.com.:1.2", "1.2.3.4:98777", "1.2.3.4:9000:80",
        "a:b", "a:-1",
        "example.com/\\:552", "\\e/x", "[ab\\::1]", "[ab::1/]:12", "[::1].", "[::1].:98", "[::1]..:98", "[ab..cd::1]",
        "extra[::1]", "[::1", "[]", "a b", "a\u{2}", "a@b", "[::1]x", "a#b", "a?b", "a\"b", "a<b", "\u{e9}", "[a%41]",
        "a]",
    ])
    func `anything else is no host`(text: String) {
        #expect(HostValidator.validate(bytes(text)) == nil)
    }
}
