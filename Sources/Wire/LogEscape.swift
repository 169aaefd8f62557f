/// How a variable's bytes are written into a log line (`log_format … escape=`).
public enum LogEscape: UInt8, Sendable {
    /// `"`, `\`, bytes below 0x20 and from 0x7f on as `\xHH`, upper case.
    case `default`
    /// The inside of a JSON string.
    case json
    /// As they are.
    case none

    /// Appends the escaped bytes, all or nothing; false if they do not fit (at most six times as many). O(n).
    @discardableResult
    public func write(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool {
        switch self {
        case .none: writer.append(bytes)
        case .default: Self.escape(bytes, into: &writer)
        case .json: URI.escapeJSON(bytes, into: &writer)
        }
    }

    /// Whether `default` writes the bytes as they are. O(n), eight at a time.
    public static func isPlain(_ bytes: ByteView) -> Bool { ByteScan.endOfPlainText(bytes) == bytes.count }

    private static func escape(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool {
        var index = ByteScan.endOfPlainText(bytes)
        if index == bytes.count { return writer.append(bytes) }
        var escaped = 0
        while index < bytes.count {
            if needsEscape(bytes[index]) { escaped &+= 1 }
            index &+= 1
        }
        guard let place = unsafe writer.reserve(bytes.count &+ 3 &* escaped) else { return false }
        var at = 0
        index = 0
        while index < bytes.count {
            let byte = bytes[index]
            // SAFETY: one byte for each plain byte and four for each escaped one are reserved.
            if needsEscape(byte) {
                unsafe place[at] = 0x5c
                unsafe place[at &+ 1] = 0x78
                unsafe place[at &+ 2] = ByteWriter.upperHexDigit(byte >> 4)
                unsafe place[at &+ 3] = ByteWriter.upperHexDigit(byte & 15)
                at &+= 4
            } else {
                unsafe place[at] = byte
                at &+= 1
            }
            index &+= 1
        }
        return true
    }

    @inline(__always)
    static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte >= 0x7f || byte == 0x22 || byte == 0x5c
    }
}
