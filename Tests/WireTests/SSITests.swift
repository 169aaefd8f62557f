import Testing
import Wire

@Suite("Commands of server-side includes")
struct SSITests {
    /// Text and commands of a body that comes in pieces of `size` bytes; commands in brackets.
    private func scan(_ body: String, size: Int, valueLengthMax: Int = 255) -> String {
        var scanner = SSIScanner(valueLengthMax: valueLengthMax)
        var result = ""
        let bytes = Array(body.utf8)
        var start = 0
        while start < bytes.count {
            let piece = ByteView.immortal(bytes[start..<min(bytes.count, start + size)])
            start += size
            var position = 0
            while position < piece.count {
                let found = scanner.scan(piece, from: position)
                result += String("<!--#".prefix(found.markPrefix)) + piece[position..<found.textEnd].string
                position = found.next
                if found.isCommand { result += scanner.isBroken ? "[broken]" : "[" + String(decoding: scanner.command, as: UTF8.self) + "]" }
            }
        }
        return result + scanner.pendingMark.string
    }

    @Test("are found wherever the body is cut", arguments: [
        ("plain", "plain"),
        ("a<!--#echo var=\"x\" -->b", "a[echo var=\"x\" ]b"),
        ("<!-<!--<!--#x--><", "<!-<!--[x]<"),
        ("<<!--#x-->><!--", "<[x]><!--"),
        ("<!--#set value=\"-->\"-->z", "[set value=\"-->\"]z"),
        ("<!--#set value='a\\'-->' -->z", "[set value='a\\'-->' ]z"),
        ("<!--# no end", ""),
        ("<!-- a comment --><!--x", "<!-- a comment --><!--x"),
        ("1<!--#a--><!--#b-->2", "1[a][b]2"),
        ("1<!--#set value='a'b'-->2'-->", "1[broken]2'-->"),
    ])
    func pieces(_ body: String, _ expected: String) {
        for size in 1...(body.utf8.count + 1) { #expect(scan(body, size: size) == expected, "pieces of \(size)") }
    }

    @Test("with too long a value end at the next mark, quotes or not")
    func tooLong() {
        #expect(scan("a<!--#x y=\"123456 --> b\" -->c", size: 3, valueLengthMax: 5) == "a[broken] b\" -->c")
    }

    @Test("longer than the limit are broken, and bounded")
    func bounded() {
        let body = "<!--#" + String(repeating: "x", count: 3 * SSIScanner.commandLengthMax) + "-->y"
        #expect(scan(body, size: 4096) == "[broken]y")
    }

    @Test("have a name and parameters", arguments: [
        (" include virtual=\"/a\"  set = 'b' ", "include virtual=/a set=b"),
        ("else", "else"),
        ("echo var=\"a\\\"b\"", "echo var=a\\\"b"),
        ("", ""),
    ])
    func parse(_ text: String, _ expected: String) throws {
        let command = try #require(SSICommand(Array(text.utf8)))
        let words = [String(decoding: command.name, as: UTF8.self)]
            + command.parameters.map { String(decoding: $0.key, as: UTF8.self) + "=" + String(decoding: $0.value, as: UTF8.self) }
        #expect(words.joined(separator: " ") == expected)
    }

    @Test("that are not well formed are refused", arguments: [
        "echo var", "echo var=x", "echo var=\"x", "echo =\"x\"", "echo var=\"x\"y=\"z\"", "echo - var=\"x\"",
    ])
    func malformed(_ text: String) { #expect(SSICommand(Array(text.utf8)) == nil) }
}
