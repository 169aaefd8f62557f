/// The PROXY protocol, versions 1 and 2.
public enum ProxyProtocol {
    public enum Outcome: Equatable, Sendable {
        /// What there is could become a header: call again with more.
        case needMore
        case complete(ProxyProtocolHeader)
        /// Not a PROXY header: close the connection ("broken header").
        case failed
    }

    /// Longest version 1 header, in bytes.
    public static var maxV1Length: Int { 107 }
    /// Longest header that is accepted, in bytes.
    public static var maxLength: Int { 4096 }

    /// Parses what a connection begins with. O(length of the header).
    ///
    /// - Parameter bytes: all bytes so far.
    public static func parse(_ bytes: ByteView) -> Outcome {
        let signature: ByteView = "\r\n\r\n\0\r\nQUIT\n"
        let known = min(bytes.count, signature.count)
        if bytes.prefix(known) == signature.prefix(known) {
            return known < signature.count ? .needMore : parseV2(bytes)
        }
        let start: ByteView = "PROXY "
        let begun = min(bytes.count, start.count)
        guard bytes.prefix(begun) == start.prefix(begun) else { return .failed }
        return begun < start.count ? .needMore : parseV1(bytes)
    }

    // MARK: Version 1

    private static func parseV1(_ bytes: ByteView) -> Outcome {
        let line = bytes.prefix(maxV1Length)
        guard let end = line.firstIndex(of: 0x0a) else {
            return bytes.count < maxV1Length && isV1Text(line, mayEndInCR: true) ? .needMore : .failed
        }
        guard line[end &- 1] == 0x0d else { return .failed }
        var header = ProxyProtocolHeader(length: end &+ 1)
        let text = line.prefix(end &- 1)
        guard isV1Text(text, mayEndInCR: false) else { return .failed }
        var index = 6
        let family = word(text, &index)
        if family.view(text).hasPrefix("UNKNOWN") { return .complete(header) }
        let isIPv6 = family.view(text) == "TCP6"
        guard isIPv6 || family.view(text) == "TCP4" else { return .failed }
        header.sourceText = word(text, &index)
        header.destinationText = word(text, &index)
        let sourcePort = word(text, &index).view(text)
        let destinationPort = word(text, &index).view(text)
        guard index > text.count,
            let source = address(header.sourceText.view(text), sourcePort, isIPv6),
            let destination = address(header.destinationText.view(text), destinationPort, isIPv6)
        else { return .failed }
        header.source = source
        header.destination = destination
        return .complete(header)
    }

    /// No control bytes, but perhaps the CR of a line end of which the LF is still to come.
    private static func isV1Text(_ text: ByteView, mayEndInCR: Bool) -> Bool {
        for index in 0..<text.count where text[index] < 0x20 || text[index] >= 0x7f {
            if !mayEndInCR || text[index] != 0x0d || index &+ 1 != text.count { return false }
        }
        return true
    }

    /// The word up to one space or the end; moves behind the space, or beyond the end.
    private static func word(_ text: ByteView, _ index: inout Int) -> ByteRange {
        guard index <= text.count else { return ByteRange() }
        let start = index
        let end = text.firstIndex(of: 0x20, from: start) ?? text.count
        index = end &+ 1
        return ByteRange(from: start, to: end)
    }

    private static func address(_ text: ByteView, _ portText: ByteView, _ isIPv6: Bool) -> IPAddress? {
        guard portText.count <= 5, let number = Decimal.parse(portText), number <= 65535 else { return nil }
        let port = UInt16(truncatingIfNeeded: number)
        if isIPv6 {
            guard let address = IPAddress.parseIPv6(text) else { return nil }
            return IPAddress(high: address.high, low: address.low, port: port, isIPv6: true)
        }
        guard let address = IPAddress.parseIPv4(text) else { return nil }
        return IPAddress(low: UInt64(address), port: port, isIPv6: false)
    }
}
