/// A response as it came over the wire, taken apart by a deliberately strict reader: anything that a careful client
/// would not accept is an error, so every test that reads a reply also checks its framing.
public struct Reply: Sendable, CustomStringConvertible {
    public let version: String
    public let status: Int
    public let reason: String
    public let headers: [(name: String, value: String)]
    public let body: Bytes
    /// The head exactly as received, with its empty line.
    public let head: Bytes
    /// Header fields that came after the last chunk.
    public let trailers: [(name: String, value: String)]

    public var description: String { head.text + (body.count > 2_000 ? "(\(body.count) bytes)" : body.text) }

    /// The body as text.
    public var text: String { body.text }

    /// The value of a field, nil when absent; several lines are joined by ", ".
    public subscript(_ name: String) -> String? {
        let values = all(name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// The values of each line with this name, in order.
    public func all(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// Splits a head (up to and with the empty line) into the start line and the fields. Strict: CRLF only.
    static func parseHead(_ head: Bytes) throws -> (start: String, headers: [(name: String, value: String)]) {
        let text = head.text
        guard text.hasSuffix("\r\n\r\n") else { throw KitError("head without an empty line: \(text)") }
        let lines = Bytes(head.dropLast(4)).splitLines()
        guard let start = lines.first else { throw KitError("empty head") }
        var headers: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw KitError("field without a colon: \(line)") }
            let name = String(line[..<colon])
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { throw KitError("bad field name in: \(line)") }
            guard !line.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else { throw KitError("control byte in: \(line)") }
            var value = line[line.index(after: colon)...]
            while value.first == " " || value.first == "\t" { value.removeFirst() }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            headers.append((name, String(value)))
        }
        return (start, headers)
    }
}

extension Array where Element == UInt8 {
    /// Lines without their CRLF; a sole LF does not end a line.
    func splitLines() -> [String] {
        var lines: [String] = [], start = 0
        while let end = firstRange(of: [13, 10], from: start) {
            lines.append(Bytes(self[start..<end.lowerBound]).text)
            start = end.upperBound
        }
        lines.append(Bytes(self[start...]).text)
        return lines
    }
}
