extension URI {
    /// How `unescape` treats what it decodes.
    public enum UnescapeKind: UInt8, Sendable {
        /// All of it.
        case all
        /// Up to and with the first "?", plain or decoded from "%3F"; the rest is copied as it is.
        case uri
        /// As `uri`, but what may not stand in a URI ("%25", space, controls, bytes from 0x7f) stays encoded.
        case redirect
    }

    /// Appends the bytes with "%xx" decoded; false if they do not fit, with what fitted. O(n).
    ///
    /// A broken escape loses its "%", as in nginx ("%zz" becomes "zz", "%4z" nothing).
    @discardableResult
    public static func unescape(
        _ bytes: ByteView, _ kind: UnescapeKind = .all, into writer: inout ByteWriter
    ) -> Bool {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            if byte != 0x25 {
                guard writer.append(byte: byte) else { return false }
                if byte == 0x3f, kind != .all { return writer.append(bytes.dropFirst(index)) }
                continue
            }
            guard index < bytes.count else { break }
            let high = ByteClass.hexadecimal(bytes[index])
            index &+= 1
            if high > 15 {
                guard writer.append(byte: bytes[index &- 1]) else { return false }
                continue
            }
            guard index < bytes.count else { break }
            let low = ByteClass.hexadecimal(bytes[index])
            index &+= 1
            if low > 15 { continue }
            let decoded = high << 4 | low
            if decoded == 0x3f, kind != .all {
                guard writer.append(byte: decoded) else { return false }
                return writer.append(bytes.dropFirst(index))
            }
            if kind == .redirect, decoded <= 0x25 || decoded >= 0x7f {
                guard writer.append(bytes[index &- 3..<index]) else { return false }
            } else {
                guard writer.append(byte: decoded) else { return false }
            }
        }
        return true
    }

    /// Checks a URI that an upstream (`X-Accel-Redirect`) or a page (SSI) sent, and decodes its path.
    ///
    /// - Returns: path (in the writer if it held "%", else a part of the input) and query; nil if it is unsafe (empty, a
    ///   ".." part, NUL, before or after decoding) or does not fit.
    public static func checkUnsafe(
        _ uri: ByteView, into writer: inout ByteWriter
    ) -> (path: ByteView, query: ByteView?)? {
        let (path, query) = split(uri)
        guard !path.isEmpty, isSafe(path) else { return nil }
        guard path.contains(0x25) else { return (path, query) }
        let start = writer.count
        guard unescape(path, into: &writer) else { return nil }
        let decoded = writer.written(from: start)
        guard !decoded.isEmpty, isSafe(decoded) else {
            writer.count = start
            return nil
        }
        return (decoded, query)
    }

    /// No NUL and no part that is "..".
    private static func isSafe(_ path: ByteView) -> Bool {
        var index = 0
        while index < path.count {
            let byte = path[index]
            if byte == 0 { return false }
            let isFirst = index == 0 || path[index &- 1] == 0x2f
            if byte == 0x2e, isFirst, index &+ 1 < path.count, path[index &+ 1] == 0x2e,
                index &+ 2 == path.count || path[index &+ 2] == 0x2f
            {
                return false
            }
            index &+= 1
        }
        return true
    }
}
