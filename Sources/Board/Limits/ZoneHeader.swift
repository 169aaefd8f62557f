/// What stands at the front of the memory of a zone of limit_req or limit_conn: what it is, and the secret that its
/// keys are hashed with, so that nobody outside can choose keys that meet in one place.
package struct ZoneHeader {
    /// "GGZONE" and the kind.
    static let magic: UInt64 = 0x4747_5A4F_4E45_0000
    static let size = 4_096

    /// Which table follows.
    package enum Kind: UInt64, Sendable { case requests = 1, connections = 2 }

    let words: SharedWords

    /// Writes the header into new, empty memory (the supervisor, once).
    package static func create(_ kind: Kind, in words: SharedWords, secret: (UInt64, UInt64)) {
        words.store(8, secret.0)
        words.store(16, secret.1)
        words.store(0, magic | kind.rawValue)
    }

    /// Nil if the memory holds something else.
    init?(_ kind: Kind, _ words: SharedWords) {
        guard words.size >= Self.size, words.load(0) == Self.magic | kind.rawValue else { return nil }
        self.words = words
    }

    var secret: (UInt64, UInt64) { (words.load(8), words.load(16)) }

    /// The number of columns that have been used: none above it is looked at.
    var columnsUsed: Int { Int(clamping: words.loadInOrder(24)) }

    /// Notes that a column is used from now on.
    func use(column: Int) {
        for _ in 0..<64 {
            let known = words.load(24)
            guard known <= UInt64(clamping: column) else { return }
            if words.exchange(24, expected: known, with: UInt64(clamping: column) + 1).isDone { return }
        }
    }
}
