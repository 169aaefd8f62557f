/// One statement of a configuration with what stands in its block.
struct Directive {
    /// First word.
    var name: String
    /// All words; the first is the name.
    var words: [Bytes]
    /// Line of the terminator, as nginx reports it.
    var location: SourceLocation
    /// The statements of the block; nil when it ended in `;`.
    var children: [Directive]?

    /// Number of words after the name.
    var argumentCount: Int { words.count - 1 }

    /// A word, from 1 for the first argument.
    subscript(index: Int) -> Bytes { words[index] }

    /// A word as text for messages and paths.
    func text(_ index: Int) -> String { String(decoding: words[index], as: UTF8.self) }

    /// The words after the name.
    var arguments: ArraySlice<Bytes> { words.dropFirst() }
}

/// Why a directive is refused.
struct DirectiveError: Error {
    var message: String
    var suggestion: String?

    /// A whole message.
    init(_ message: String, suggestion: String? = nil) {
        self.message = message
        self.suggestion = suggestion
    }

    /// A message of the form `"NAME" directive TEXT`.
    init(_ directive: Directive, _ text: String) { message = "\"\(directive.name)\" directive \(text)" }

    /// `invalid value "VALUE"`, `invalid parameter "VALUE"`, …: text before a quoted word.
    init(_ text: String, quoting word: some Collection<UInt8>) {
        message = "\(text) \"\(String(decoding: word, as: UTF8.self))\""
    }
}
