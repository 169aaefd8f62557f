import Config
import Testing

@Suite("The words of a command")
struct CommandWordsTests {
    @Test(arguments: [
        ("node server.js", ["node", "server.js"]), ("  a  'b c' \"d;e\" ", ["a", "b c", "d;e"]), ("a b\\ c", ["a", "b\\ c"]),
        ("node --expose=${x}", ["node", "--expose=${x}"]),
    ])
    func split(text: String, words: [String]) { #expect(CommandWords.split(text) == words) }

    @Test(arguments: ["", "  ", "a; b", "a 'b", "a { b", "# a", "}"])
    func refused(text: String) { #expect(CommandWords.split(text) == nil) }
}
