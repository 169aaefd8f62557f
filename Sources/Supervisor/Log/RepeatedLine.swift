/// A line that may come very often: the first is written at once, later ones once a second, with the number of those between.
struct RepeatedLine {
    private var untold = 0
    private var nextAt: UInt64 = 0

    private static let interval: UInt64 = 1000

    /// It happened once more.
    /// - Parameter now: milliseconds of a monotonic clock.
    /// - Returns: nil when nothing is to be written now; else how often it happened unsaid before this time.
    mutating func tell(now: UInt64) -> Int? {
        guard now >= nextAt else {
            untold += 1
            return nil
        }
        nextAt = now + Self.interval
        defer { untold = 0 }
        return untold
    }
}
