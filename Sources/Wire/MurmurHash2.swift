/// MurmurHash2 with seed 0: the hash of nginx's `split_clients`.
public enum MurmurHash2 {
    private static var multiplier: UInt32 { 0x5bd1_e995 }

    /// O(n).
    public static func hash(_ bytes: ByteView) -> UInt32 {
        var hash = UInt32(truncatingIfNeeded: bytes.count)
        var index = 0
        while index &+ 4 <= bytes.count {
            var word = UInt32(truncatingIfNeeded: bytes.exactWord(at: index, length: 4))
            word &*= multiplier
            word ^= word >> 24
            word &*= multiplier
            hash = hash &* multiplier ^ word
            index &+= 4
        }
        if index < bytes.count {
            hash ^= UInt32(truncatingIfNeeded: bytes.exactWord(at: index, length: bytes.count &- index))
            hash &*= multiplier
        }
        hash ^= hash >> 13
        hash &*= multiplier
        return hash ^ hash >> 15
    }
}
