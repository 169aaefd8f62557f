/// A `log_format`, taken apart once: between which literal texts of a line each value stands.
package struct AccessFormat: Sendable, Hashable {
    /// What of a request a format tells: by this much a line is found in the error log.
    struct Identity: OptionSet, Sendable, Hashable {
        let rawValue: UInt8
        static let client = Identity(rawValue: 1)
        /// The target as the client sent it.
        static let target = Identity(rawValue: 2)
    }

    /// The values that are read; those of all other variables are skipped.
    private enum Field: Sendable, Hashable {
        case client, request, target, path, status, localTime, isoTime, seconds, asked, headerTime

        init?(_ variable: some StringProtocol) {
            switch variable {
            case "remote_addr": self = .client
            case "request": self = .request
            case "request_uri": self = .target
            case "uri", "document_uri": self = .path
            case "status": self = .status
            case "time_local": self = .localTime
            case "time_iso8601": self = .isoTime
            case "msec": self = .seconds
            case "upstream_addr", "upstream_status": self = .asked
            case "upstream_header_time": self = .headerTime
            default: return nil
            }
        }
    }

    /// A value and the text behind it; empty: the value goes to the end of the line.
    private struct Step: Sendable, Hashable {
        var field: Field?
        var until: [UInt8]
    }

    private var head: [UInt8] = []
    private var steps: [Step] = []
    /// Steps up to the last value that is read.
    private var needed = 0
    /// The literal text just before the status, at most 16 bytes, a line's end when it comes first; empty when there is no status or
    /// nothing literal before it.
    package private(set) var beforeStatus = ""
    /// What lines of this format tell of a request.
    private(set) var identity: Identity = []
    /// Whether a line tells its time.
    package private(set) var hasTime = false

    /// nginx's own format, `combined`.
    package static let combined = AccessFormat(
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"")

    /// - Parameter text: the format as nginx has it: its words joined, without `escape=`.
    package init(_ text: some StringProtocol) {
        var literal: [UInt8] = [], isAtStart = true
        var rest = Array(text.utf8)[...]
        func isName(_ byte: UInt8) -> Bool {
            byte >= 48 && byte <= 57 || byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122 || byte == 95
        }
        while let byte = rest.popFirst() {
            let isBraced = byte == 36 && rest.first == 123
            guard byte == 36, let next = isBraced ? rest.dropFirst().first : rest.first, isName(next) else {
                literal.append(byte)
                continue
            }
            if isBraced { rest.removeFirst() }
            let name = rest.prefix(while: isName)
            rest = rest[name.endIndex...]
            if isBraced, rest.first == 125 { rest.removeFirst() }
            add(Field(String(decoding: name, as: UTF8.self)), behind: literal, isFirst: isAtStart)
            literal = []
            isAtStart = false
        }
        if steps.isEmpty { head = literal } else { steps[steps.count - 1].until = literal }
        needed = (steps.lastIndex { $0.field != nil } ?? -1) + 1
        let fields = Set(steps.compactMap(\.field))
        hasTime = !fields.isDisjoint(with: [.localTime, .isoTime, .seconds])
        if fields.contains(.client) { identity.insert(.client) }
        // `$uri` is another one by then when an `error_page` was shown.
        if !fields.isDisjoint(with: [.request, .target]) { identity.insert(.target) }
    }

    private mutating func add(_ field: Field?, behind literal: [UInt8], isFirst: Bool) {
        if field == .status, beforeStatus.isEmpty {
            beforeStatus = isFirst && literal.isEmpty ? "\n" : String(decoding: literal.suffix(16), as: UTF8.self)
        }
        if isFirst { head = literal } else { steps[steps.count - 1].until = literal }
        // Two values with nothing between them cannot be told apart.
        if !isFirst, literal.isEmpty { steps[steps.count - 1].field = nil } else { steps.append(Step(field: field, until: [])) }
    }

    /// What a line says; nil when it is not of this format.
    /// - Parameter whole: whether the format has to fit to the end, and not only as far as something is read from it.
    /// - Complexity: O(length), no allocation but for escaped texts.
    package func read(_ line: LineText, whole: Bool = false) -> AccessLine? {
        var out = AccessLine()
        guard line.bytes.starts(with: head),
            let end = read(line.bytes, steps: 0..<(whole ? steps.count : needed), from: line.bytes.startIndex + head.count, &out)
        else { return nil }
        return whole && end != line.bytes.endIndex ? nil : out
    }

    /// The same for a line whose status is known to stand somewhere: what comes before it is read backwards. So a value with spaces that
    /// nothing encloses, as `$http_x_forwarded_for` at the beginning, does not shift the others.
    func read(_ line: LineText, statusAt status: Int) -> AccessLine? {
        guard let index = steps.firstIndex(where: { $0.field == .status }) else { return nil }
        var out = AccessLine(), end = status
        for number in (0..<index).reversed() {
            let valueEnd = end - steps[number].until.count
            let isFirst = number == 0, opening = isFirst ? head : steps[number - 1].until
            guard valueEnd >= line.bytes.startIndex, line.bytes[valueEnd..<end].elementsEqual(steps[number].until),
                let start = isFirst ? line.bytes.startIndex : Self.findLast(opening, in: line.bytes[..<valueEnd])
            else { return nil }
            end = start + opening.count
            guard end <= valueEnd else { return nil }
            if let field = steps[number].field { Self.take(field, LineText(line.bytes[end..<valueEnd]), &out) }
        }
        return read(line.bytes, steps: index..<max(needed, index + 1), from: status, &out) == nil ? nil : out
    }

    /// Reads values one after the other; returns where the next would begin.
    private func read(_ bytes: ArraySlice<UInt8>, steps range: Range<Int>, from start: Int, _ out: inout AccessLine) -> Int? {
        var at = start
        for step in steps[range] {
            guard let end = step.until.isEmpty ? bytes.endIndex : Self.find(step.until, in: bytes, from: at) else { return nil }
            if let field = step.field { Self.take(field, LineText(bytes[at..<end]), &out) }
            at = end + step.until.count
        }
        return at
    }

    private static func findLast(_ text: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var at = bytes.endIndex - text.count
        while at >= bytes.startIndex {
            if bytes[at..<(at + text.count)].elementsEqual(text) { return at }
            at -= 1
        }
        return nil
    }

    /// A text that begins with a quote ends a quoted value: one behind a backslash is part of the value.
    private static func find(_ text: [UInt8], in bytes: ArraySlice<UInt8>, from start: Int) -> Int? {
        let first = text[0], last = bytes.endIndex - text.count
        var at = start
        while at <= last {
            if first == 34, bytes[at] == 92 { at += 2; continue }
            if bytes[at] == first {
                var offset = 1
                while offset < text.count, bytes[at + offset] == text[offset] { offset += 1 }
                if offset == text.count { return at }
            }
            at += 1
        }
        return nil
    }

    private static func take(_ field: Field, _ value: LineText, _ out: inout AccessLine) {
        switch field {
        case .client: out.client = value.bytes
        case .request: out.target = unescaped(AccessLine.target(of: value.bytes))
        case .target: out.target = unescaped(value.bytes)
        case .path: if out.target == nil { out.target = unescaped(value.bytes) }
        case .status: out.status = value.number
        case .localTime: out.time = LogTime.common(value.bytes) ?? out.time
        case .isoTime: out.time = LogTime.iso(value.bytes) ?? out.time
        case .seconds: out.time = out.time ?? value.number.map { Timestamp(seconds: Int64($0)) }
        case .asked: if value.isEmpty || value.bytes.elementsEqual([45]) { out.source = .proxy }
        case .headerTime:
            // `0.004, -`: of several attempts the last one was answered with.
            guard let last = value.bytes.last else { return }
            if last >= 48, last <= 57 { out.source = .application } else if out.source != .proxy { out.source = .gateway }
        }
    }

    /// Without nginx's `\x22` and JSON's `\"`, so that it is the text of the error log again.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(92) else { return text }
        func hex(_ digits: ArraySlice<UInt8>) -> UInt8? { UInt8(String(decoding: digits, as: UTF8.self), radix: 16) }
        var out: [UInt8] = [], rest = text
        while let byte = rest.popFirst() {
            guard byte == 92, let kind = rest.popFirst() else { out.append(byte); continue }
            let digits = kind == 120 ? rest.prefix(2) : kind == 117 ? rest.prefix(4) : []  // x, u
            if let value = hex(digits) { out.append(value); rest = rest[digits.endIndex...] } else { out.append(kind) }
        }
        return out[...]
    }
}

/// What one line of an access log says, as far as its format has it.
package struct AccessLine: Sendable {
    var client: ArraySlice<UInt8>?
    /// What was asked for: as the client sent it, or the path alone.
    var target: ArraySlice<UInt8>?
    /// The number that the client got.
    package var status: Int?
    /// When the line was written.
    package var time: Timestamp?
    /// Whose answer it was; nil when the format does not tell.
    package var source: DoctorReport.AnswerSource?

    /// The target of a request line: what stands between its spaces.
    static func target(of request: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let rest = request.drop { $0 != 32 }.dropFirst()
        return rest.prefix { $0 != 32 }
    }
}
