/// Splits one configuration file into statements, as nginx does.
///
/// A word ends at white space, `;` or `{`; quotes keep these, and a backslash keeps the next byte. `${` never opens a block. After a
/// closing quote only white space, `;`, `{` or `)` may follow. Comments run from a `#` at the start of a word to the end of the line.
struct Lexer {
    /// What stands between two terminators.
    enum Statement {
        /// Words ended by `;`.
        case simple([Bytes])
        /// Words ended by `{`.
        case blockStart([Bytes])
        /// `}`
        case blockEnd
        /// The end of the file, between statements.
        case end
    }

    /// A violation of the grammar. The lexer then stands where the next statement may begin.
    struct Failure: Error {
        var message: String
        var line: Int
        /// The file ended inside a statement.
        var isAtEnd = false
        /// A block without a name was opened.
        var opensBlock = false
        /// The words of a statement that a `}` cut off: the `;` before it is missing, and the block ends here.
        var cutOff: [Bytes] = []
    }

    /// Longest word in bytes; nginx's buffer of 4,096 bytes holds it with its terminator.
    static let wordLengthMax = 4_095

    private let bytes: Bytes
    private var position: Int
    /// Line of the byte that is read next, from 1.
    private(set) var line = 1

    init(_ bytes: Bytes) {
        self.bytes = bytes
        let hasByteOrderMark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
        position = hasByteOrderMark ? 3 : 0
    }

    /// The next statement; `line` is then that of its terminator.
    ///
    /// O(bytes of the statement).
    mutating func next() throws(Failure) -> Statement {
        var words: [Bytes] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): advance(over: byte)
            case UInt8(ascii: "#"): skipComment()
            case UInt8(ascii: ";"), UInt8(ascii: "{"):
                position += 1
                guard !words.isEmpty else {
                    let opensBlock = byte == UInt8(ascii: "{")
                    throw Failure(message: "unexpected \"\(scalar(byte))\"", line: line, opensBlock: opensBlock)
                }
                return byte == UInt8(ascii: ";") ? .simple(words) : .blockStart(words)
            case UInt8(ascii: "}"):
                position += 1
                guard words.isEmpty else { throw Failure(message: "unexpected \"}\"", line: line, cutOff: words) }
                return .blockEnd
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                words.append(try quotedWord(quote: byte))
                try checkAfterQuote()
            default: words.append(try plainWord())
            }
        }
        if words.isEmpty { return .end }
        throw unexpectedEnd()
    }

    /// Skips the rest of a block, in Lua or just too deep, up to its closing brace. Braces in strings and comments do not count.
    mutating func skipForeignBlock() {
        var depth = 1
        while depth > 0, let byte = peek() {
            advance(over: byte)
            switch byte {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "-") where peek() == UInt8(ascii: "-"): skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): skipForeignString(quote: byte)
            default: break
            }
        }
    }

    /// Goes behind the closing quote, or to the end of the line if there is none.
    private mutating func skipForeignString(quote: UInt8) {
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            position += 1
            if byte == quote { return }
            if byte == UInt8(ascii: "\\"), let escaped = peek() { advance(over: escaped) }
        }
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance(over byte: UInt8) {
        position += 1
        if byte == UInt8(ascii: "\n") { line += 1 }
    }

    private mutating func skipComment() {
        while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
    }

    private func unexpectedEnd() -> Failure {
        Failure(message: "unexpected end of file, expecting \";\" or \"}\"", line: line, isAtEnd: true)
    }

    private func scalar(_ byte: UInt8) -> String { String(decoding: [byte], as: UTF8.self) }

    /// A word without quotes; stops before its terminator.
    private mutating func plainWord() throws(Failure) -> Bytes {
        let (start, startLine) = (position, line)
        var afterDollar = false
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "{") where afterDollar: break
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
                UInt8(ascii: "{"):
                return Self.unescape(bytes[start..<position])
            case UInt8(ascii: "\\"):
                advance(over: byte)
                guard let escaped = peek() else { throw unexpectedEnd() }
                advance(over: escaped)
                afterDollar = false
                try checkLength(from: start, line: startLine, quote: nil)
                continue
            default: break
            }
            afterDollar = byte == UInt8(ascii: "$")
            advance(over: byte)
            try checkLength(from: start, line: startLine, quote: nil)
        }
        throw unexpectedEnd()
    }

    /// A quoted word; stands behind the closing quote afterwards.
    private mutating func quotedWord(quote: UInt8) throws(Failure) -> Bytes {
        position += 1
        let (start, startLine) = (position, line)
        while let byte = peek() {
            if byte == quote {
                position += 1
                return Self.unescape(bytes[start..<(position - 1)])
            }
            advance(over: byte)
            if byte == UInt8(ascii: "\\"), let escaped = peek() { advance(over: escaped) }
            try checkLength(from: start, line: startLine, quote: quote)
        }
        throw unexpectedEnd()
    }

    private mutating func checkLength(from start: Int, line startLine: Int, quote: UInt8?) throws(Failure) {
        guard position - start > Self.wordLengthMax else { return }
        let beginning = String(decoding: bytes[start..<min(start + 10, bytes.count)], as: UTF8.self)
        recover()
        if let quote {
            let message = "too long parameter, probably missing terminating \"\(scalar(quote))\" character"
            throw Failure(message: message, line: startLine)
        }
        throw Failure(message: "too long parameter \"\(beginning)...\" started", line: startLine)
    }

    private mutating func checkAfterQuote() throws(Failure) {
        guard let byte = peek() else { throw unexpectedEnd() }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
            UInt8(ascii: "{"), UInt8(ascii: ")"):
            return
        default:
            let failure = Failure(message: "unexpected \"\(scalar(byte))\"", line: line)
            recover()
            throw failure
        }
    }

    /// Goes behind the next `;`, or before the next `}`.
    private mutating func recover() {
        while let byte = peek(), byte != UInt8(ascii: "}") {
            advance(over: byte)
            if byte == UInt8(ascii: ";") { return }
        }
    }

    /// Resolves `\"`, `\'`, `\\`, `\t`, `\r` and `\n`; any other backslash stays.
    private static func unescape(_ raw: ArraySlice<UInt8>) -> Bytes {
        guard raw.contains(UInt8(ascii: "\\")) else { return Bytes(raw) }
        var result: Bytes = []
        result.reserveCapacity(raw.count)
        var index = raw.startIndex
        while index < raw.endIndex {
            let byte = raw[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < raw.endIndex else {
                result.append(byte)
                continue
            }
            switch raw[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): result.append(raw[index])
            case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): result.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
            default:
                result.append(byte)
                continue
            }
            index += 1
        }
        return result
    }
}
