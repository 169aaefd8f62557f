/// Distances between words, for suggestions.
package enum EditDistance {
    /// The candidate with the fewest insertions, deletions, replacements and swaps, if at most a quarter of the letters; of
    /// equals the first. O(candidates × length²).
    package static func nearest(to word: String, in candidates: [String]) -> String? {
        let letters = Array(word.utf8)
        guard letters.count >= 2, letters.count <= 64 else { return nil }
        var nearest: String?
        var limit = max(1, letters.count / 4)
        let kinds = Self.kinds(letters)
        for candidate in candidates where abs(candidate.utf8.count - letters.count) <= limit {
            // Most words have more letters of their own than edits could bring or take.
            let others = Self.kinds(candidate.utf8)
            guard max((kinds & ~others).nonzeroBitCount, (others & ~kinds).nonzeroBitCount) <= limit else { continue }
            guard let distance = distance(letters, Array(candidate.utf8), atMost: limit) else { continue }
            nearest = candidate
            if distance == 0 { break }
            limit = distance - 1
        }
        return nearest
    }

    /// A bit for each letter that occurs.
    private static func kinds(_ letters: some Sequence<UInt8>) -> UInt64 { letters.reduce(0) { $0 | 1 << UInt64($1 & 63) } }

    /// nil when it is more than `limit`, which most words show after a few letters.
    private static func distance(_ left: [UInt8], _ right: [UInt8], atMost limit: Int) -> Int? {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        var row = beforeLast
        var leastOfLast = 0
        for i in 1...left.count {
            row[0] = i
            var least = i
            for j in stride(from: 1, through: right.count, by: 1) {
                let isSame = left[i - 1] == right[j - 1]
                var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1))
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    cost = min(cost, beforeLast[j - 2] + 1)
                }
                row[j] = cost
                least = min(least, cost)
            }
            // What follows comes from these two rows.
            if least > limit, leastOfLast > limit { return nil }
            leastOfLast = least
            (beforeLast, last, row) = (last, row, beforeLast)
        }
        return last[right.count] <= limit ? last[right.count] : nil
    }
}
