extension RequestHeadParser {
    /// Parses the request line up to its line end; each phase goes on where it stopped.
    mutating func parseRequestLine(_ bytes: ByteView) -> RequestLineState.Step {
        if line.phase == .lead {
            switch skipEmptyLines(bytes.prefix(Int(options.maxHeadLength))) {
            case .next: break
            case .wait: return shortage(bytes.count, limit: Int(options.maxHeadLength))
            case .bad(let reason): return .failed(HeadError(reason))
            }
        }
        let limit = min(line.start &+ Int(options.maxLineLength), Int(options.maxHeadLength))
        let limited = bytes.prefix(limit)
        while line.phase != .done {
            switch step(limited) {
            case .next: break
            case .wait: return shortage(limited.count, limit: limit)
            case .bad(let reason):
                return .failed(HeadError(reason, range: ByteRange(from: line.start, to: line.scan)))
            }
        }
        return .done
    }

    @inline(__always)
    private mutating func step(_ bytes: ByteView) -> RequestLineState.Progress {
        switch line.phase {
        case .method: parseMethod(bytes)
        case .beforeTarget: beginTarget(bytes)
        case .scheme: parseScheme(bytes)
        case .authority: parseAuthority(bytes)
        case .path: parsePath(bytes)
        case .query: parseQuery(bytes)
        case .fragment: parseFragment(bytes)
        case .beforeVersion: beginVersion(bytes)
        case .version: parseVersion(bytes)
        case .afterVersion: parseLineEnd(bytes)
        case .lead, .done: .next
        }
    }

    /// More bytes are needed, unless there are as many as allowed.
    private func shortage(_ count: Int, limit: Int) -> RequestLineState.Step {
        guard count >= limit else { return .needMore }
        return .failed(HeadError(.tooLongRequestLine, range: ByteRange(from: line.start, to: limit)))
    }

    private mutating func skipEmptyLines(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count {
            let byte = bytes[index]
            var after = index &+ 1
            if byte == 0x0d {
                guard after < bytes.count else { break }
                guard bytes[after] == 0x0a else { return .bad(.invalidMethod) }
                after &+= 1
            } else if byte != 0x0a || options.strictLineEndings {
                line.start = index
                line.scan = index
                line.phase = .method
                return .next
            }
            line.emptyLines &+= 1
            if line.emptyLines > options.maxLeadingEmptyLines { return .bad(.tooManyEmptyLines) }
            index = after
        }
        line.scan = index
        return .wait
    }

    @inline(__always)
    private mutating func parseMethod(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x20, index > line.start {
                head.methodRange = ByteRange(from: line.start, to: index)
                head.method = Method.lookup(bytes[line.start..<index])
                line.scan = index &+ 1
                line.phase = .beforeTarget
                return .next
            }
            guard byte &- 0x41 < 26 || byte == 0x5f || byte == 0x2d else {
                line.scan = index
                return .bad(.invalidMethod)
            }
            index &+= 1
        }
        line.scan = index
        return .wait
    }

    @inline(__always)
    private mutating func beginTarget(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        line.scan = index
        guard index < bytes.count else { return .wait }
        line.targetStart = index
        let byte = bytes[index]
        if head.method == .connect {
            head.targetForm = .authority
            line.authorityStart = index
            line.phase = .authority
        } else if byte == 0x2f {
            line.pathStart = index
            line.scan = index &+ 1
            line.phase = .path
        } else if byte | 0x20 &- 0x61 < 26 {
            head.targetForm = .absolute
            line.phase = .scheme
        } else if byte == 0x2a, head.method == .options {
            head.targetForm = .asterisk
            line.pathStart = index
            line.scan = index &+ 1
            // Nothing but a space may follow.
            line.phase = .fragment
        } else {
            return .bad(.invalidRequestLine)
        }
        return .next
    }

    /// The path: notes what makes it more than a plain one, and where it ends.
    @inline(__always)
    private mutating func parsePath(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count {
            let byteClass = ByteClass.target(bytes[index])
            if byteClass != 0 {
                switch byteClass {
                case 1, 2: if bytes[index &- 1] == 0x2f { head.flags.insert(.complexPath) }
                case 3: head.flags.insert(.quotedPath)
                case 4:
                    line.queryStart = index &+ 1
                    line.scan = index &+ 1
                    line.phase = .query
                    return .next
                case 5:
                    head.flags.insert(.complexPath)
                    line.fragmentStart = index
                    line.scan = index &+ 1
                    line.phase = .fragment
                    return .next
                case 6: head.flags.insert(.plusInPath)
                default: return endTarget(bytes, at: index)
                }
            }
            index &+= 1
        }
        line.scan = index
        return .wait
    }

    @inline(__always)
    private mutating func parseQuery(_ bytes: ByteView) -> RequestLineState.Progress {
        let index = ByteScan.endOfQuery(bytes, from: line.scan)
        line.scan = index
        guard index < bytes.count else { return .wait }
        guard bytes[index] == 0x23 else { return endTarget(bytes, at: index) }
        line.fragmentStart = index
        line.scan = index &+ 1
        line.phase = .fragment
        return .next
    }

    @inline(never)
    private mutating func parseFragment(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, ByteClass.target(bytes[index]) < 7 {
            if head.targetForm == .asterisk { return .bad(.invalidRequestLine) }
            index &+= 1
        }
        line.scan = index
        return index < bytes.count ? endTarget(bytes, at: index) : .wait
    }

    /// Ends a target with a path, at a space or a control byte.
    @inline(__always)
    private mutating func endTarget(_ bytes: ByteView, at index: Int) -> RequestLineState.Progress {
        let end = line.fragmentStart >= 0 ? line.fragmentStart : index
        let hasQuery = line.queryStart >= 0
        head.pathRange = ByteRange(from: line.pathStart, to: hasQuery ? line.queryStart &- 1 : end)
        if hasQuery { head.queryRange = ByteRange(from: line.queryStart, to: end) }
        head.pathAndQueryRange = ByteRange(from: line.pathStart, to: end)
        return closeTarget(bytes, at: index)
    }

    @inline(__always)
    func closesLine(_ byte: UInt8) -> Bool { byte == 0x0d || byte == 0x0a }

    @inline(__always)
    mutating func closeTarget(_ bytes: ByteView, at index: Int) -> RequestLineState.Progress {
        line.scan = index
        head.targetRange = ByteRange(from: line.targetStart, to: index)
        guard bytes[index] == 0x20 else { return .bad(closesLine(bytes[index]) ? .http09 : .invalidRequestLine) }
        line.phase = .beforeVersion
        return .next
    }
}
