extension RequestHeadParser {
    @inline(__always)
    mutating func beginVersion(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        line.scan = index
        guard index < bytes.count else { return .wait }
        guard bytes[index] == 0x48 else {
            return .bad(closesLine(bytes[index]) ? .http09 : .invalidRequestLine)
        }
        line.versionStart = index
        line.phase = .version
        return .next
    }

    /// "HTTP/1.0" or "HTTP/1.1"; another minor version counts as 1.1, another major version is 505.
    @inline(__always)
    mutating func parseVersion(_ bytes: ByteView) -> RequestLineState.Progress {
        if line.versionStart <= bytes.count &- 8 {
            switch bytes.word(at: line.versionStart) {
            case 0x312e_312f_5054_5448: return endVersion(major: 1, minor: 1)
            case 0x302e_312f_5054_5448: return endVersion(major: 1, minor: 0)
            default: break
            }
        }
        return parseOddVersion(bytes)
    }

    /// Byte by byte, so that the first wrong byte is the answer whatever was received with it.
    @inline(never)
    private mutating func parseOddVersion(_ bytes: ByteView) -> RequestLineState.Progress {
        let name: ByteView = "HTTP/1."
        var index = 0
        while index < 8 {
            let at = line.versionStart &+ index
            guard at < bytes.count else { return .wait }
            let byte = bytes[at]
            line.scan = at
            if index == 7 {
                guard byte &- 0x30 < 10 else { return .bad(.invalidRequestLine) }
                return endVersion(major: 1, minor: byte &- 0x30)
            }
            if byte != name[index] {
                // A major version other than 1: two or more digits, or one of 2...9.
                let isDigit = byte &- 0x30 < 10
                let isOther = index == 5 && isDigit && byte != 0x30 || index == 6 && isDigit
                return .bad(isOther ? .invalidVersion : .invalidRequestLine)
            }
            index &+= 1
        }
        return .wait
    }

    @inline(__always)
    private mutating func endVersion(major: UInt8, minor: UInt8) -> RequestLineState.Progress {
        head.versionMajor = major
        head.versionMinor = minor
        head.protocolRange = ByteRange(from: line.versionStart, to: line.versionStart &+ 8)
        line.scan = line.versionStart &+ 8
        line.phase = .afterVersion
        return .next
    }

    @inline(__always)
    mutating func parseLineEnd(_ bytes: ByteView) -> RequestLineState.Progress {
        var index = line.scan
        while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        line.scan = index
        guard index < bytes.count else { return .wait }
        var after = index &+ 1
        if bytes[index] == 0x0d {
            guard after < bytes.count else { return .wait }
            guard bytes[after] == 0x0a else { return .bad(.invalidRequestLine) }
            after &+= 1
        } else if bytes[index] != 0x0a || options.strictLineEndings {
            return .bad(.invalidRequestLine)
        }
        head.lineRange = ByteRange(from: line.start, to: index)
        if head.method == .connect {
            // The slash of "HTTP/" stands for the path, as in nginx.
            setPath(ByteRange(from: line.versionStart &+ 4, to: line.versionStart &+ 5))
        }
        line.scan = after
        line.phase = .done
        return .next
    }
}
