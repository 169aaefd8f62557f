/// MD5 (RFC 1321), for hashes that nginx defines by it (`secure_link_md5`, cache keys); not for security of our own.
public struct MD5: Sendable {
    private var a: UInt32 = 0x6745_2301
    private var b: UInt32 = 0xefcd_ab89
    private var c: UInt32 = 0x98ba_dcfe
    private var d: UInt32 = 0x1032_5476
    /// Bytes so far.
    private var length: UInt64 = 0
    /// Bytes in the block, 0...63.
    private var filled: UInt8 = 0
    /// The block that is being filled, as 16 little-endian words.
    private var block: InlineArray<16, UInt32> = InlineArray(repeating: 0)

    public init() {}

    /// Goes on with more bytes. O(n).
    public mutating func update(_ bytes: ByteView) {
        var index = 0
        while index < bytes.count {
            put(bytes[index])
            index &+= 1
        }
        length &+= UInt64(bytes.count)
    }

    /// The digest's 16 bytes as two little-endian numbers.
    public consuming func digest() -> (low: UInt64, high: UInt64) {
        let bits = length &* 8
        put(0x80)
        while filled != 56 { put(0) }
        block[14] = UInt32(truncatingIfNeeded: bits)
        block[15] = UInt32(truncatingIfNeeded: bits >> 32)
        transform()
        return (UInt64(b) << 32 | UInt64(a), UInt64(d) << 32 | UInt64(c))
    }

    private mutating func put(_ byte: UInt8) {
        let word = Int(filled >> 2)
        let shift = UInt32(filled & 3) &* 8
        block[word] = (shift == 0 ? 0 : block[word]) | UInt32(byte) << shift
        filled &+= 1
        if filled == 64 {
            filled = 0
            transform()
        }
    }

    private mutating func transform() {
        var (a, b, c, d) = (self.a, self.b, self.c, self.d)
        var step = 0
        while step < 64 {
            let mixed: UInt32
            let word: Int
            switch step >> 4 {
            case 0: (mixed, word) = (b & c | ~b & d, step)
            case 1: (mixed, word) = (d & b | ~d & c, (5 &* step &+ 1) & 15)
            case 2: (mixed, word) = (b ^ c ^ d, (3 &* step &+ 5) & 15)
            default: (mixed, word) = (c ^ (b | ~d), 7 &* step & 15)
            }
            let sum = a &+ mixed &+ Self.sines[step] &+ block[word]
            let shift = Self.shift(step)
            (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 &- shift)))
            step &+= 1
        }
        self.a &+= a
        self.b &+= b
        self.c &+= c
        self.d &+= d
    }

    @inline(__always)
    private static func shift(_ step: Int) -> UInt32 {
        let shifts: UInt64 =
            switch step >> 4 {
            case 0: 0x16_11_0c_07
            case 1: 0x14_0e_09_05
            case 2: 0x17_10_0b_04
            default: 0x15_0f_0a_06
            }
        return UInt32(truncatingIfNeeded: shifts >> UInt64(8 &* (step & 3)) & 0xff)
    }

    /// floor(2^32 × abs(sin(i + 1))), RFC 1321, 3.4.
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
