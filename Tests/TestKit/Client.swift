import Foundation

/// A client that sends exactly the bytes it is given and reads replies strictly.
public final class Client {
    public let socket: Socket
    private var buffer = Bytes()
    private var ended = false
    /// Bytes that came so far.
    public private(set) var received = 0
    private let timeout: Double

    /// Connects to a port on 127.0.0.1. `timeout` bounds every read, in seconds.
    public init(_ port: Int, timeout: Double = 30, receiveBuffer: Int32? = nil, source: String? = nil) throws {
        socket = try Socket(port: port, receiveBuffer: receiveBuffer, source: source)
        self.timeout = timeout
    }

    /// Wraps a connected socket, for example one to a unix path.
    public init(_ socket: Socket, timeout: Double = 30) {
        self.socket = socket
        self.timeout = timeout
    }

    public func send(_ text: String) throws { try socket.send(Bytes(text)) }
    public func send(_ bytes: Bytes) throws { try socket.send(bytes) }

    /// Sends a request with Host: a.example and the given fields (without line ends), and reads the reply.
    public func request(_ method: String = "GET", _ target: String = "/", _ fields: [String] = [], body: Bytes = []) throws -> Reply {
        try send(Client.head(method, target, fields, bodyCount: body.count) + body)
        return try readReply(method: method)
    }

    /// The bytes of a request head. A Host field is added unless one is given, a Content-Length where there is a body.
    public static func head(_ method: String, _ target: String, _ fields: [String] = [], bodyCount: Int = 0) -> Bytes {
        var lines = ["\(method) \(target) HTTP/1.1"]
        if !fields.contains(where: { $0.lowercased().hasPrefix("host:") }) { lines.append("Host: a.example") }
        lines += fields
        let framed = fields.contains { $0.lowercased().hasPrefix("content-length:") || $0.lowercased().hasPrefix("transfer-encoding:") }
        if bodyCount > 0 && !framed { lines.append("Content-Length: \(bodyCount)") }
        return Bytes(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// Reads one reply by its framing. Interim replies (100, 103) are returned like any other.
    public func readReply(method: String = "GET") throws -> Reply {
        let head = try readUntil("\r\n\r\n")
        let (start, headers) = try Reply.parseHead(head)
        let words = start.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].count == 3, let status = Int(words[1]) else {
            throw KitError("bad status line: \(start)")
        }
        func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }
        let lengths = values("content-length"), codings = values("transfer-encoding")
        guard lengths.count <= 1, lengths.isEmpty || codings.isEmpty else { throw KitError("ambiguous framing: \(head.text)") }
        var body = Bytes(), trailers: [(name: String, value: String)] = []
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            // no body whatever the fields say
        } else if !codings.isEmpty {
            guard codings == ["chunked"] else { throw KitError("unknown coding \(codings)") }
            (body, trailers) = try readChunks()
        } else if let length = lengths.first {
            guard let count = Int(length), count >= 0 else { throw KitError("bad length \(length)") }
            body = try readExactly(count)
        } else {
            body = try readToEnd()
        }
        return Reply(version: String(words[0]), status: status, reason: words.count > 2 ? String(words[2]) : "",
                     headers: headers, body: body, head: head, trailers: trailers)
    }

    /// Reads up to and including `marker`.
    public func readUntil(_ marker: String) throws -> Bytes {
        let pattern = Bytes(marker), deadline = Deadline(seconds: timeout)
        var searched = 0
        while true {
            if let range = buffer.firstRange(of: pattern, from: searched) { return take(range.upperBound) }
            searched = max(0, buffer.count - pattern.count)
            try fill(deadline, "waiting for \(marker.debugDescription)")
        }
    }

    /// Reads exactly `count` bytes.
    public func readExactly(_ count: Int) throws -> Bytes {
        let deadline = Deadline(seconds: timeout)
        while buffer.count < count { try fill(deadline, "waiting for \(count) bytes, got \(buffer.count)") }
        return take(count)
    }

    /// Reads until the peer ends the stream. Throws on a reset or when it stays open.
    public func readToEnd() throws -> Bytes {
        let deadline = Deadline(seconds: timeout)
        while !ended {
            switch socket.receive(until: deadline) {
            case .bytes(let bytes):
                buffer += bytes
                received += bytes.count
            case .end: ended = true
            case .reset: throw KitError("reset by the peer after \(buffer.count) bytes", isClose: true)
            case .timeout: throw KitError("still open; so far: \(Bytes(buffer.prefix(500)).text)")
            }
        }
        return take(buffer.count)
    }

    /// Everything that comes until the end, a reset or the timeout; never throws.
    public func drain(seconds: Double = 2) -> (bytes: Bytes, how: Socket.Received) {
        let deadline = Deadline(seconds: seconds)
        while true {
            let received = socket.receive(until: deadline)
            guard case .bytes(let bytes) = received else {
                ended = ended || received != .timeout
                return (take(buffer.count), received)
            }
            buffer += bytes
        }
    }

    /// Whether the peer ends or resets the connection within `seconds` without sending anything more.
    public func isClosedByPeer(within seconds: Double = 30) -> Bool {
        if !buffer.isEmpty { return false }
        if ended { return true }
        switch socket.receive(until: Deadline(seconds: seconds)) {
        case .end, .reset:
            ended = true
            return true
        case .timeout: return false
        case .bytes(let bytes):
            buffer += bytes
            return false
        }
    }

    /// Whether nothing comes for `seconds`: no byte, no end.
    public func isQuiet(for seconds: Double) -> Bool {
        guard buffer.isEmpty, !ended else { return false }
        guard case .bytes(let bytes) = socket.receive(until: Deadline(seconds: seconds)) else { return !isEndedNow() }
        buffer += bytes
        return false
    }

    /// The next byte, nil when the stream ends before one comes.
    func nextByte() -> UInt8? {
        if buffer.isEmpty, case .bytes(let bytes) = socket.receive(until: Deadline(seconds: timeout)) { buffer += bytes }
        return buffer.isEmpty ? nil : take(1)[0]
    }

    /// A chunked body, without its trailers.
    public func readChunked() throws -> Bytes { try readChunks().0 }

    public func halfClose() { socket.halfClose() }
    public func reset() { socket.reset() }
    public func close() { socket.close() }

    private func isEndedNow() -> Bool {
        if case .timeout = socket.receive(until: Deadline(seconds: 0)) { return false }
        return true
    }

    private func readChunks() throws -> (Bytes, [(name: String, value: String)]) {
        var body = Bytes()
        while true {
            let line = Bytes(try readUntil("\r\n").dropLast(2)).text    // as text, CRLF is one character
            guard !line.isEmpty, line.allSatisfy(\.isHexDigit), let size = Int(line, radix: 16) else {
                throw KitError("bad chunk size \(line.debugDescription)")
            }
            if size == 0 { break }
            body += try readExactly(size)
            guard try readExactly(2) == [13, 10] else { throw KitError("chunk without its CRLF") }
        }
        var trailers = Bytes("x\r\n")
        while true {
            let line = try readUntil("\r\n")
            trailers += line
            if line.count == 2 { break }
        }
        return (body, try Reply.parseHead(trailers).headers)
    }

    private func take(_ count: Int) -> Bytes {
        let result = Bytes(buffer[0..<count])
        buffer.removeFirst(count)
        return result
    }

    private func fill(_ deadline: Deadline, _ purpose: String) throws {
        switch socket.receive(until: deadline) {
        case .bytes(let bytes):
            buffer += bytes
            received += bytes.count
        case .end:
            ended = true
            throw KitError("end of stream while \(purpose); had: \(Bytes(buffer.prefix(500)).text)", isClose: true)
        case .reset: throw KitError("reset while \(purpose); had: \(Bytes(buffer.prefix(500)).text)", isClose: true)
        case .timeout: throw KitError("timed out while \(purpose); had: \(Bytes(buffer.prefix(500)).text)")
        }
    }
}

extension Client {
    /// One request on a connection of its own.
    public static func get(_ port: Int, _ target: String = "/", _ fields: [String] = [], method: String = "GET",
                           body: Bytes = [], timeout: Double = 30) throws -> Reply {
        let client = try Client(port, timeout: timeout)
        defer { client.close() }
        return try client.request(method, target, fields, body: body)
    }

    /// Sends raw text on a connection of its own and reads until the peer closes.
    public static func exchange(_ port: Int, _ text: String, timeout: Double = 30) throws -> String {
        let client = try Client(port, timeout: timeout)
        defer { client.close() }
        try client.send(text)
        return try client.readToEnd().text
    }
}
