extension RequestHeadParser {
    /// The scheme of the absolute form and "://".
    @inline(never)
    mutating func parseScheme(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, isSchemeByte(bytes[index]) { index &+= 1 }
        line.scan = index
        guard index < bytes.count else { return .wait }
        let rest: ByteView = "://"
        var place = 0
        while place < rest.count {
            guard index &+ place < bytes.count else { return .wait }
            guard bytes[index &+ place] == rest[place] else { return .bad(.invalidRequestLine) }
            place &+= 1
        }
        head.schemeRange = ByteRange(from: line.targetStart, to: index)
        line.authorityStart = index &+ 3
        line.scan = index &+ 3
        line.phase = .authority
        return .next
    }

    private func isSchemeByte(_ byte: UInt8) -> Bool {
        byte | 0x20 &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2b || byte == 0x2d || byte == 0x2e
    }

    /// The authority, up to "/", "?", a space or the end of the line.
    @inline(never)
    mutating func parseAuthority(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, !endsAuthority(bytes[index]) { index &+= 1 }
        line.scan = index
        guard index < bytes.count else { return .wait }
        let range = ByteRange(from: line.authorityStart, to: index)
        guard let host = HostValidator.validate(range.view(bytes)) else { return .bad(.invalidHostInRequestLine) }
        head.authorityRange = range
        setServerName(host, at: range)
        if head.method == .connect {
            guard host.port != nil, bytes[index] == 0x20 else { return .bad(.invalidRequestLine) }
            return closeTarget(bytes, at: index)
        }
        switch bytes[index] {
        case 0x2f:
            line.pathStart = index
            line.scan = index &+ 1
            line.phase = .path
            return .next
        case 0x3f:
            head.flags.insert(.emptyPath)
            line.pathStart = index
            line.queryStart = index &+ 1
            line.scan = index &+ 1
            line.phase = .query
            return .next
        default:
            // "/" is meant: the first one of "://" stands for it, so that the path is in the buffer.
            setPath(ByteRange(from: line.authorityStart &- 2, to: line.authorityStart &- 1))
            return closeTarget(bytes, at: index)
        }
    }

    private func endsAuthority(_ byte: UInt8) -> Bool {
        byte == 0x2f || byte == 0x3f || byte <= 0x20 || byte == 0x7f
    }

    mutating func setPath(_ range: ByteRange) {
        head.pathRange = range
        head.pathAndQueryRange = range
    }
}
