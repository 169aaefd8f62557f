import Config
import Glibc
import Loop
import Wire

/// The instructions of a server's or location's rewrite module, with what their `if` blocks lead to.
struct CompiledRewrite: ~Copyable {
    let program: Ref<RewriteProgram>
}

/// rewrite, set, if, break, return (nginx: ngx_http_rewrite_module): a small interpreter.
extension Ref where Value == Request {
    func rewrite(_ compiled: Ref<CompiledRewrite>?) -> Step {
        guard let compiled else { return .next }
        let program = compiled.value.program
        switch run(program.value.instructions) {
        case .goOn, .stop: return .next
        case .finished(let status): return .finished(status)
        case .answered: return .suspended
        }
    }

    private enum Outcome { case goOn, stop, finished(Int), answered }

    private func run(_ instructions: [RewriteInstruction]) -> Outcome {
        for instruction in instructions {
            switch instruction {
            case .set(let id, let template): assign(id, evaluate(template))
            case .breakOut:
                if value.isURIChanged { value.isLocationValid = false }
                value.isURIChanged = false
                return .stop
            case .return(let answer): return perform(answer)
            case .rewrite(let rule):
                switch apply(rule) {
                case .goOn: continue
                case let other: return other
                }
            case .ifBlock(let condition, let settings, let body):
                guard let isTrue = holds(condition) else { return .finished(500) }
                guard isTrue else { continue }
                if let settings { value.location = worker.value.http.value.locations[settings.index] }
                switch run(body) {
                case .goOn: continue
                case let other: return other
                }
            }
        }
        return .goOn
    }

    private func assign(_ id: VariableID, _ text: ByteView) {
        let entry = worker.value.http.value.variables[id.index]
        if entry.kind == .builtin {
            switch entry.builtin {
            case .args:
                value.arguments = text
                // The client's own target is not passed on any more (nginx: ngx_http_variable_set_args).
                value.isURIValidUnparsed = false
                return
            case .limitRate: value.limitRate = SizeText.parse(text)
                return
            default: break
            }
        }
        setVariable(Int32(id.index), text)
    }

    private func perform(_ answer: RewriteReturn) -> Outcome {
        guard answer.text != nil || answer.status < 400 else { return .finished(answer.status) }
        if answer.status == 444 { return .finished(444) }
        let text = answer.text.map { evaluate($0) } ?? ByteView()
        switch answer.status {
        case 301, 302, 303, 307, 308:
            value.response.location = text
            return .finished(answer.status)
        default:
            sendText(text, status: answer.status)
            return .answered
        }
    }

    /// `return CODE TEXT`: a body of the location's default type.
    private func sendText(_ text: ByteView, status: Int) {
        value.response.status = status
        if value.response.contentType == nil { value.response.setContentType(contentTypeOfURI()) }
        value.response.lastModified = -1
        value.phase = .responding
        guard !isMain || ignoreBody() else { return }
        respond(Segment(text))
    }

    private func apply(_ rule: RewriteRule) -> Outcome {
        switch decideRule(rule.pattern.index, value.uri) {
        case .noMatch: return .goOn
        case .undecided: return .finished(500)
        case .match: break
        }
        let isRedirect = rule.isAbsoluteRedirect || rule.flag == .redirect || rule.flag == .permanent
        let target = evaluate(rule.replacement, escapesCaptures: isRedirect)
        if isRedirect { return redirect(rule, target) }
        var arguments = rule.arguments.map { evaluate($0, escapesCaptures: true) }
        if rule.appendsRequestArguments, !value.arguments.isEmpty {
            if let own = arguments, !own.isEmpty {
                let scratch = pool.value.take(1024)
                scratch.append(own)
                scratch.append(0x26)
                scratch.append(value.arguments)
                arguments = keep(scratch.view)
                pool.value.give(scratch)
            } else {
                arguments = value.arguments
            }
        }
        if target.isEmpty {
            log(.error, "the rewritten URI has a zero length")
            return .finished(500)
        }
        value.uri = target
        value.arguments = arguments ?? (rule.appendsRequestArguments ? value.arguments : ByteView())
        if logsRewrites { log(.notice, "rewritten data: \"\(target.string)\", args: \"\(value.arguments.string)\"") }
        value.isInternal = true
        value.isURIValidUnparsed = false
        switch rule.flag {
        case .last:
            value.isURIChanged = true
            return .stop
        case .breakOut:
            value.isURIChanged = false
            value.isLocationValid = false
            return .stop
        default:
            value.isURIChanged = true
            return .goOn
        }
    }

    /// Matches, and says so with `rewrite_log`.
    private func decideRule(_ index: Int, _ subject: ByteView) -> MatchDecision {
        let pattern = worker.value.http.value.patterns[index]
        let decision = decide(pattern, subject)
        if logsRewrites, decision != .undecided {
            let verb = decision == .match ? "matches" : "does not match"
            log(.notice, "\"\(pattern.value.text.string)\" \(verb) \"\(subject.string)\"")
        }
        return decision
    }

    private var logsRewrites: Bool { location.value.settings.value.core.logsRewrites }

    /// A rewrite that answers with a redirect: the target is unescaped once, as its captures were escaped.
    private func redirect(_ rule: RewriteRule, _ target: ByteView) -> Outcome {
        let scratch = pool.value.take(max(1024, target.count + value.arguments.count + 2))
        let arguments = rule.arguments.map { evaluate($0, escapesCaptures: true) }
        let whole = pool.value.take(1024)
        whole.append(target)
        if let arguments {
            whole.append(0x3f)
            whole.append(arguments)
        }
        scratch.write(reserving: whole.count) { writer in URI.unescape(whole.view, .redirect, into: &writer) }
        pool.value.give(whole)
        if rule.appendsRequestArguments, !value.arguments.isEmpty {
            scratch.append(rule.hasQuestionMark ? 0x26 : 0x3f)
            scratch.append(value.arguments)
        }
        let location = keep(scratch.view)
        value.response.location = location
        pool.value.give(scratch)
        if logsRewrites { log(.notice, "rewritten redirect: \"\(location.string)\"") }
        return .finished(rule.flag == .permanent ? 301 : 302)
    }

    /// A text whose captures are escaped as arguments where the URI held escapes (nginx: ngx_http_script_copy_capture_code).
    private func evaluate(_ template: Template, escapesCaptures: Bool) -> ByteView {
        guard escapesCaptures, value.isURIComplex else { return evaluate(template) }
        let scratch = pool.value.take(1024)
        for part in template.parts {
            guard case .capture(let number) = part else {
                append(Template(parts: [part]), to: scratch)
                continue
            }
            let text = capture(number)
            scratch.write(reserving: text.count * 3) { writer in URI.escape(text, .args, into: &writer) }
        }
        let result = keep(scratch.view)
        pool.value.give(scratch)
        return result
    }

    /// - Returns: nil if it cannot be decided.
    private func holds(_ condition: RewriteCondition) -> Bool? {
        switch condition {
        case .isSet(let id):
            let text = variable(Int32(id.index)) ?? ByteView()
            return !text.isEmpty && text != "0"
        case .equal(let id, let template): return (variable(Int32(id.index)) ?? ByteView()) == evaluate(template)
        case .notEqual(let id, let template): return (variable(Int32(id.index)) ?? ByteView()) != evaluate(template)
        case .matches(let id, let pattern):
            // What it captures outlives the value: an upstream's head, say, is gone with the next exchange.
            let text = variable(Int32(id.index)) ?? ByteView()
            return decideRule(pattern.index, value.exchange == nil ? text : keep(text)).holds
        case .doesNotMatch(let id, let pattern):
            return decideRule(pattern.index, variable(Int32(id.index)) ?? ByteView()).holds.map { !$0 }
        case .file(let test, let template, let isNegated): return fileTest(test, evaluate(template)) != isNegated
        }
    }

    private func fileTest(_ test: RewriteCondition.FileTest, _ path: ByteView) -> Bool {
        let (found, code, call) = fileInfo(path)
        guard let info = found else {
            if code != ENOENT, code != ENOTDIR, code != ENAMETOOLONG { log(.critical, "\(call) \"\(path.string)\" failed", errno: code) }
            return false
        }
        switch test {
        case .exists: return true
        case .regular: return info.kind == .regular
        case .directory: return info.kind == .directory
        case .executable: return info.isExecutable
        }
    }
}
