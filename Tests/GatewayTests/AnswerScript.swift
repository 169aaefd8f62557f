import Machine

/// The bytes of one answer of an origin.
struct AnswerScript {
    let request: Int
    let attempt: Int
    let method: String
    let fault: OriginFault?
    var closes = false
    private(set) var answer: OriginAnswer?

    init(request: Int, attempt: Int, method: String, fault: OriginFault?) {
        self.request = request
        self.attempt = attempt
        self.method = method
        self.fault = fault
    }

    /// - Parameter isOldVersion: the request was HTTP/1.0, so no chunks.
    mutating func write(_ random: inout RandomSource, isOldVersion: Bool) -> [UInt8] {
        let number = request * 31 + attempt
        var count = [0, 1, 40, 900, 2500, 9000, 40_000, 250_000][Int(random.next(below: 8) * random.next(below: 8) / 7)]
        if count > 1 { count += Int(random.next(below: 60)) }
        if fault?.isAfterHead == true { count = max(count, 10) }
        var status = [200, 200, 200, 200, 201, 404, 500, 204, 304][Int(random.next(below: 9))]
        if fault?.isAfterHead == true { status = 200 }
        if fault == .unavailable { status = 503 }
        var framing = [MessageReader.Framing.length(count), .length(count), .chunked, .untilEnd][Int(random.next(below: 4))]
        if isOldVersion, framing == .chunked { framing = .untilEnd }
        if fault == .badChunk { framing = .chunked }
        // The end of such a body and its cut look alike.
        if framing == .untilEnd, fault == .cutsBody || fault == .stopsInBody { framing = .length(count) }
        if framing == .untilEnd { closes = true }
        let hasBody = method != "HEAD" && status != 204 && status != 304
        answer = OriginAnswer(number: number, count: hasBody ? count : 0, status: status, framing: framing)
        var bytes = head(status, framing, hasBody: hasBody, &random)
        if let cut = cutHead(bytes, &random) { return cut }
        guard hasBody else { return bytes }
        let body = SimulatedBody.bytes(number, count: count)
        let framed = framing == .chunked ? chunks(body, &random) : body
        switch fault {
        case .cutsBody?, .resetsBody?, .stopsInBody?: bytes += framed[..<Int(random.next(below: UInt64(framed.count)))]
        case .badChunk?: bytes += framed.dropLast(5) + Array("zz\r\n".utf8)
        default: bytes += framed
        }
        return bytes
    }

    private func head(
        _ status: Int, _ framing: MessageReader.Framing, hasBody: Bool, _ random: inout RandomSource
    ) -> [UInt8] {
        var text = random.next(below: 12) == 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" : ""
        text += "HTTP/1.1 \(status) Said so\r\nX-Id: \(request)\r\nX-Attempt: \(attempt)\r\n"
        switch framing {
        case .length(let count) where hasBody || method == "HEAD": text += "Content-Length: \(count)\r\n"
        case .chunked where hasBody: text += "Transfer-Encoding: chunked\r\n"
        default: break
        }
        if closes { text += "Connection: close\r\n" }
        if fault == .twoLengths { text += "Content-Length: 5\r\nContent-Length: 6\r\n" }
        if fault == .hugeHead { text += "X-Long: \(String(repeating: "a", count: 70_000))\r\n" }
        if random.next(below: 3) == 0 { text += "X-More: \(String(repeating: "b", count: Int(random.next(below: 700))))\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private func cutHead(_ head: [UInt8], _ random: inout RandomSource) -> [UInt8]? {
        switch fault {
        case .cutsHead?: Array(head[..<(1 + Int(random.next(below: UInt64(head.count - 1))))])
        case .badHead?: Array("HTTP/1.1 2x0 No\r\n\r\n".utf8)
        default: nil
        }
    }

    private func chunks(_ body: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var framed: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let size = min(rest.count, 1 + Int(random.next(below: UInt64(body.count / 3 + 30))))
            framed += Array("\(String(size, radix: 16))\r\n".utf8) + rest.prefix(size) + [0x0d, 0x0a]
            rest = rest.dropFirst(size)
        }
        return framed + Array("0\r\n\r\n".utf8)
    }
}
