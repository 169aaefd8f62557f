import Machine

/// What the simulated kernel draws.
extension RandomSource {
    mutating func below(_ bound: Int) -> Int { Int(next(below: UInt64(bound))) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(range.lowerBound + below(range.count)) }
}
