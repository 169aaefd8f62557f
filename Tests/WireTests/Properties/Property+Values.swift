internal import Wire

extension Property {
    /// PROXY headers: a prefix asks for more or gives the same answer, which lies within the bytes.
    package static func proxyProtocol(_ input: [UInt8]) -> String? {
        let whole = withView(input) { ProxyProtocol.parse($0) }
        for step in steps(input) {
            let part = withView(input.prefix(step)) { ProxyProtocol.parse($0) }
            if part != .needMore && part != whole { return "a prefix gives another answer" }
        }
        guard case .complete(let header) = whole else {
            return whole == .needMore && input.count >= ProxyProtocol.maxLength ? "needs more than the limit" : nil
        }
        if header.length > input.count || header.tlvs.end > header.length { return "longer than the input" }
        return withView(input) { view in
            for name in ["alpn", "ssl_cn", "ssl_verify", "0x30"] as [ByteView] {
                _ = writing(input.count + 10) { ProxyProtocol.writeTLV(name, header, view, into: &$0) }
            }
            return max(header.sourceText.end, header.destinationText.end) > header.length ? "text outside" : nil
        }
    }

    /// Parsers of field values. The first byte chooses one.
    package static func fieldValues(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        return withView(input.dropFirst()) { view in
            switch choice % 8 {
            case 0: date(view)
            case 1: ranges(view)
            case 2: host(view)
            case 3: lists(view)
            case 4: base64(view)
            case 5: logEscape(view)
            case 6: hashes(view)
            default: cookies(view)
            }
        }
    }

    private static func date(_ view: ByteView) -> String? {
        guard let seconds = HTTPDate.parse(view) else { return nil }
        guard let text = writing(29, { HTTPDate.write(seconds, into: &$0) }) else { return "a date does not fit" }
        guard withView(text, { HTTPDate.parse($0) }) == seconds else { return "a date is read as another" }
        let offset = Int32(truncatingIfNeeded: seconds)
        let fits = writing(26) { HTTPDate.writeLogTime(seconds, offsetSeconds: offset, into: &$0) } != nil
        return fits ? nil : "a log time does not fit"
    }

    private static func ranges(_ view: ByteView) -> String? {
        var set = ByteRangeSet()
        for size in [0, 1, 1000, UInt64(Int64.max)] {
            guard set.parse(view, size: size, maxRanges: 5) == .partial else { continue }
            if set.ranges.isEmpty || set.ranges.count > 5 { return "a wrong number of ranges" }
            if set.ranges.contains(where: { $0.isEmpty || $0.upperBound > size }) { return "a range outside the whole" }
        }
        if let value = Decimal.parse(view), value > UInt64(Int64.max) { return "a number that is too large" }
        return nil
    }

    private static func host(_ view: ByteView) -> String? {
        guard let host = HostValidator.validate(view) else { return nil }
        let name = view[host.host]
        if name.isEmpty { return "an empty host" }
        guard let again = HostValidator.validate(name), again.port == nil, again.host == 0..<name.count else {
            return "a host is no host"
        }
        guard let lower = writing(name.count, { $0.append(lowercased: name) }) else { return "it does not fit" }
        return (lower != name.array) == host.needsLowercase ? nil : "a wrong flag"
    }

    private static func lists(_ view: ByteView) -> String? {
        var offset = 0
        var count = 0
        while let member = HeaderList.next(view, &offset) {
            if member.isEmpty { return "an empty member" }
            count += 1
            if count > view.count { return "an endless list" }
        }
        _ = AcceptEncoding.acceptsGzip(view)
        let tag = view.prefix(4)
        if EntityTagList.matches(view, tag: tag, weak: false), !EntityTagList.matches(view, tag: tag, weak: true) {
            return "a strong match is not a weak one"
        }
        return nil
    }

    private static func base64(_ view: ByteView) -> String? {
        let length = (view.count + 2) / 3 * 4
        guard let text = writing(length, { Base64.encode(view, into: &$0) }) else { return "it does not fit" }
        if text.count != length { return "a wrong length" }
        if withView(text, { text in writing(view.count) { Base64.decode(text, into: &$0) } }) != view.array {
            return "not undone"
        }
        _ = writing(view.count) { Base64.decode(view, urlSafe: true, into: &$0) }
        return nil
    }

    private static func logEscape(_ view: ByteView) -> String? {
        guard let text = writing(view.count * 4, { LogEscape.default.write(view, into: &$0) }) else {
            return "it does not fit"
        }
        if text.contains(where: { $0 < 0x20 || $0 >= 0x7f || $0 == 0x22 }) { return "a byte is not escaped" }
        guard let json = writing(view.count * 6, { LogEscape.json.write(view, into: &$0) }) else {
            return "JSON does not fit"
        }
        return json.contains(where: { $0 < 0x20 }) ? "a control byte in JSON" : nil
    }

    private static func hashes(_ view: ByteView) -> String? {
        let half = view.count / 2
        var crc = CRC32()
        crc.update(view.prefix(half))
        for index in half..<view.count { crc.update(byte: view[index]) }
        if crc.value != CRC32.of(view) { return "CRC-32 in parts differs" }
        var (parts, whole) = (MD5(), MD5())
        parts.update(view.prefix(half))
        parts.update(view.dropFirst(half))
        whole.update(view)
        if parts.digest() != whole.digest() { return "MD5 in parts differs" }
        _ = MurmurHash2.hash(view)
        return IPHash.hash(view) < 6271 ? nil : "a wrong hash"
    }

    private static func cookies(_ view: ByteView) -> String? {
        let name = view.prefix(view.firstIndex(of: 0x3d) ?? 0)
        if let value = Cookie.value(name, in: view), value.contains(0x3b) { return "two cookies in one" }
        if let value = Cookie.value(name, setBy: view), value.contains(0x3b) { return "an attribute in a cookie" }
        if !name.isEmpty, name.first != 0x20, name.last != 0x20, !name.contains(0x3b),
            Cookie.value(name, in: view) == nil
        {
            return "a cookie is not found"
        }
        return nil
    }
}
