import Loop
import Wire

/// Values of variables go into heads that others parse: what would end a line never leaves the gateway (response splitting).
extension Ref where Value == Request {
    /// The text with CR, LF and NUL as spaces; the same bytes if there is none.
    func lineSafe(_ text: ByteView) -> ByteView {
        guard text.contains(0x0a) || text.contains(0x0d) || text.contains(0) else { return text }
        return compose { out in
            let start = out.value.end
            out.append(text)
            out.replaceLineBreaks(from: start)
        }
    }

    /// A redirect's target: the same bytes as `%0D`, `%0A`, `%00`.
    func targetSafe(_ text: ByteView) -> ByteView {
        guard text.contains(0x0a) || text.contains(0x0d) || text.contains(0) else { return text }
        return compose { out in
            for index in 0..<text.count {
                switch text[index] {
                case 0x0a: out.append("%0A")
                case 0x0d: out.append("%0D")
                case 0: out.append("%00")
                default: out.append(text[index])
                }
            }
        }
    }
}
