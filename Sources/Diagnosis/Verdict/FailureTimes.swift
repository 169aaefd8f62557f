/// When the failures of an incident came, in equal spans of time: at most `spansMax`, which widen as it grows.
package struct FailureTimes: Sendable, Hashable {
    static let spansMax = 128
    /// Milliseconds of one span.
    private var width: Int64 = 5_000
    /// Failures by the number of their span since 1970; no empty ones.
    private var spans: [Int64: Int] = [:]

    package init() {}

    /// All that were counted.
    package var total: Int { spans.values.reduce(0, +) }

    /// Failures at a time. O(1), but for a widening.
    package mutating func add(_ time: Timestamp, count: Int = 1) {
        spans[number(time), default: 0] += count
        while spans.count > Self.spansMax { widen(to: width * 2) }
    }

    /// Takes in those of another incident.
    package mutating func add(_ other: FailureTimes) {
        var other = other
        let wider = max(width, other.width)
        widen(to: wider)
        other.widen(to: wider)
        spans.merge(other.spans, uniquingKeysWith: +)
        while spans.count > Self.spansMax { widen(to: width * 2) }
    }

    /// Failures in any of these times, at most: those of a span that reaches into one count whole.
    package func count(within times: [ClosedRange<Timestamp>]) -> Int {
        spans.reduce(0) { sum, span in
            times.contains { number($0.lowerBound) <= span.key && span.key <= number($0.upperBound) } ? sum + span.value : sum
        }
    }

    /// Widths are `5_000` times a power of two, so that a wider span is several whole ones.
    private mutating func widen(to wider: Int64) {
        guard wider > width else { return }
        let factor = wider / width
        spans = Dictionary(spans.map { (Self.quotient($0.key, factor), $0.value) }, uniquingKeysWith: +)
        width = wider
    }

    private func number(_ time: Timestamp) -> Int64 { Self.quotient(time.milliseconds, width) }

    /// Rounded down.
    private static func quotient(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }
}
