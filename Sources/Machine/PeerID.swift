import Wire

/// A sticky id: the MD5 of a peer's address in hex, or a route name; at most 32 bytes, zeros behind.
package struct PeerID: BitwiseCopyable, Equatable, Sendable {
    static let maxCount = 32

    private var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    init() {}

    /// The first 32 of some bytes.
    init(_ bytes: ByteView) {
        for index in 0..<min(bytes.count, PeerID.maxCount) { set(index, bytes[index]) }
    }

    /// The first 32 of some bytes.
    package init(bytes: [UInt8]) {
        for index in 0..<min(bytes.count, PeerID.maxCount) { set(index, bytes[index]) }
    }

    /// A digest in lower-case hex.
    init(digest: SessionDigest) {
        for index in 0..<32 {
            let word = index < 16 ? digest.high : digest.low
            let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - (index & 15) * 4)) & 15
            set(index, nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
        }
    }

    /// Byte `index` of the id, 0...31.
    package subscript(index: Int) -> UInt8 {
        let shift = UInt64(index & 7) * 8
        switch index >> 3 {
        case 0: return UInt8(truncatingIfNeeded: words.0 >> shift)
        case 1: return UInt8(truncatingIfNeeded: words.1 >> shift)
        case 2: return UInt8(truncatingIfNeeded: words.2 >> shift)
        case 3: return UInt8(truncatingIfNeeded: words.3 >> shift)
        default: return 0
        }
    }

    private mutating func set(_ index: Int, _ byte: UInt8) {
        let bits = UInt64(byte) << (UInt64(index & 7) * 8)
        switch index >> 3 {
        case 0: words.0 |= bits
        case 1: words.1 |= bits
        case 2: words.2 |= bits
        default: words.3 |= bits
        }
    }

    package static func == (left: PeerID, right: PeerID) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
            && left.words.3 == right.words.3
    }
}

extension Balancer {
    /// A peer's sticky id and its length in bytes (0 = none). O(1).
    package func id(of peer: Int) -> (id: PeerID, count: Int) {
        guard isPeer(peer) else { return (PeerID(), 0) }
        return (ids[peer], Int(peers[peer].idCount))
    }
}
