/// A zone of limit_req in memory that all workers share: one leaky bucket per key (nginx: ngx_http_limit_req_lookup).
///
/// ```
/// header, 4,096 bytes │ set │ set │ …        a set: 8 × (mark of the key, time at which its bucket is empty)
/// ```
/// A bucket is one word: the time in nanoseconds at which it will have leaked out. So counting a request is one
/// compare-and-swap, and there is no lock that a worker could hold when it is killed. A key is known by its keyed
/// 64-bit hash, which also chooses its set; in a full set the bucket that is empty first, or longest, makes room.
/// What a worker that was taken over writes can refuse or admit requests by wrong counts; it leads no other worker
/// outside the memory, or to wait.
///
/// Complexity: O(1): two cache lines. Allocates nothing. Thread-safe.
package struct RequestZone {
    private let words: SharedWords
    private let sets: Int
    /// What keys are hashed with.
    package let secret: (UInt64, UInt64)

    /// What a look-up says. Excess in thousandths of a request.
    package enum Outcome: Equatable, Sendable {
        /// The excess stays within the burst.
        case allowed(excess: Int64)
        /// Over the burst.
        case rejected(excess: Int64)
    }

    static let entriesPerSet = 8
    static let entrySize = 16
    static let setSize = entriesPerSet * entrySize
    /// Tries to count while other workers count the same key at the same time.
    static let attemptsMax = 64

    /// Bytes of memory for a zone of the size that the configuration gives: an entry takes 16 bytes here and 128 in
    /// nginx, so half as many bytes hold four times as many keys, and sets are rarely full.
    package static func memorySize(zoneSize: Int) -> Int {
        let sets = max(32, zoneSize / 2 / setSize)
        return (ZoneHeader.size + sets * setSize + 4_095) / 4_096 * 4_096
    }

    /// Nil if the memory does not hold such a zone.
    package init?(_ words: SharedWords) {
        guard let header = ZoneHeader(.requests, words) else { return nil }
        self.words = words
        secret = header.secret
        sets = (words.size - ZoneHeader.size) / Self.setSize
        guard sets > 0 else { return nil }
    }

    /// Looks at a key, and counts the request if it is allowed.
    /// - Parameters:
    ///   - hash: of the key, with `secret`.
    ///   - rate: thousandths of a request per second, > 0 (`1r/s` is 1000).
    ///   - burst: allowed excess in thousandths.
    ///   - now: milliseconds of CLOCK_MONOTONIC.
    ///   - counts: false only looks: several limits are counted together when all allow.
    package func take(hash: UInt64, rate: Int64, burst: Int64, now: UInt64, counts: Bool) -> Outcome {
        let mark = max(1, hash)
        let time = Int64(clamping: now) &* 1_000_000
        guard let entry = find(mark) ?? (counts ? claim(mark) : nil) else { return .allowed(excess: 0) }
        var excess: Int64 = 0
        for _ in 0..<Self.attemptsMax {
            let known = words.load(entry + 8)
            excess = Self.excess(Int64(truncatingIfNeeded: known), time, rate)
            if excess > burst { return .rejected(excess: excess) }
            guard counts else { break }
            let empty = Self.emptyTime(excess, time, rate)
            if words.exchange(entry + 8, expected: known, with: UInt64(bitPattern: empty)).isDone { break }
        }
        return .allowed(excess: excess)
    }

    /// A year: no clock overflows by it.
    private static let delayMax: Int64 = 366 * 86_400_000

    /// How long a request with an excess has to wait, in milliseconds.
    /// - Parameter delay: excess without delay, in thousandths.
    package static func delay(excess: Int64, after delay: Int64, rate: Int64) -> Int64 {
        guard excess > delay else { return 0 }
        let (product, isTooMuch) = (excess - delay).multipliedReportingOverflow(by: 1_000)
        return min(isTooMuch ? .max : product / max(1, rate), delayMax)
    }

    /// The excess of a request that comes now to a bucket that will be empty then.
    private static func excess(_ empty: Int64, _ time: Int64, _ rate: Int64) -> Int64 {
        let (ahead, isAway) = empty.subtractingReportingOverflow(time)
        let (product, isTooFar) = ahead.multipliedReportingOverflow(by: rate)
        // Long ago, or nonsense.
        if isAway || isTooFar { return ahead < 0 || isAway ? 0 : .max / 2 }
        // Rounded up, as nginx rounds down what has leaked.
        return max(0, (product > 0 ? (product - 1) / 1_000_000_000 + 1 : product / 1_000_000_000) + 1_000)
    }

    /// When a bucket with this excess is empty, rounded down, so that the excess read from it at once is the same.
    private static func emptyTime(_ excess: Int64, _ time: Int64, _ rate: Int64) -> Int64 {
        let (product, isTooMuch) = excess.multipliedReportingOverflow(by: 1_000_000_000)
        let wait = isTooMuch ? excess / max(1, rate) &* 1_000_000_000 : product / max(1, rate)
        let (sum, isTooFar) = time.addingReportingOverflow(wait)
        return isTooFar ? .max : sum
    }

    private func start(_ mark: UInt64) -> Int {
        ZoneHeader.size + Int(mark.multipliedFullWidth(by: UInt64(sets)).high) * Self.setSize
    }

    private func find(_ mark: UInt64) -> Int? {
        let start = start(mark)
        for entry in stride(from: start, to: start + Self.setSize, by: Self.entrySize)
        where words.load(entry) == mark { return entry }
        return nil
    }

    /// A place for a new key; nil if other workers took every one that was tried.
    private func claim(_ mark: UInt64) -> Int? {
        let start = start(mark)
        for _ in 0..<4 {
            var victim = start
            var (victimMark, victimTime) = (words.load(start), UInt64.max)
            for entry in stride(from: start, to: start + Self.setSize, by: Self.entrySize) {
                let known = words.load(entry)
                if known == mark { return entry }
                let time = known == 0 ? 0 : words.load(entry + 8)
                if time < victimTime { (victim, victimMark, victimTime) = (entry, known, time) }
            }
            // First the bucket, then the name on it: a new key does not begin with another's excess.
            if victimMark != 0, !words.exchange(victim + 8, expected: words.load(victim + 8), with: 0).isDone { continue }
            if words.exchange(victim, expected: victimMark, with: mark).isDone { return victim }
        }
        return nil
    }
}
