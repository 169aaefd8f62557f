import Config
import Loop
import Pattern
import Wire

extension SSIFilter {
    func perform(_ kind: SSICommandKind, _ arguments: SSIArguments, _ request: RequestRef, _ writer: PieceWriter) -> Outcome {
        switch kind {
        case .include:
            // What is before the include goes out first.
            writer.flush()
            return include(arguments, request)
        case .echo: return echo(arguments, request, writer)
        case .config:
            if let format = arguments["timefmt"] { timeFormat = format }
            if let text = arguments["errmsg"] { errorText = text }
            return .done
        case .set:
            guard let name = arguments["var"], let text = arguments["value"], let result = request.evaluateSSI(text) else { return .failed }
            request.main.value.modules.ssi?.set(request.main.lowercased(name), result)
            return .done
        case .if:
            if condition != .none {
                request.log(.error, "the \"if\" command inside the \"if\" command")
                return .failed
            }
            return decide(arguments, request)
        case .elif: return decide(arguments, request)
        case .else:
            isOutput = !isChosen
            condition = .afterElse
            return .done
        case .endif:
            isOutput = true
            isChosen = false
            condition = .none
            return .done
        case .block:
            request.main.value.modules.ssi?.beginBlock(arguments["name"] ?? ByteView())
            isOutput = false
            isInBlock = true
            return .done
        case .endblock:
            isOutput = true
            isInBlock = false
            return .done
        }
    }

    // MARK: - include

    private func include(_ arguments: SSIArguments, _ request: RequestRef) -> Outcome {
        guard let target = arguments["virtual"] ?? arguments["file"], arguments["virtual"] == nil || arguments["file"] == nil else {
            request.log(.error, "\"include\" SSI command needs either \"virtual\" or \"file\"")
            return .failed
        }
        if arguments["set"] != nil, arguments["stub"] != nil {
            request.log(.error, "\"set\" and \"stub\" cannot be used together in \"include\" SSI command")
            return .failed
        }
        var waits = arguments["virtual"] == nil
        if let wait = arguments["wait"] {
            guard !waits, wait.equalsIgnoringCase("yes") || wait.equalsIgnoringCase("no") else {
                request.log(.error, "invalid value \"\(wait.string)\" in the \"wait\" parameter")
                return .failed
            }
            waits = wait.equalsIgnoringCase("yes")
        }
        guard let text = request.evaluateSSI(target, addsPrefix: true), let place = request.unsafeURI(text) else { return .failed }
        var stub: [UInt8]?
        if let name = arguments["stub"] {
            guard let content = request.main.value.modules.ssi?.block(name) else {
                request.log(.error, "\"stub\"=\"\(name.string)\" for \"include\" not found")
                return .failed
            }
            stub = content
        }
        if let name = arguments["set"].map({ request.main.lowercased($0) }) {
            guard let child = request.startSubrequest(place.path, arguments: place.query, purpose: .capture) else { return .failed }
            if request.main.value.modules.ssi?.value(of: name) == nil { request.main.value.modules.ssi?.set(name, ByteView()) }
            request.main.value.modules.ssi?.capture(child, into: name)
            return .wait(child)
        }
        guard let child = request.startSubrequest(place.path, arguments: place.query, purpose: .include) else { return .failed }
        if let stub { child.value.subrequests.stub = request.main.keep(stub) }
        return waits ? .wait(child) : .done
    }

    /// A captured subrequest has ended: its body is the variable's value, unless it failed.
    func storeCaptured(_ child: RequestRef, _ request: RequestRef) {
        guard let context = request.main.value.modules.ssi, let name = context.nameCaptured(by: child) else { return }
        guard child.value.response.status < 300, let captured = child.value.subrequests.captured, captured.count > 0 else { return }
        context.set(name, request.main.keep(captured.view))
    }

    // MARK: - echo

    private func echo(_ arguments: SSIArguments, _ request: RequestRef, _ writer: PieceWriter) -> Outcome {
        guard let name = arguments["var"] else { return .failed }
        var text = request.ssiVariable(name)
        if text == nil { text = arguments["default"] ?? "(none)" }
        if let word = arguments["encoding"] {
            switch word.string {
            case "none": encoding = .none
            case "url": encoding = .url
            case "entity": encoding = .entity
            default: request.log(.error, "unknown encoding \"\(word.string)\" in the \"echo\" command")
            }
        }
        guard let text, !text.isEmpty else { return .done }
        if encoding == .none {
            writer.append(text)
            return .done
        }
        let escaped = request.pool.value.take(text.count * 6)
        escaped.write(reserving: text.count * 6) { out in
            if encoding == .url { URI.escape(text, .html, into: &out) } else { URI.escapeHTML(text, into: &out) }
        }
        writer.append(escaped.view)
        request.pool.value.give(escaped)
        return .done
    }

    // MARK: - if

    /// `$var`, `$var = text`, `$var != text`, `$var = /regex/`.
    private func decide(_ arguments: SSIArguments, _ request: RequestRef) -> Outcome {
        if isChosen {
            isOutput = false
            return .done
        }
        guard let expression = arguments["expr"] else { return .failed }
        var position = 0
        while position < expression.count, Self.isOperand(expression[position]) { position += 1 }
        guard let left = request.evaluateSSI(expression.prefix(position)) else { return .failed }
        func skipSpace() { while position < expression.count, expression[position] == 0x20 { position += 1 } }
        skipSpace()
        var holds = !left.isEmpty
        if position < expression.count {
            let isNegative = expression[position] == 0x21
            if isNegative { position += 1 }
            guard position < expression.count, expression[position] == 0x3d else { return invalid(expression, request) }
            position += 1
            skipSpace()
            var right = expression.dropFirst(position)
            if right.count >= 2, right.first == 0x2f {
                guard right.last == 0x2f else { return invalid(expression, request) }
                guard let pattern = request.evaluateSSI(right.dropFirst().dropLast()),
                    let isMatch = request.matchSSI(pattern, left) else { return .failed }
                holds = isMatch != isNegative
            } else {
                if right.count >= 2, right[0] == 0x5c, right[1] == 0x2f { right = right.dropFirst() }
                guard let text = request.evaluateSSI(right) else { return .failed }
                holds = (text == left) != isNegative
            }
        }
        isOutput = holds
        isChosen = holds
        condition = .afterIf
        return .done
    }

    private static func isOperand(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x24, 0x7b, 0x7d, 0x5f, 0x22, 0x27: true
        default: false
        }
    }

    private func invalid(_ expression: ByteView, _ request: RequestRef) -> Outcome {
        request.log(.error, "invalid expression in \"\(expression.string)\"")
        return .failed
    }
}

extension Ref where Value == Request {
    func makeSSI(_ runtime: Ref<FilterRuntime>) -> SSIFilter? {
        guard value.response.contentLength != 0, runtime.value.ssiTypes.contains(value.response.contentTypeBare) else { return nil }
        let settings = location.value.settings
        if isMain { clearForChangedBody(keepsVersion: settings.value.ssi.keepsLastModified) }
        if main.value.modules.ssi == nil { main.value.modules.ssi = SSIContext() }
        return SSIFilter(valueLengthMax: settings.value.ssi.valueLengthMax, isSilent: settings.value.ssi.isSilent, pool)
    }

    /// The text with variables put in and escapes resolved; nil after an error line.
    /// - Parameter addsPrefix: a relative path becomes one beside this request's own.
    func evaluateSSI(_ text: ByteView, addsPrefix: Bool = false) -> ByteView? {
        let scratch = pool.value.take(1024)
        defer { pool.value.give(scratch) }
        var position = 0
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte == 0x5c {
                guard position < text.count else { break }
                let next = text[position]
                position += 1
                if next != 0x5c, next != 0x27, next != 0x22, next != 0x24 { scratch.append(0x5c) }
                scratch.append(next)
                continue
            }
            guard byte == 0x24 else {
                scratch.append(byte)
                continue
            }
            let isBraced = position < text.count && text[position] == 0x7b
            if isBraced { position += 1 }
            let start = position
            while position < text.count, Self.isNameByte(text[position]) { position += 1 }
            let name = text[start..<position]
            if isBraced {
                guard position < text.count, text[position] == 0x7d else {
                    log(.error, "the closing bracket in \"\(name.string)\" variable is missing")
                    return nil
                }
                position += 1
            }
            guard !name.isEmpty else {
                log(.error, "invalid variable name in \"\(text.string)\"")
                return nil
            }
            if let found = ssiVariable(name) { scratch.append(found) }
            // `set` can double a value as often as a page likes.
            guard scratch.count <= SSIContext.valueLengthMax else {
                log(.error, "a value of more than \(SSIContext.valueLengthMax) bytes in an SSI command")
                return nil
            }
        }
        guard addsPrefix, scratch.view.first != 0x2f, let slash = value.uri.lastIndex(of: 0x2f) else { return main.keep(scratch.view) }
        return main.compose { out in
            out.append(value.uri.prefix(slash + 1))
            out.append(scratch.view)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
        default: false
        }
    }

    /// A path with a query that an upstream names or that stands in a body: unescaped, and refused if it leaves the root.
    func unsafeURI(_ text: ByteView) -> (path: ByteView, query: ByteView)? {
        let chunk = main.value.arena.room(for: text.count + 1, pool)
        var found: (path: ByteView, query: ByteView?)?
        chunk.write(reserving: text.count + 1) { writer in
            found = URI.checkUnsafe(text, into: &writer)
        }
        guard let found else {
            log(.error, "unsafe URI \"\(text.string)\" was detected")
            return nil
        }
        return (found.path, found.query ?? ByteView())
    }

    /// A variable by name: set by SSI, or of the request; nil if it is not found.
    func ssiVariable(_ name: ByteView) -> ByteView? {
        let name = lowercased(name)
        return main.value.modules.ssi?.value(of: name) ?? variable(named: name)
    }

    /// Matches a regular expression that stands in a body; nil if it is none.
    func matchSSI(_ pattern: ByteView, _ subject: ByteView) -> Bool? {
        guard let compiled = worker.value.ssiPatterns.pattern(pattern) else {
            log(.error, "cannot compile the regular expression \"\(pattern.string)\" of an SSI command")
            return nil
        }
        var offsets = CaptureOffsets()
        guard case .match(let count) = compiled.match(subject, captures: &offsets) else { return false }
        main.value.modules.ssi?.groups = (0..<count).map { offsets.view($0, subject) ?? ByteView() }
        for entry in compiled.names {
            main.value.modules.ssi?.set(main.lowercased(entry.name), offsets.view(entry.number, subject) ?? ByteView())
        }
        return true
    }
}
