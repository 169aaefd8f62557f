package import Wire

/// CRC-32 (IEEE 802.3, reflected), as memcached clients and nginx's `hash` use it.
package struct CRC32: BitwiseCopyable {
    private var state: UInt32 = 0xFFFF_FFFF

    package init() {}

    /// The checksum of what was added.
    package var value: UInt32 { ~state }

    /// Adds one byte. O(1).
    package mutating func add(_ byte: UInt8) {
        state = CRC32.table[Int((state ^ UInt32(byte)) & 0xFF)] ^ (state >> 8)
    }

    /// Adds bytes. O(n).
    package mutating func add(_ bytes: ByteView) {
        var index = 0
        while index < bytes.count {
            add(bytes[index])
            index &+= 1
        }
    }

    /// Adds bytes. O(n).
    package mutating func add(_ bytes: some Collection<UInt8>) {
        for byte in bytes { add(byte) }
    }

    private static let table: InlineArray<256, UInt32> = InlineArray { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        return value
    }
}

/// MD5 (RFC 1321): sticky peer ids and session keys are MD5 as in nginx. Not for security.
package struct MD5 {
    private var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
    private var block = InlineArray<16, UInt32>(repeating: 0)
    private var length: UInt64 = 0

    package init() {}

    /// The digest of bytes as two big-endian words. O(n), no allocation.
    package static func digest(_ bytes: ByteView) -> (UInt64, UInt64) {
        var md5 = MD5()
        var index = 0
        while index < bytes.count {
            md5.add(bytes[index])
            index &+= 1
        }
        return md5.finish()
    }

    /// The digest of bytes as two big-endian words. O(n).
    package static func digest(_ bytes: some Collection<UInt8>) -> (UInt64, UInt64) {
        var md5 = MD5()
        for byte in bytes { md5.add(byte) }
        return md5.finish()
    }

    private mutating func add(_ byte: UInt8) {
        let offset = Int(truncatingIfNeeded: length & 63)
        let shift = UInt32((offset & 3) * 8)
        if offset & 3 == 0 { block[offset >> 2] = 0 }
        block[offset >> 2] |= UInt32(byte) << shift
        length &+= 1
        if offset == 63 { compress() }
    }

    private mutating func finish() -> (UInt64, UInt64) {
        let bits = length &* 8
        add(0x80)
        while length & 63 != 56 { add(0) }
        block[14] = UInt32(truncatingIfNeeded: bits)
        block[15] = UInt32(truncatingIfNeeded: bits >> 32)
        compress()
        return (
            UInt64(state.0.byteSwapped) << 32 | UInt64(state.1.byteSwapped),
            UInt64(state.2.byteSwapped) << 32 | UInt64(state.3.byteSwapped)
        )
    }

    private mutating func compress() {
        var (a, b, c, d) = state
        for round in 0..<64 {
            var f: UInt32
            let word: Int
            switch round >> 4 {
            case 0: (f, word) = ((b & c) | (~b & d), round)
            case 1: (f, word) = ((d & b) | (~d & c), (5 &* round &+ 1) & 15)
            case 2: (f, word) = (b ^ c ^ d, (3 &* round &+ 5) & 15)
            default: (f, word) = (c ^ (b | ~d), (7 &* round) & 15)
            }
            f = f &+ a &+ MD5.sines[round] &+ block[word]
            let turn = MD5.turns[(round >> 4) << 2 | round & 3]
            (a, d, c, b) = (d, c, b, b &+ (f << turn | f >> (32 &- turn)))
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
    }

    private static let turns: InlineArray<16, UInt32> = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

    private static let sines: InlineArray<64, UInt32> = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ]
}
