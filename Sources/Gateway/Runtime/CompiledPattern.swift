import Config
import Loop
import Pattern
import Wire

/// A regular expression of the configuration with the variables its named groups set.
struct CompiledPattern: ~Copyable {
    let pattern: Pattern
    /// As it is written, for messages.
    let text: ByteView
    /// Named groups: the variable's index and the group's number.
    let names: FixedList<(variable: Int32, group: Int32)>
}

enum MatchDecision {
    case match, noMatch
    /// It failed, or needs too many steps.
    case undecided

    var holds: Bool? { self == .undecided ? nil : self == .match }
}

extension Ref where Value == Request {
    /// Matches; on success captures `$1`… and named groups are set. What cannot be decided is taken for no match: not for what guards.
    func match(_ pattern: Ref<CompiledPattern>, _ subject: ByteView) -> Bool { decide(pattern, subject) == .match }

    /// Matches, where a match that needs too many steps must fail the request: a rule that denies would be passed by.
    func decide(_ pattern: Ref<CompiledPattern>, _ subject: ByteView) -> MatchDecision {
        switch pattern.value.pattern.match(subject, captures: &value.captures) {
        case .match(let count):
            // The subject must outlive what replaces it (a rewritten URI, a freed scratch buffer).
            value.captureSubject = subject
            value.captureCount = count
            let names = pattern.value.names
            for index in names.indices {
                let name = names[index]
                setVariable(name.variable, value.captures.view(Int(name.group), subject) ?? ByteView())
            }
            return .match
        case .noMatch: return .noMatch
        case .limitExceeded, .error:
            let (text, part) = (pattern.value.text.string, subject.prefix(512).string)
            log(.alert, "regular expression \"\(text)\" failed or needs too many steps with \"\(part)\"")
            return .undecided
        }
    }

    /// `$0`…`$9` of the last match; empty if it took no part.
    func capture(_ number: Int) -> ByteView {
        guard number < value.captureCount else { return ByteView() }
        return value.captures.view(number, value.captureSubject) ?? ByteView()
    }
}
