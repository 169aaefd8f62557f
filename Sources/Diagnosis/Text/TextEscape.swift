/// Makes foreign text harmless where it is shown.
package enum TextEscape {
    /// Control bytes, DEL and invalid UTF-8 as `\xHH`, C1 controls and bidirectional overrides as `\u{…}`. O(n).
    package static func terminal(_ bytes: some Collection<UInt8>) -> String {
        var out = ""
        var validator = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        loop: while true {
            switch validator.parseScalar(from: &iterator) {
            case .valid(let encoded): append(Unicode.UTF8.decode(encoded), to: &out)
            case .error: out += "\\x??"
            case .emptyInput: break loop
            }
        }
        return out
    }

    /// The same for text.
    package static func terminal(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) { return text }
        return terminal(text.utf8)
    }

    private static func append(_ scalar: Unicode.Scalar, to out: inout String) {
        switch scalar.value {
        case 0..<32, 127:
            let hex = String(scalar.value, radix: 16)
            out += "\\x" + (hex.utf8.count == 1 ? "0" : "") + hex
        case 128..<160, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfeff:
            out += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: out.unicodeScalars.append(scalar)
        }
    }

    /// `& < > " '` as entities, after `terminal` made the rest harmless.
    package static func html(_ text: String) -> String {
        var out = ""
        for character in terminal(text).unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
