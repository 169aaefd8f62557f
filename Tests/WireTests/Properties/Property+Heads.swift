internal import Wire

extension Property {
    /// Options chosen by the first byte of an input.
    static func options(_ choice: UInt8) -> HeadOptions {
        var options = HeadOptions()
        options.strictLineEndings = choice & 1 != 0
        options.ignoreInvalidHeaders = choice & 2 == 0
        options.underscoresInHeaders = choice & 4 != 0
        options.allowsConnect = choice & 8 != 0
        if choice & 16 != 0 {
            options.maxFields = 4
            options.maxLineLength = 64
            options.maxHeadLength = 200
        }
        return options
    }

    struct Parsed<Head: Equatable>: Equatable {
        var outcome: HeadOutcome
        var head: Head
        var fields: [ParsedField]
        /// How often the parser stopped for the options of the server that was meant.
        var pauses = 0
    }

    /// - Parameter later: the options from the pause at the server's name on; nil: no pause.
    private static func request(
        _ input: [UInt8], _ options: HeadOptions, later: HeadOptions? = nil, steps: [Int]
    ) -> Parsed<RequestHead> {
        var parser = RequestHeadParser(options: options, pausesAtName: later != nil)
        var table = FieldTable(capacity: 1)
        var outcome = HeadOutcome.needMore
        var pauses = 0
        for step in steps where outcome == .needMore {
            outcome = withView(input.prefix(step)) { view in
                let outcome = parser.parse(view, fields: &table)
                guard let later, parser.isPaused else { return outcome }
                // Told nothing new it would be asked for ever, so it may pause once only.
                pauses += 1
                parser.proceed(later)
                return parser.parse(view, fields: &table)
            }
        }
        if parser.isPaused { pauses += 1 }
        return Parsed(outcome: outcome, head: parser.head, fields: (0..<table.count).map { table[$0] }, pauses: pauses)
    }

    private static func response(_ input: [UInt8], _ options: HeadOptions, steps: [Int]) -> Parsed<ResponseHead> {
        var parser = ResponseHeadParser(options: options)
        var table = FieldTable(capacity: 1)
        var outcome = HeadOutcome.needMore
        for step in steps where outcome == .needMore {
            outcome = withView(input.prefix(step)) { parser.parse($0, fields: &table) }
        }
        return Parsed(outcome: outcome, head: parser.head, fields: (0..<table.count).map { table[$0] })
    }

    /// A request head: any division gives the same result; what is accepted is well-formed; written anew it is parsed as
    /// the same. The first byte chooses the options, whether the parser pauses at the server's name, and the options from there on.
    package static func requestHead(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        let first = options(choice)
        let later = choice & 32 != 0 ? options(choice >> 3) : nil
        let input = Array(input.dropFirst())
        let whole = request(input, first, later: later, steps: [input.count])
        if request(input, first, later: later, steps: steps(input)) != whole { return "division changes the result" }
        if input.count < 512, request(input, first, later: later, steps: Array(0...input.count)) != whole {
            return "byte by byte changes the result"
        }
        if let message = judgePause(whole, input, first, later) { return message }
        let options = whole.pauses > 0 ? later ?? first : first
        switch whole.outcome {
        case .needMore:
            return input.count >= Int(options.maxHeadLength) ? "needs more than the limit" : nil
        case .failed(let error):
            _ = withView(input) { view in writing(256) { error.writeMessage(view, into: &$0) } }
            return error.status >= 400 ? nil : "no status"
        case .complete(let length):
            guard length <= input.count, length <= Int(options.maxHeadLength) else { return "too long" }
            let head = Array(input.prefix(length))
            if let message = judge(fields: whole.fields, head, options) { return message }
            return judge(whole.head, head) ?? again(whole, head)
        }
    }

    /// A pause comes once, where the name is known, and changes nothing where the options stay.
    private static func judgePause(
        _ whole: Parsed<RequestHead>, _ input: [UInt8], _ first: HeadOptions, _ later: HeadOptions?
    ) -> String? {
        guard later != nil else { return nil }
        if whole.pauses > 1 { return "more than one pause" }
        let isNamed = whole.head.hostRange != nil || whole.head.authorityRange != nil
        if whole.pauses == 1, !isNamed { return "a pause without a name" }
        if case .complete = whole.outcome, isNamed, whole.pauses == 0 { return "no pause at the name" }
        var same = request(input, first, later: first, steps: [input.count])
        same.pauses = 0
        return same == request(input, first, steps: [input.count]) ? nil : "the pause changes the result"
    }

    private static func judge(fields: [ParsedField], _ head: [UInt8], _ options: HeadOptions) -> String? {
        if fields.count > Int(options.maxFields) { return "too many fields" }
        return withView(head) { view in
            for field in fields {
                guard field.name.end <= head.count, field.value.end <= head.count else {
                    return "a field outside the head"
                }
                let (name, value) = (field.name.view(view), field.value.view(view))
                if name.isEmpty || name.array.contains(where: { $0 <= 0x20 || $0 == 0x7f || $0 == 0x3a }) {
                    return "a bad name"
                }
                if value.array.contains(where: { isControl($0) && $0 != 0x09 }) { return "a control byte in a value" }
                for byte in [value.first, value.last] where byte == 0x20 || byte == 0x09 {
                    return "white space around a value"
                }
                if field.token != HeaderToken.lookup(name) { return "a wrong token" }
                if field.hash != FieldHash.hash(name) { return "a wrong hash" }
                if field.token.isHopByHop, !field.isHopByHop { return "a hop-by-hop field is not marked" }
            }
            return nil
        }
    }

    private static func judge(_ head: RequestHead, _ bytes: [UInt8]) -> String? {
        let ranges = [
            head.lineRange, head.methodRange, head.targetRange, head.pathRange, head.pathAndQueryRange,
            head.protocolRange, head.serverNameRange, head.queryRange ?? ByteRange(), head.schemeRange ?? ByteRange(),
            head.authorityRange ?? ByteRange(), head.hostRange ?? ByteRange(),
        ]
        if ranges.contains(where: { $0.end > bytes.count }) { return "a range outside the head" }
        if head.versionMajor != 1 { return "a wrong version" }
        if head.isChunked, head.contentLength != nil || !head.isHTTP11 { return "ambiguous framing" }
        if head.isHTTP11, head.hostRange == nil || head.serverNameRange.isEmpty { return "no host" }
        return withView(bytes) { view in
            let target = head.targetRange.view(view)
            if target.isEmpty || target.array.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { return "a bad target" }
            if HostValidator.validate(head.serverNameRange.view(view)) == nil, !head.serverNameRange.isEmpty {
                return "a bad host"
            }
            let path = head.pathRange.view(view)
            if head.targetForm == .asterisk { return path == "*" ? nil : "not an asterisk" }
            if path.isEmpty != head.flags.contains(.emptyPath) { return "an empty path" }
            if let first = path.first, first != 0x2f { return "a path without a slash" }
            if head.hasComplexPath { return nil }
            // A path that is said to be plain is what cleaning gives.
            let cleaned = writing(path.count + 1) { writer in
                if case .path = URI.normalise(path, mergeSlashes: true, into: &writer) { return true }
                return false
            }
            return cleaned == path.array ? nil : "a path is not plain"
        }
    }

    /// Writes method, target, version and fields anew, and parses that with strict options.
    private static func again(_ parsed: Parsed<RequestHead>, _ bytes: [UInt8]) -> String? {
        var strict = HeadOptions()
        strict.strictLineEndings = true
        strict.ignoreInvalidHeaders = false
        strict.underscoresInHeaders = true
        strict.allowsConnect = true
        strict.maxHeadLength = 1 << 20
        strict.maxLineLength = 1 << 20
        func slice(_ range: ByteRange) -> ArraySlice<UInt8> { bytes[range.start..<range.end] }
        let head = parsed.head
        var output: [UInt8] = []
        for part in [head.methodRange, head.targetRange, head.protocolRange] {
            if !output.isEmpty { output.append(0x20) }
            output += slice(part)
        }
        output += [13, 10]
        for field in parsed.fields {
            output += slice(field.name)
            output += [0x3a, 0x20]
            output += slice(field.value)
            output += [13, 10]
        }
        output += [13, 10]
        let copy = request(output, strict, steps: [output.count])
        guard copy.outcome == .complete(headLength: output.count) else { return "written anew it is refused" }
        guard copy.fields.map(\.token) == parsed.fields.map(\.token),
            copy.fields.map(\.isHopByHop) == parsed.fields.map(\.isHopByHop),
            copy.head.contentLength == head.contentLength, copy.head.isChunked == head.isChunked,
            copy.head.method == head.method, copy.head.targetForm == head.targetForm
        else { return "written anew it means something else" }
        return nil
    }

    /// A response head: as `requestHead`.
    package static func responseHead(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        let options = options(choice)
        let input = Array(input.dropFirst())
        let whole = response(input, options, steps: [input.count])
        if response(input, options, steps: steps(input)) != whole { return "division changes the result" }
        if input.count < 512, response(input, options, steps: Array(0...input.count)) != whole {
            return "byte by byte changes the result"
        }
        switch whole.outcome {
        case .needMore:
            return input.count >= Int(options.maxHeadLength) ? "needs more than the limit" : nil
        case .failed(let error):
            _ = withView(input) { view in writing(256) { error.writeMessage(view, isUpstream: true, into: &$0) } }
            return nil
        case .complete(let length):
            guard length <= input.count, length <= Int(options.maxHeadLength) else { return "too long" }
            let head = whole.head
            if head.status < 100 || head.status > 999 { return "a bad status" }
            if head.isChunked, head.contentLength != nil || !head.isHTTP11 { return "ambiguous framing" }
            if head.statusLineRange.end > length { return "a range outside the head" }
            let reason = input[head.statusLineRange.start..<head.statusLineRange.end]
            if reason.contains(where: { isControl($0) && $0 != 0x09 }) { return "a control byte in the reason" }
            return judge(fields: whole.fields, Array(input.prefix(length)), options)
        }
    }
}
