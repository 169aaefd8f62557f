/// One line of nginx's error log, taken apart.
///
/// Grammar: `date time [level] pid#tid: *conn MESSAGE (ERRNO: text) while ACTION, client: …, server: …, request: "…", subrequest: "…",
/// upstream: "…", host: "…", referrer: "…"`. The client chooses parts of request, host and referrer and may put quotes there: so the fields
/// are read in nginx's order, the request ends at its protocol, and of upstream only scheme and authority are believed.
package struct NginxErrorLine: Sendable {
    /// Local time, without a zone.
    package var time: CivilTime
    package var level: String
    package var pid: Int32
    package var connection: UInt64?
    /// From the message on, without the fields.
    package var message: LineText
    /// The first `(NUMBER: …)` in the message.
    package var errorNumber: Int32?
    /// What stands after ` while `, such as `connecting to upstream`.
    package var action: String
    package var client: String?
    package var server: String?
    /// Request line without its quotes.
    package var request: String?
    /// The authority of `upstream: "…"`; the bare group's name when no server was picked.
    package var upstream: String?
    package var host: String?
    /// Whether no text in it looks like the end of the message and what follows, so that nobody else can have written that.
    var hasOneReading: Bool { Self.count(", client: ", in: text) <= 1 && Self.count(" failed (", in: text) <= 1 }
    /// Message and fields.
    private var text = LineText([])

    /// nil when it is no line of an error log. O(length).
    package init?(_ line: LineText) {
        let b = line.bytes
        guard b.count > 30, let time = Self.time(line) else { return nil }
        self.init(time: time)
        var rest = line.dropFirst(20)
        guard rest.bytes.first == 91, let level = rest.between("[", "] "), level.bytes.count <= 6 else { return nil }
        self.level = level.string
        guard let afterLevel = rest.after("] ") else { return nil }
        guard let pid = afterLevel.number, let afterPid = afterLevel.after(": ") else { return nil }
        self.pid = Int32(truncatingIfNeeded: pid)
        rest = afterPid
        if rest.bytes.first == 42, let number = rest.dropFirst(1).number, let space = rest.find(" ") {
            connection = UInt64(number)
            rest = LineText(rest.bytes[(space + 1)...])
        }
        take(rest)
    }

    private init(time: CivilTime) { (self.time, level, pid, message, action) = (time, "", 0, LineText([]), "") }

    /// The same as people have it: behind what syslog, journalctl, docker, kubectl or grep write before it, as nginx prints it without a
    /// log (`nginx: [emerg] …`), or the message alone.
    package static func within(_ line: LineText) -> NginxErrorLine? {
        let b = line.bytes
        for index in b.indices.prefix(200) where b.count - (index - b.startIndex) > 30 && b[index + 4] == 47 && b[index + 7] == 47 {
            if let found = NginxErrorLine(LineText(b[index...])) { return found }
        }
        var bare = NginxErrorLine(time: CivilTime(year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0))
        if let rest = line.after("nginx: ["), let level = rest.before("] "), level.bytes.count <= 6, let message = rest.after("] ") {
            bare.level = level.string
            bare.take(message)
            return bare
        }
        // Only nginx ends its messages so.
        guard line.contains(" while "), line.contains(", client: ") || line.contains(", upstream: \"") else { return nil }
        // What somebody wrote before it is no part of the message.
        let name = line.before(" could not be resolved (").flatMap { $0.bytes.lastIndex(of: 32) }.map { $0 + 1 }
        let start = openings.compactMap { line.find($0) }.min() ?? name ?? line.bytes.startIndex
        bare.take(LineText(line.bytes[start...]))
        return bare
    }

    /// What messages about upstreams begin with.
    private static let openings: [StaticString] = [
        "connect() ", "upstream ", "no live upstreams", "recv() failed", "readv() failed", "send() failed", "writev() failed",
        "sendfile() failed", "SSL_", "peer closed connection in SSL handshake", "kevent() reported", "no resolver defined",
        "limiting requests", "limiting connections", "bind(", "open() \"", "FastCGI sent in stderr",
    ]

    /// Message and fields.
    private mutating func take(_ rest: LineText) {
        message = rest
        text = rest
        if let at = rest.find(", client: ") {
            message = LineText(rest.bytes[..<at])
            parseFields(LineText(rest.bytes[at...]))
        } else if let at = rest.find(", upstream: \"") {
            message = LineText(rest.bytes[..<at])
            parseFields(LineText(rest.bytes[at...]))
        }
        errorNumber = Self.errorNumber(message)
        if let at = message.lastWhile() { action = LineText(message.bytes[at...]).string }
    }

    private static func count(_ needle: StaticString, in text: LineText) -> Int {
        var count = 0, from = text.bytes.startIndex
        while let at = text.find(needle, from: from) { (count, from) = (count + 1, at + 1) }
        return count
    }

    private mutating func parseFields(_ text: LineText) {
        var rest = text
        if rest.hasPrefix(", client: ") {
            rest = rest.dropFirst(10)
            client = rest.upTo(", ").string
            rest = LineText(rest.bytes[(rest.find(", ") ?? rest.bytes.endIndex)...])
        }
        if rest.hasPrefix(", server: ") {
            rest = rest.dropFirst(10)
            server = rest.upTo(", ").string
            rest = LineText(rest.bytes[(rest.find(", ") ?? rest.bytes.endIndex)...])
        }
        if rest.hasPrefix(", request: \"") {
            rest = rest.dropFirst(12)
            let end = Self.requestEnd(rest)
            request = LineText(rest.bytes[..<end]).string
            rest = LineText(rest.bytes[min(end + 1, rest.bytes.endIndex)...])
        }
        if rest.hasPrefix(", subrequest: \"") {
            rest = rest.dropFirst(15)
            rest = LineText(rest.bytes[((rest.find("\"") ?? rest.bytes.endIndex - 1) + 1)...])
        }
        if rest.hasPrefix(", upstream: \"") {
            rest = rest.dropFirst(13)
            parseUpstream(rest)
            // The URI in it is the client's: what follows is found by its own name only.
            rest = rest.after("\"") ?? LineText([])
        }
        if let host = rest.between(", host: \"", "\"") { self.host = host.string }
    }

    /// A request line ends with ` HTTP/x.y"`; a URI holds no space, so nobody can write that into it.
    private static func requestEnd(_ text: LineText) -> Int {
        var from = text.bytes.startIndex
        while let at = text.find(" HTTP/", from: from) {
            let end = at + 9
            if end < text.bytes.endIndex, text.bytes[end] == 34 { return end }
            from = at + 6
        }
        return text.find("\", ") ?? text.find("\"") ?? text.bytes.endIndex
    }

    private mutating func parseUpstream(_ text: LineText) {
        var authority = text
        if let at = text.find("://"), at - text.bytes.startIndex <= 10 {
            authority = LineText(text.bytes[(at + 3)...])
        }
        if authority.hasPrefix("unix:") {
            // unix:/path:/uri, or unix:/path: for FastCGI.
            let path = authority.dropFirst(5).bytes.prefix { $0 != 58 && $0 != 34 }
            upstream = "unix:" + LineText(path).string
        } else {
            upstream = LineText(authority.bytes.prefix { $0 != 47 && $0 != 34 && $0 != 63 && $0 != 44 }).string
        }
    }

    /// `2026/11/22 10:03:04`.
    static func time(_ line: LineText) -> CivilTime? {
        let b = Array(line.bytes.prefix(20))
        guard b.count == 20, b[4] == 47, b[7] == 47, b[10] == 32, b[13] == 58, b[16] == 58, b[19] == 32 else {
            return nil
        }
        func digits(_ from: Int, _ count: Int) -> Int? {
            var value = 0
            for byte in b[from..<(from + count)] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        guard let year = digits(0, 4), let month = digits(5, 2), let day = digits(8, 2), let hour = digits(11, 2),
            let minute = digits(14, 2),
            let second = digits(17, 2)
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    /// The number in ` (111: Connection refused)`: never its text, which differs between C libraries.
    static func errorNumber(_ message: LineText) -> Int32? {
        var from = message.bytes.startIndex
        while let at = message.find("(", from: from) {
            let rest = LineText(message.bytes[(at + 1)...])
            if let number = rest.number, number < 4_096 {
                let digits = String(number).utf8.count
                if rest.bytes.count > digits, rest.bytes[rest.bytes.startIndex + digits] == 58 { return Int32(number) }
            }
            from = at + 1
        }
        return nil
    }

    /// The peer: what connect() was called with when the message tells it, else what `upstream:` says.
    package var peer: PeerAddress? {
        if let path = message.between("connect() to unix:", " failed (") { return .unix(path.string) }
        guard let upstream, !upstream.isEmpty else { return nil }
        return PeerAddress(parsing: upstream)
    }
    /// The method, when the request line has one.
    package var method: String? {
        guard let word = request?.split(separator: " ").first, word.utf8.count <= 16,
            word.utf8.allSatisfy({ $0 >= 65 && $0 <= 90 })
        else { return nil }
        return String(word)
    }
}

extension LineText {
    /// Index after the last ` while `.
    fileprivate func lastWhile() -> Int? {
        var found: Int?, from = bytes.startIndex
        while let at = find(" while ", from: from) {
            found = at + 7
            from = at + 7
        }
        return found
    }
}
