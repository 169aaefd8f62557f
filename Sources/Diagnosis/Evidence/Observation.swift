/// What is known from one source: a value with the place a person can look it up, or why there is none.
///
/// The three cases keep "looked and found nothing" apart from "could not look": a rule may only conclude from the former.
package enum Observation<Value: Sendable>: Sendable {
    /// Nobody looked.
    case notCollected
    /// Looking failed; `why` names the missing right or file ("no right to read /dev/kmsg").
    case unavailable(why: String)
    /// What was found, and the path or command that shows it.
    case known(Value, source: String)

    /// What is known; nil in the other cases.
    package var value: Value? { if case .known(let value, _) = self { value } else { nil } }
    package var source: String { if case .known(_, let source) = self { source } else { "" } }
    package var unavailableBecause: String? { if case .unavailable(let why) = self { why } else { nil } }
}
