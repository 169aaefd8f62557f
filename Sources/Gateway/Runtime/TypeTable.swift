import Loop
import Wire

/// Media types by file extension: an immutable hash table with open addressing.
struct TypeTable: ~Copyable {
    private struct Slot {
        var name = ByteView()
        var type: ByteView?
    }

    private let slots: FixedList<Slot>
    private let mask: Int

    /// - Parameter types: lower-case extension to type.
    init(_ types: [[UInt8]: [UInt8]]) {
        var size = 4
        while size < types.count * 2 { size *= 2 }
        mask = size - 1
        var filled = [Slot](repeating: Slot(), count: size)
        for (name, type) in types {
            let key = ByteView.immortal(name)
            var place = Self.hash(key) & mask
            while filled[place].type != nil { place = (place + 1) & mask }
            filled[place] = Slot(name: key, type: ByteView.immortal(type))
        }
        slots = FixedList(filled)
    }

    /// The type for an extension in any case. O(length).
    func find(_ name: ByteView) -> ByteView? {
        var place = Self.hash(name) & mask
        while let type = slots[place].type {
            if slots[place].name.equalsIgnoringCase(name) { return type }
            place = (place + 1) & mask
        }
        return nil
    }

    /// FNV-1a over lower-case bytes.
    private static func hash(_ name: ByteView) -> Int {
        var hash: UInt32 = 2_166_136_261
        for index in 0..<name.count { hash = (hash ^ UInt32(asciiLowercase(name[index]))) &* 16_777_619 }
        return Int(hash)
    }
}
