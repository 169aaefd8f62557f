import Pattern
import Wire

/// What an answer must be like to pass a check: a `match` block, or a status of 2xx or 3xx. Immortal.
struct HealthMatch {
    enum Condition {
        case status(ranges: [ClosedRange<Int>], isNegated: Bool)
        /// The name in lower case, and its hash.
        case header(name: ByteView, hash: UInt32, test: FieldTest)
        case body(Pattern, isNegated: Bool)
    }

    /// What is asked of a field. Of several lines with one name, one that fits is enough; what a line must not be, none may be.
    enum FieldTest {
        case exists, missing
        case equal(ByteView), notEqual(ByteView)
        case matches(Pattern), doesNotMatch(Pattern)
    }

    /// All must hold.
    let conditions: [Condition]

    static var standard: HealthMatch { HealthMatch(conditions: [.status(ranges: [200...399], isNegated: false)]) }

    /// Whether the body has to be read.
    var needsBody: Bool { conditions.contains { if case .body = $0 { true } else { false } } }

    /// What is wrong with a head, in words for the log; nil: nothing.
    func complaint(status: Int, _ fields: borrowing FieldTable, _ base: ByteView) -> String? {
        for condition in conditions {
            switch condition {
            case .status(let ranges, let isNegated):
                if ranges.contains(where: { $0.contains(status) }) == isNegated { return "it answered with status \(status)" }
            case .header(let name, let hash, let test):
                if !Self.holds(test, name, hash, fields, base) { return "field \"\(name.string)\" of its answer does not match" }
            case .body: break
            }
        }
        return nil
    }

    /// The same of a body.
    func complaint(body: ByteView) -> String? {
        for case .body(let pattern, let isNegated) in conditions where Self.matches(pattern, body) == isNegated {
            return "the body of its answer does not match"
        }
        return nil
    }

    private static func holds(
        _ test: FieldTest, _ name: ByteView, _ hash: UInt32, _ fields: borrowing FieldTable, _ base: ByteView
    ) -> Bool {
        var place = fields.firstIndex(named: name, hash: hash, base)
        switch test {
        case .exists: return place != nil
        case .missing: return place == nil
        default: break
        }
        while let index = place {
            let value = fields[index].value.view(base)
            switch test {
            case .equal(let wanted): if value == wanted { return true }
            case .matches(let pattern): if matches(pattern, value) { return true }
            case .notEqual(let unwanted): if value == unwanted { return false }
            case .doesNotMatch(let pattern): if matches(pattern, value) { return false }
            case .exists, .missing: break
            }
            place = fields.firstIndex(named: name, hash: hash, base, from: index + 1)
        }
        switch test {
        case .notEqual, .doesNotMatch: return true
        default: return false
        }
    }

    private static func matches(_ pattern: Pattern, _ subject: ByteView) -> Bool {
        if case .match = pattern.matches(subject) { true } else { false }
    }
}
