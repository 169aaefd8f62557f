extension URI {
    /// What `normalise` found.
    public enum NormaliseResult: Equatable, Sendable {
        /// - pathLength: bytes of the decoded path that were appended.
        /// - query: the query in the input, without "?" and fragment; nil if there is none.
        /// - hasQuoted: a "%xx" was decoded.
        /// - hasPlus: the path holds "+".
        case path(pathLength: Int, query: ByteRange?, hasQuoted: Bool, hasPlus: Bool)
        /// Bad "%xx", NUL, or ".." above the root: 400.
        case invalid
        /// The path does not fit; it never needs more than `target.count + 1` bytes.
        case full
    }

    /// Decodes and cleans the path of a request target: "%xx", "/./", "/../" and (with `mergeSlashes`) "//"; "#" ends
    /// the target. A decoded "/" or "." counts as one that was sent plain. O(n).
    ///
    /// - Parameter target: path and query as sent, beginning with "/" or, where the path is empty, with "?" or nothing.
    public static func normalise(
        _ target: ByteView, mergeSlashes: Bool, into writer: inout ByteWriter
    ) -> NormaliseResult {
        var machine = PathNormaliser(mergeSlashes: mergeSlashes)
        let start = writer.count
        let result = machine.run(target, into: &writer)
        if case .path = result { return result }
        writer.count = start
        return result
    }
}

/// One run of `URI.normalise`: copies bytes and looks at what follows each slash.
struct PathNormaliser {
    /// What the bytes after the last slash of the output are.
    private enum State: UInt8 {
        /// Something else than the cases below.
        case usual
        /// Nothing.
        case slash
        /// "."
        case dot
        /// ".."
        case dotDot
    }

    private let mergeSlashes: Bool
    private var state = State.usual
    private var hasQuoted = false
    private var hasPlus = false

    init(mergeSlashes: Bool) { self.mergeSlashes = mergeSlashes }

    mutating func run(_ target: ByteView, into writer: inout ByteWriter) -> URI.NormaliseResult {
        let start = writer.count
        var index = 0
        var query: ByteRange?
        if target.isEmpty || target[0] == 0x3f {
            guard writer.append(byte: 0x2f) else { return .full }
            state = .slash
        } else if target[0] != 0x2f {
            return .invalid
        }
        while index < target.count {
            var byte = target[index]
            index &+= 1
            var isPlain = true
            if byte == 0x3f {
                query = queryRange(target, from: index)
                break
            }
            if byte == 0x23 { break }
            if byte == 0 { return .invalid }
            if byte == 0x25 {
                guard let decoded = decode(target, at: index), decoded != 0 else { return .invalid }
                byte = decoded
                index &+= 2
                hasQuoted = true
                // A decoded "%", "#" or "?" is data.
                isPlain = byte != 0x25 && byte != 0x23 && byte != 0x3f
            }
            guard put(byte, isPlain: isPlain, from: start, into: &writer) else {
                return writer.isOverflown ? .full : .invalid
            }
        }
        guard closeDots(from: start, into: &writer) else { return .invalid }
        return .path(pathLength: writer.count &- start, query: query, hasQuoted: hasQuoted, hasPlus: hasPlus)
    }

    private func queryRange(_ target: ByteView, from start: Int) -> ByteRange {
        ByteRange(from: start, to: target.firstIndex(of: 0x23, from: start) ?? target.count)
    }

    private func decode(_ target: ByteView, at index: Int) -> UInt8? {
        guard index &+ 1 < target.count else { return nil }
        let high = ByteClass.hexadecimal(target[index])
        let low = ByteClass.hexadecimal(target[index &+ 1])
        return high < 16 && low < 16 ? high << 4 | low : nil
    }

    /// Appends a byte of the path. False if it does not fit or ".." leaves the root.
    private mutating func put(_ byte: UInt8, isPlain: Bool, from start: Int, into writer: inout ByteWriter) -> Bool {
        if byte == 0x2f, isPlain {
            switch state {
            case .usual: break
            case .slash: if mergeSlashes { return true }
            case .dot, .dotDot: return closeDots(from: start, into: &writer)
            }
            state = .slash
            return writer.append(byte: byte)
        }
        if byte == 0x2b { hasPlus = true }
        if byte == 0x2e, isPlain {
            switch state {
            case .slash: state = .dot
            case .dot: state = .dotDot
            case .dotDot, .usual: state = .usual
            }
        } else {
            state = .usual
        }
        return writer.append(byte: byte)
    }

    /// Takes "." or ".." after the last slash back, with the part before for the latter. False above the root.
    private mutating func closeDots(from start: Int, into writer: inout ByteWriter) -> Bool {
        switch state {
        case .usual, .slash: return true
        case .dot: writer.count &-= 1
        case .dotDot:
            // The output ends in "/..": go to the slash before this one.
            var end = writer.count &- 3
            repeat {
                end &-= 1
                if end < start { return false }
            } while writer.written[end] != 0x2f
            writer.count = end &+ 1
        }
        state = .slash
        return true
    }
}
