/// Finds the commands of server-side includes, `<!--#NAME KEY="VALUE" -->`, in a body that comes in pieces. Pure: bytes in, places out.
///
/// ```
/// text ──"<!--#"──► command ──"-->" outside quotes──► text
///                      └── too long ──► the command is broken; it still ends at "-->"
/// ```
public struct SSIScanner {
    /// What a scan found.
    public struct Found: Equatable, Sendable {
        /// Bytes of the opening mark that earlier pieces ended with, and that turned out to be text: they come first.
        public var markPrefix: Int
        /// Text that follows: from where the scan began to here.
        public var textEnd: Int
        /// Where to scan on.
        public var next: Int
        /// `command` holds a complete command.
        public var isCommand: Bool
    }

    private static var mark: ByteView { "<!--#" }
    /// Longest command in bytes.
    public static var commandLengthMax: Int { 16_384 }

    /// The command's text, without its marks.
    public private(set) var command: [UInt8] = []
    /// It was too long, or a value in it was.
    public private(set) var isBroken = false
    private var matched = 0
    private var isInCommand = false
    private var quote: UInt8 = 0
    private var isEscaped = false
    /// The byte before closed a value.
    private var isAfterQuote = false
    private var valueLength = 0
    private let valueLengthMax: Int

    /// - Parameter valueLengthMax: longest value of a parameter in bytes (`ssi_value_length`).
    public init(valueLengthMax: Int) { self.valueLengthMax = valueLengthMax }

    /// What is left of the opening mark when the body ends: text.
    public var pendingMark: ByteView { isInCommand ? ByteView() : Self.mark.prefix(matched) }

    /// Scans on, to the end of a command or of the bytes. O(n).
    public mutating func scan(_ bytes: ByteView, from start: Int) -> Found {
        if isInCommand { return scanCommand(bytes, from: start, textEnd: start, markPrefix: 0) }
        let carried = matched
        var markPrefix = 0
        var isCarried = carried > 0
        var position = start
        var textEnd = start
        while true {
            if matched == 0 {
                guard let hit = bytes.firstIndex(of: 0x3c, from: position) else {
                    return Found(markPrefix: markPrefix, textEnd: bytes.count, next: bytes.count, isCommand: false)
                }
                textEnd = hit
                matched = 1
                position = hit + 1
            }
            while position < bytes.count, matched < 5, bytes[position] == Self.mark[matched] {
                matched += 1
                position += 1
            }
            if matched == 5 {
                beginCommand()
                return scanCommand(bytes, from: position, textEnd: textEnd, markPrefix: markPrefix)
            }
            if position == bytes.count { return Found(markPrefix: markPrefix, textEnd: textEnd, next: position, isCommand: false) }
            matched = 0
            if isCarried {
                isCarried = false
                markPrefix = carried
            }
        }
    }

    private mutating func beginCommand() {
        matched = 0
        isInCommand = true
        isBroken = false
        quote = 0
        isEscaped = false
        isAfterQuote = false
        valueLength = 0
        command.removeAll(keepingCapacity: true)
    }

    private mutating func scanCommand(_ bytes: ByteView, from start: Int, textEnd: Int, markPrefix: Int) -> Found {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if isAfterQuote {
                isAfterQuote = false
                // What stands right behind a value makes the command wrong, and a quote in it opens nothing.
                if byte != 0x2d, !SSICommand.isSpace(byte) { isBroken = true }
            }
            if quote != 0 {
                takeQuoted(byte)
            } else if byte == 0x3e, command.count >= 2, command[command.count - 1] == 0x2d, command[command.count - 2] == 0x2d {
                command.removeLast(2)
                isInCommand = false
                return Found(markPrefix: markPrefix, textEnd: textEnd, next: position, isCommand: true)
            } else if byte == 0x22 || byte == 0x27, !isBroken {
                quote = byte
                valueLength = 0
            }
            append(byte)
        }
        return Found(markPrefix: markPrefix, textEnd: textEnd, next: position, isCommand: false)
    }

    private mutating func takeQuoted(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == 0x5c {
            isEscaped = true
        } else if byte == quote {
            quote = 0
            isAfterQuote = true
            return
        }
        valueLength += 1
        if valueLength > valueLengthMax {
            isBroken = true
            quote = 0
        }
    }

    private mutating func append(_ byte: UInt8) {
        if command.count < Self.commandLengthMax { return command.append(byte) }
        isBroken = true
        quote = 0
        // Only the end is still of interest.
        command.removeFirst(command.count - 2)
        command.append(byte)
    }
}

/// One command of server-side includes: its name, and its parameters in order. Values are as written, escapes included.
public struct SSICommand: Equatable, Sendable {
    public var name: [UInt8]
    public var parameters: [(key: [UInt8], value: [UInt8])]

    /// - Parameter text: between `<!--#` and `-->`.
    /// - Returns: nil if it is not well formed.
    public init?(_ text: [UInt8]) {
        var position = 0
        func skipSpace() { while position < text.count, Self.isSpace(text[position]) { position += 1 } }
        func word(until stop: (UInt8) -> Bool) -> [UInt8] {
            let start = position
            while position < text.count, !Self.isSpace(text[position]), !stop(text[position]) { position += 1 }
            return Array(text[start..<position])
        }
        skipSpace()
        name = word { _ in false }
        parameters = []
        while true {
            skipSpace()
            guard position < text.count else { return }
            let key = word { $0 == 0x3d || $0 == 0x2d }
            skipSpace()
            guard !key.isEmpty, position < text.count, text[position] == 0x3d else { return nil }
            position += 1
            skipSpace()
            guard position < text.count, text[position] == 0x22 || text[position] == 0x27 else { return nil }
            let quote = text[position]
            position += 1
            let start = position
            var isEscaped = false
            while position < text.count, isEscaped || text[position] != quote {
                isEscaped = !isEscaped && text[position] == 0x5c
                position += 1
            }
            guard position < text.count else { return nil }
            parameters.append((key, Array(text[start..<position])))
            position += 1
            guard position == text.count || Self.isSpace(text[position]) else { return nil }
        }
    }

    public static func == (left: SSICommand, right: SSICommand) -> Bool {
        left.name == right.name && left.parameters.count == right.parameters.count
            && zip(left.parameters, right.parameters).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
}
