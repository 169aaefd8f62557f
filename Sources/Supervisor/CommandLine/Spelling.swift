/// Finds what somebody probably meant.
package enum Spelling {
    /// The candidate nearest to a word, if it is near enough to be a slip of the keyboard (a third of the word, at most 3 edits).
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = min(3, max(1, word.utf8.count / 3))
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let found = distance(Array(word.utf8), Array(candidate.utf8))
            if found <= limit, found < best?.distance ?? .max { best = (candidate, found) }
        }
        return best?.candidate
    }

    /// Edits between two words: insert, remove, replace, or swap of neighbours. O(n·m).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard left.count <= 64, right.count <= 64 else { return .max }
        var previous: [Int] = []
        var current = Array(0...right.count)
        for (i, a) in left.enumerated() {
            let before = previous
            previous = current
            current[0] = i + 1
            for (j, b) in right.enumerated() {
                current[j + 1] = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { current[j + 1] = min(current[j + 1], before[j - 1] + 1) }
            }
        }
        return current[right.count]
    }
}
