import Board
import Machine
import Wire

/// Incidents of peers that have no place on the board (targets with variables, groups without a peer): known to this worker alone. The
/// collector merges what several workers name.
struct LocalIncidents {
    private static var rowsMax: Int { 64 }

    private var rows: [(key: UInt64, word: IncidentWord)] = []
    private var oldest = 0

    /// The open incident of a key, or a new one, which may take the place of the oldest row. O(rows).
    mutating func incident(_ key: UInt64, second: UInt64, propose: () -> UInt64) -> UInt64 {
        if let found = rows.firstIndex(where: { $0.key == key }) {
            let id = rows[found].word.isOpen(at: second) ? rows[found].word.id : propose()
            rows[found].word = IncidentWord(id: id, second: second)
            return id
        }
        let id = propose()
        if rows.count < Self.rowsMax {
            rows.append((key, IncidentWord(id: id, second: second)))
        } else {
            rows[oldest] = (key, IncidentWord(id: id, second: second))
            oldest = (oldest + 1) % Self.rowsMax
        }
        return id
    }

    /// FNV-1a over the names and the family.
    static func key(_ upstream: ByteView, _ peer: ByteView, family: Int) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(truncatingIfNeeded: family)
        func add(_ bytes: ByteView) {
            for index in 0..<bytes.count { value = (value ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
            value = (value ^ 0xff) &* 0x100_0000_01b3
        }
        add(upstream)
        add(peer)
        return value
    }
}
