/// A small seeded generator (SplitMix64). Machines never ask the system for randomness: who drives them seeds one of
/// these. Not for secrets.
package struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter seed: any value; equal seeds give equal sequences.
    package init(seed: UInt64) { state = seed }

    /// The next 64 bits. O(1).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in `0..<bound`; 0 when `bound` is 0. O(1), without rejection: the bias is at most `bound` / 2^64.
    package mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
