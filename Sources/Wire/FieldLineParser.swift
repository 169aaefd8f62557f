/// Parses field lines, one at a time, up to the empty line: the part that requests, responses and trailers share.
///
/// Resumable inside a line: it keeps the place it has scanned to. Its caller passes the bytes up to the limit of the
/// line's length.
struct FieldLineParser: Sendable {
    enum Step: UInt8 {
        /// `field` holds the line.
        case field
        /// The line's name is not valid; the line is `range`.
        case dropped
        /// The empty line; `position` is after it.
        case end
        case needMore
        /// `range` and `badByte` say where.
        case invalid
    }

    /// How names are judged.
    struct Rules: Sendable {
        /// Classes of `ByteClass.fieldName` that make a name invalid.
        var invalidClasses: UInt8
        /// Whether a line with an invalid name is dropped; else it is kept and flagged, unless it holds bytes that are
        /// no token characters: then it is refused.
        var dropsInvalid: Bool
        var strictLineEndings: Bool
    }

    private enum Phase: UInt8 { case start, name, value }

    /// Where the next line begins.
    private(set) var position: Int
    /// The line that was parsed last.
    private(set) var field = ParsedField(name: ByteRange(), value: ByteRange(), hash: 0, token: .unknown)
    private(set) var range = ByteRange()
    private(set) var badByte: UInt8 = 0
    /// Lines that `nextOfHead` left out because of their names, and the first of them.
    private(set) var droppedCount = 0
    private(set) var firstDropped = ByteRange()
    private var scan: Int
    private var nameEnd = 0
    private var phase = Phase.start
    private var classes: UInt8 = 0

    init(position: Int) {
        self.position = position
        scan = position
    }

    /// What a head's next line is, with its limits applied and invalid names left out.
    enum HeadStep {
        /// `field` holds the line.
        case field
        /// The empty line; `position` is after it.
        case end
        case needMore
        case failed(HeadError)
    }

    /// Parses the next line of a head that is kept.
    ///
    /// - Parameter bytes: the whole head so far.
    @inline(__always)
    mutating func nextOfHead(_ bytes: ByteView, _ rules: Rules, _ options: HeadOptions) -> HeadStep {
        while true {
            let limit = min(position &+ Int(options.maxLineLength), Int(options.maxHeadLength))
            let limited = bytes.prefix(limit)
            switch next(limited, rules) {
            case .field: return .field
            case .dropped:
                if droppedCount == 0 { firstDropped = range }
                droppedCount &+= 1
            case .end: return .end
            case .needMore:
                guard limited.count == limit else { return .needMore }
                let reason: HeadError.Reason = limit == Int(options.maxHeadLength) ? .tooLargeHead : .tooLongHeaderLine
                return .failed(HeadError(reason, range: ByteRange(from: position, to: limit)))
            case .invalid: return .failed(HeadError(.invalidHeaderLine, range: range, byte: badByte))
            }
        }
    }

    /// Parses the next line. O(bytes not yet scanned).
    @inline(__always)
    mutating func next(_ bytes: ByteView, _ rules: Rules) -> Step {
        if phase == .start {
            guard position < bytes.count else { return .needMore }
            let byte = bytes[position]
            if byte == 0x0d || byte == 0x0a { return emptyLine(bytes, rules) }
            scan = position
            classes = 0
            phase = .name
        }
        if phase == .name {
            var index = ByteScan.endOfPlainName(bytes, from: scan)
            var seen = classes
            while index < bytes.count {
                let byteClass = ByteClass.fieldName(bytes[index])
                if byteClass == 1 { break }
                seen |= byteClass
                index &+= 1
            }
            classes = seen
            scan = index
            guard index < bytes.count else { return .needMore }
            guard bytes[index] == 0x3a, index > position else { return invalid(bytes, at: index) }
            nameEnd = index
            scan = index &+ 1
            phase = .value
        }
        return value(bytes, rules)
    }

    @inline(__always)
    private mutating func value(_ bytes: ByteView, _ rules: Rules) -> Step {
        var end = ByteScan.firstControl(bytes, from: scan)
        while end < bytes.count, bytes[end] == 0x09 { end = ByteScan.firstControl(bytes, from: end &+ 1) }
        scan = end
        guard end < bytes.count else { return .needMore }
        var after = end &+ 1
        if bytes[end] == 0x0d {
            guard after < bytes.count else { return .needMore }
            guard bytes[after] == 0x0a else { return invalid(bytes, at: end) }
            after &+= 1
        } else if bytes[end] != 0x0a || rules.strictLineEndings {
            return invalid(bytes, at: end)
        }
        return finish(bytes, end: end, after: after, rules)
    }

    @inline(__always)
    private mutating func finish(_ bytes: ByteView, end: Int, after: Int, _ rules: Rules) -> Step {
        let lineStart = position
        if classes & (rules.invalidClasses | 8) != 0 {
            if rules.dropsInvalid {
                range = ByteRange(from: lineStart, to: end)
                advance(to: after)
                return .dropped
            }
            if classes & 8 != 0 { return invalid(bytes, at: nameEnd) }
        }
        var first = nameEnd &+ 1
        var last = end
        while first < last, bytes[first] == 0x20 || bytes[first] == 0x09 { first &+= 1 }
        while last > first, bytes[last &- 1] == 0x20 || bytes[last &- 1] == 0x09 { last &-= 1 }
        let length = nameEnd &- lineStart
        let firstWord = bytes.foldedWord(at: lineStart, length: min(8, length))
        let lastWord = length > 8 ? bytes.foldedWord(at: nameEnd &- 8, length: 8) : 0
        var token = classes == 0 ? HeaderToken.candidate(length: length, first: firstWord, last: lastWord) : .unknown
        if length > 16, token != .unknown, !token.name.equalsIgnoringCase(bytes[lineStart..<nameEnd]) {
            token = .unknown
        }
        var flags: ParsedField.Flags = []
        if token.isHopByHop { flags = .hopByHop }
        if classes & rules.invalidClasses != 0 { flags.insert(.invalidName) }
        field = ParsedField(
            name: ByteRange(from: lineStart, to: nameEnd), value: ByteRange(from: first, to: last),
            hash: FieldHash.mix(length: length, first: firstWord, last: lastWord), token: token, flags: flags)
        advance(to: after)
        return .field
    }

    @inline(__always)
    private mutating func advance(to position: Int) {
        self.position = position
        scan = position
        phase = .start
    }

    @inline(never)
    private mutating func emptyLine(_ bytes: ByteView, _ rules: Rules) -> Step {
        var after = position &+ 1
        if bytes[position] == 0x0d {
            guard after < bytes.count else { return .needMore }
            guard bytes[after] == 0x0a else { return invalid(bytes, at: position) }
            after &+= 1
        } else if rules.strictLineEndings {
            return invalid(bytes, at: position)
        }
        range = ByteRange(from: position, to: position)
        advance(to: after)
        return .end
    }

    @inline(never)
    private mutating func invalid(_ bytes: ByteView, at index: Int) -> Step {
        range = ByteRange(from: position, to: index)
        badByte = bytes[index]
        return .invalid
    }
}
