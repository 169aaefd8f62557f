/// A zone of limit_conn in memory that all workers share: how many requests are under way per key.
///
/// ```
/// header, 4,096 bytes │ column of worker 1 │ column of worker 2 │ …   a column: sets of 8 words (mark, count)
/// ```
/// Each worker writes only its own column, as on the board: its count of a key is one word, the sum over all columns
/// is the number that counts, and what a worker held when it was killed ends with its column (the supervisor clears
/// it). There is no lock, and nothing to repair. A key stands in one of two sets that its keyed hash chooses.
///
/// A worker first counts and then looks at the others, in one order for all, so that two never both take the last
/// place; two that come in the same instant may both step back, and then try again.
///
/// Complexity: O(columns in use). Allocates nothing.
package struct ConnectionZone {
    private let words: SharedWords
    private let header: ZoneHeader
    private let columns: Int
    private let sets: Int
    /// What keys are hashed with.
    package let secret: (UInt64, UInt64)

    static let wordsPerSet = 8
    static let setSize = wordsPerSet * 8
    private static let countMask: UInt64 = 0xFFFF

    /// Bytes of one column for a zone of the size that the configuration gives: as many keys as nginx's zone holds
    /// (64 bytes each there).
    package static func columnSize(zoneSize: Int) -> Int { max(4_096, (zoneSize / 8 + 4_095) / 4_096 * 4_096) }

    /// Bytes of memory. Pages that nobody touched take none.
    package static func memorySize(zoneSize: Int) -> Int {
        ZoneHeader.size + (BoardLayout.workersMax + 1) * columnSize(zoneSize: zoneSize)
    }

    /// Nil if the memory does not hold such a zone.
    package init?(_ words: SharedWords) {
        guard let header = ZoneHeader(.connections, words) else { return nil }
        self.words = words
        self.header = header
        secret = header.secret
        columns = BoardLayout.workersMax + 1
        sets = (words.size - ZoneHeader.size) / columns / Self.setSize
        guard sets > 0 else { return nil }
    }

    /// Where a column stands in the memory.
    package static func range(of column: Int, columnSize: Int) -> Range<Int> {
        let start = ZoneHeader.size + min(max(0, column), BoardLayout.workersMax) * columnSize
        return start..<start + columnSize
    }

    /// Says that a worker has this column. Before its first `enter`.
    package func use(column: Int) { header.use(column: column) }

    /// Counts one more for a key.
    /// - Parameters:
    ///   - hash: of the key, with `secret`.
    ///   - column: the calling worker's own.
    /// - Returns: the place for `leave`; nil if the limit is reached, or there is no room for another key.
    package func enter(hash: UInt64, column: Int, limit: Int) -> Int32? {
        let mark = max(1 << 16, hash & ~Self.countMask)
        guard column >= 0, column < columns, let place = place(mark, column) else { return nil }
        for _ in 0..<3 {
            let own = words.load(place) & Self.countMask
            guard own < Self.countMask else { return nil }
            words.storeInOrder(place, mark | own + 1)
            if Int(own) + 1 + others(mark, column) <= limit { return Int32(truncatingIfNeeded: place >> 3) }
            words.storeInOrder(place, own == 0 ? 0 : mark | own)
            // Others may have stepped back as well.
            guard Int(own) + 1 + others(mark, column) <= limit else { return nil }
        }
        return nil
    }

    /// One less. The key goes with its last one.
    package func leave(_ place: Int32) {
        let offset = Int(place) << 3
        guard offset >= ZoneHeader.size, offset <= words.size - 8 else { return }
        let known = words.load(offset)
        let count = known & Self.countMask
        words.storeInOrder(offset, count <= 1 ? 0 : known - 1)
    }

    /// How many of a key are under way in all workers.
    package func count(hash: UInt64) -> Int { others(max(1 << 16, hash & ~Self.countMask), -1) }

    private func setOffsets(_ mark: UInt64, _ column: Int) -> (Int, Int) {
        let base = Self.range(of: column, columnSize: sets * Self.setSize).lowerBound
        let first = Int(mark.multipliedFullWidth(by: UInt64(sets)).high)
        let second = Int((mark &* 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: UInt64(sets)).high)
        return (base + first * Self.setSize, base + second * Self.setSize)
    }

    /// The worker's own word for a key, or an empty one.
    private func place(_ mark: UInt64, _ column: Int) -> Int? {
        let (first, second) = setOffsets(mark, column)
        var empty: Int?
        var room = 0
        for start in [first, second] {
            var free = 0
            var place: Int?
            for offset in stride(from: start, to: start + Self.setSize, by: 8) {
                let known = words.load(offset)
                if known & ~Self.countMask == mark { return offset }
                if known & Self.countMask == 0 {
                    free += 1
                    place = place ?? offset
                }
            }
            // The emptier set takes it.
            if free > room { (room, empty) = (free, place) }
        }
        return empty
    }

    private func others(_ mark: UInt64, _ own: Int) -> Int {
        var sum = 0
        for column in 0..<min(columns, header.columnsUsed) where column != own {
            let (first, second) = setOffsets(mark, column)
            sum += count(mark, in: first)
            if second != first { sum += count(mark, in: second) }
        }
        return sum
    }

    private func count(_ mark: UInt64, in start: Int) -> Int {
        for offset in stride(from: start, to: start + Self.setSize, by: 8) {
            let known = words.loadInOrder(offset)
            if known & ~Self.countMask == mark { return Int(known & Self.countMask) }
        }
        return 0
    }
}
