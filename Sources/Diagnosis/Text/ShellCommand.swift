/// A command for a person to type.
///
/// What the source says is the command; what is put into it is one word of the shell, whatever it holds. Names, paths and hosts come from
/// logs and requests, so a client may have chosen them, and the person who types the command is often root.
package struct ShellCommand: ExpressibleByStringInterpolation, Sendable, Hashable {
    /// As it is typed.
    package let text: String

    /// Appends what the source says as it is, and values quoted.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity + interpolationCount * 16) }
        /// Part of the command.
        package mutating func appendLiteral(_ literal: String) { text += literal }
        /// One word, or part of one.
        package mutating func appendInterpolation(_ word: some StringProtocol) {
            // Else it is an option of the program.
            if word.utf8.first == 45, text.isEmpty || text.last == " " { text += "-- " }
            text += ShellCommand.quoted(String(word))
        }
        /// A number.
        package mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }
        /// Another command.
        package mutating func appendInterpolation(_ command: ShellCommand) { text += command.text }
    }

    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
    package init(stringLiteral text: String) { self.text = text }
    package init(words: [String]) { text = words.map(Self.quoted).joined(separator: " ") }

    /// One after the other, as one text.
    package static func + (a: ShellCommand, b: ShellCommand) -> ShellCommand { ShellCommand(stringLiteral: a.text + b.text) }

    /// A text as one word of a POSIX shell; as it is, when no byte of it means anything to the shell.
    package static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true  // 0-9 A-Z a-z
            case 37, 43, 44, 45, 46, 47, 58, 61, 64, 95: true  // % + , - . / : = @ _
            default: false
            }
        }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
