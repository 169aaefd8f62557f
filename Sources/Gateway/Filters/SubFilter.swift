import Config
import Loop
import Wire

/// Replaces texts in a body (nginx: ngx_http_sub_filter_module). Matches may lie across pieces: what may be the start of one is held
/// until the next piece.
final class SubFilter: BodyFilter {
    private struct Rule {
        let match: ByteView
        let replacement: CompiledText
        /// Its text for this request, once evaluated: a rule that was applied.
        var text: ByteView?
    }

    private var rules: [Rule]
    private let isOnce: Bool
    private var applied = 0
    /// First bytes of all matches, in both cases.
    private var isFirst = [Bool](repeating: false, count: 256)
    /// The start of a possible match, from the end of the last piece; shorter than the longest text.
    private var carried: Ref<Buffer>?
    private let pool: Ref<BufferPool>

    /// - Parameter rules: texts to search for in lower case, not empty, with what takes their place.
    init(_ rules: [(match: ByteView, replacement: CompiledText)], isOnce: Bool, pool: Ref<BufferPool>) {
        self.rules = rules.map { Rule(match: $0.match, replacement: $0.replacement) }
        self.isOnce = isOnce
        self.pool = pool
        for rule in rules {
            guard let first = rule.match.first else { continue }
            isFirst[Int(first)] = true
            if first &- 0x61 < 26 { isFirst[Int(first - 0x20)] = true }
        }
    }

    deinit { if let carried { pool.value.give(carried) } }

    /// All rules were applied: the rest passes as it is.
    private var isDone: Bool { isOnce && applied == rules.count }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        if isDone, carried == nil { return request.pass(piece, isLast: isLast, isFlush: isFlush, after: index) }
        guard piece.map({ $0.count > 0 }) ?? false || carried != nil && isLast else {
            return request.pass(piece, isLast: isLast, isFlush: isFlush, after: index)
        }
        let own = carried
        carried = nil
        if let own, let piece { own.append(piece.bytes) }
        let bytes = own?.view ?? piece?.bytes ?? ByteView()
        let writer = PieceWriter(request: request, index: index)
        let rest = replace(in: bytes, isLast: isLast, request, writer)
        if rest < bytes.count {
            let kept = pool.value.take(max(64, bytes.count - rest))
            kept.append(bytes.dropFirst(rest))
            carried = kept
        }
        if let own { pool.value.give(own) }
        if let buffer = piece?.buffer { pool.value.give(buffer) }
        writer.finish(isLast: isLast, isFlush: isFlush)
    }

    /// Writes the bytes with all replacements made.
    /// - Returns: where a possible match begins that the bytes do not decide.
    private func replace(in bytes: ByteView, isLast: Bool, _ request: RequestRef, _ writer: PieceWriter) -> Int {
        var copied = 0
        var position = 0
        while position < bytes.count, !isDone {
            guard isFirst[Int(bytes[position])] else {
                position += 1
                continue
            }
            switch match(bytes, at: position, isLast: isLast) {
            case .none: position += 1
            case .undecided:
                writer.append(bytes[copied..<position])
                return position
            case .rule(let number):
                writer.append(bytes[copied..<position])
                writer.append(replacement(number, request))
                position += rules[number].match.count
                copied = position
            }
        }
        writer.append(bytes[copied..<bytes.count])
        return bytes.count
    }

    private enum Match { case none, undecided, rule(Int) }

    /// The first rule in order that matches at a place, or may match with more bytes.
    private func match(_ bytes: ByteView, at position: Int, isLast: Bool) -> Match {
        let left = bytes.count - position
        for number in rules.indices {
            if isOnce, rules[number].text != nil { continue }
            let text = rules[number].match
            let count = min(left, text.count)
            var offset = 0
            while offset < count, asciiLowercase(bytes[position + offset]) == text[offset] { offset += 1 }
            guard offset == count else { continue }
            if count == text.count { return .rule(number) }
            if !isLast { return .undecided }
        }
        return .none
    }

    private func replacement(_ number: Int, _ request: RequestRef) -> ByteView {
        if let known = rules[number].text { return known }
        applied += 1
        let text = request.evaluate(rules[number].replacement)
        rules[number].text = text
        return text
    }
}

extension Ref where Value == Request {
    func makeSub(_ runtime: Ref<FilterRuntime>) -> SubFilter? {
        guard value.response.contentLength != 0, runtime.value.subTypes.contains(value.response.contentTypeBare) else { return nil }
        var rules: [(match: ByteView, replacement: CompiledText)] = []
        for index in runtime.value.subRules.indices {
            let rule = runtime.value.subRules[index]
            let match = rule.match.constant ?? lowercased(evaluate(rule.match))
            if !match.isEmpty { rules.append((match, rule.replacement)) }
        }
        guard !rules.isEmpty else { return nil }
        let settings = location.value.settings
        if isMain { clearForChangedBody(keepsVersion: settings.value.sub.keepsLastModified) }
        return SubFilter(rules, isOnce: settings.value.sub.isOnce, pool: pool)
    }
}
