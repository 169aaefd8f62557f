/// Reads HTTP/1 messages strictly, and shares no code with the product: the second opinion on what went over the wire.
struct MessageReader {
    enum Framing: Equatable { case none, length(Int), chunked, untilEnd }
    enum Event: Equatable {
        case head([String], Framing)
        case body([UInt8])
        /// The message is complete.
        case end
        case wrong(String)
    }

    private enum State: Equatable { case head, body(Int), chunkSize, chunk(Int), chunkEnd, trailers, untilEnd, wrong }

    /// Requests, not answers.
    let readsRequests: Bool
    private var state = State.head
    private var bytes: [UInt8] = []
    private var start = 0

    init(requests: Bool) { readsRequests = requests }

    /// Nothing of a message was seen yet.
    var isBetweenMessages: Bool { state == .head && start == bytes.count }
    /// Only the end of the connection ends the message.
    var isUntilEnd: Bool { state == .untilEnd }

    mutating func append(_ more: [UInt8]) {
        if start == bytes.count {
            bytes = more
            start = 0
        } else {
            bytes += more
        }
    }

    /// The next part of the message.
    /// - Parameter hasNoBody: of an answer that its head does not show to be without a body (HEAD).
    mutating func next(hasNoBody: Bool = false) -> Event? {
        switch state {
        case .wrong: return nil
        case .head: return readHead(hasNoBody)
        case .untilEnd: return take(.max).map { .body($0) }
        case .body(let left): return readPart(left) { $0 == 0 ? .head : .body($0) }
        case .chunk(let left): return readPart(left) { $0 == 0 ? .chunkEnd : .chunk($0) }
        case .chunkSize:
            guard let line = line() else { return nil }
            guard let size = Int(line, radix: 16), !line.hasPrefix("+"), !line.hasPrefix("-") else { return fail("chunk size \(line)") }
            state = size == 0 ? .trailers : .chunk(size)
            return next()
        case .chunkEnd:
            guard let line = line() else { return nil }
            guard line.isEmpty else { return fail("no line end after a chunk") }
            state = .chunkSize
            return next()
        case .trailers:
            guard let line = line() else { return nil }
            guard line.isEmpty else { return next() }
            state = .head
            return .end
        }
    }

    private mutating func fail(_ why: String) -> Event {
        state = .wrong
        return .wrong(why)
    }

    private mutating func take(_ limit: Int) -> [UInt8]? {
        guard start < bytes.count else { return nil }
        let end = limit > bytes.count - start ? bytes.count : start + limit
        defer { start = end }
        return Array(bytes[start..<end])
    }

    private mutating func readPart(_ left: Int, _ then: (Int) -> State) -> Event? {
        if left == 0 {
            state = .head
            return .end
        }
        guard let part = take(left) else { return nil }
        state = then(left - part.count)
        // A body of known length is complete with its last byte: the next call says so.
        if state == .head { state = .body(0) }
        return .body(part)
    }

    /// A line without its CR LF; nil: not all there.
    private mutating func line() -> String? {
        var end = start
        while end < bytes.count, bytes[end] != 0x0a { end += 1 }
        guard end < bytes.count else { return nil }
        defer { start = end + 1 }
        guard end > start, bytes[end - 1] == 0x0d else { return "\u{1}bare line feed" }
        return String(decoding: bytes[start..<(end - 1)], as: UTF8.self)
    }

    private mutating func readHead(_ hasNoBody: Bool) -> Event? {
        var search = start
        var lineStart = start
        var isComplete = false
        while search < bytes.count, !isComplete {
            if bytes[search] == 0x0a {
                isComplete = search - lineStart <= 1 && search > start + 1
                lineStart = search + 1
            }
            search += 1
        }
        guard isComplete else { return nil }
        var lines: [String] = []
        while let line = line(), !line.isEmpty { lines.append(line) }
        guard !lines.contains(where: { $0.hasPrefix("\u{1}") || $0.unicodeScalars.contains { $0.value < 0x20 && $0.value != 9 } })
        else { return fail("control bytes in a head: \(lines)") }
        switch framing(lines, hasNoBody) {
        case .success(let framing):
            switch framing {
            case .none: state = .body(0)
            case .length(let count): state = .body(count)
            case .chunked: state = .chunkSize
            case .untilEnd: state = .untilEnd
            }
            return .head(lines, framing)
        case .failure(let why): return fail(why.text)
        }
    }

    private struct Wrong: Error { let text: String }

    private func framing(_ lines: [String], _ hasNoBody: Bool) -> Result<Framing, Wrong> {
        let lengths = lines.values("content-length")
        let codings = lines.values("transfer-encoding")
        if lengths.count > 1 || codings.count > 1 || !lengths.isEmpty && !codings.isEmpty {
            return .failure(Wrong(text: "ambiguous framing: \(lines)"))
        }
        if !readsRequests {
            guard let status = lines.status else { return .failure(Wrong(text: "status line \(lines[0])")) }
            if hasNoBody || status < 200 || status == 204 || status == 304 { return .success(.none) }
        }
        if let coding = codings.first { return coding == "chunked" ? .success(.chunked) : .failure(Wrong(text: coding)) }
        if let length = lengths.first {
            guard let count = Int(length), count >= 0 else { return .failure(Wrong(text: "length \(length)")) }
            return .success(.length(count))
        }
        return .success(readsRequests ? .none : .untilEnd)
    }
}

extension [String] {
    /// Values of a field of a head.
    func values(_ name: String) -> [String] {
        dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    /// Status of an answer; nil when the line is none of HTTP/1.1.
    var status: Int? {
        let parts = self[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "HTTP/1.1", parts[1].count == 3 else { return nil }
        return Int(parts[1])
    }
}
