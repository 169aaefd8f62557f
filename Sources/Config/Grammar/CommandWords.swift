/// The words of a command line, by the rules of the configuration: as `command` reads them.
package enum CommandWords {
    /// Splits a text into words.
    ///
    /// - Returns: nil when it is no command: a quote that does not end, an unquoted `;`, `{` or `}`, or nothing at all.
    package static func split(_ text: String) -> [String]? {
        var lexer = Lexer(Bytes(text.utf8) + [UInt8(ascii: ";")])
        guard case .simple(let words)? = try? lexer.next(), case .end? = try? lexer.next() else { return nil }
        return words.map { String(decoding: $0, as: UTF8.self) }
    }
}
