import Loop
import Wire

/// Values by bytes of the configuration, ASCII case ignored: an immutable hash table with open addressing. A copy costs nothing.
struct ByteTable<Value> {
    private struct Slot {
        var key = ByteView()
        var value: Value?
    }

    private let slots: FixedList<Slot>
    private let mask: Int
    let isEmpty: Bool

    /// - Parameter entries: keys that differ in more than case.
    init(_ entries: some Collection<(key: [UInt8], value: Value)>) {
        var size = 4
        while size < entries.count * 2 { size *= 2 }
        mask = size - 1
        isEmpty = entries.isEmpty
        var filled = [Slot](repeating: Slot(), count: size)
        for (key, value) in entries {
            let key = ByteView.immortal(key)
            var place = Self.hash(key) & mask
            while filled[place].value != nil { place = (place + 1) & mask }
            filled[place] = Slot(key: key, value: value)
        }
        slots = FixedList(filled)
    }

    /// The value of a key in any case. O(length).
    func find(_ key: ByteView) -> Value? {
        var place = Self.hash(key) & mask
        while let value = slots[place].value {
            if slots[place].key.equalsIgnoringCase(key) { return value }
            place = (place + 1) & mask
        }
        return nil
    }

    /// FNV-1a over lower-case bytes. Keys come from the configuration, so nobody can fill a place with them.
    private static func hash(_ key: ByteView) -> Int {
        var hash: UInt32 = 2_166_136_261
        for index in 0..<key.count { hash = (hash ^ UInt32(asciiLowercase(key[index]))) &* 16_777_619 }
        return Int(hash)
    }
}
