/// Bodies that can be checked byte by byte without keeping them: parts of one long text, chosen by a number.
enum SimulatedBody {
    private static let text: [UInt8] = {
        var state: UInt32 = 2_463_534_242
        return (0..<400_000).map { _ in
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            // Line ends too: a body must not be taken for anything else.
            return [0x0d, 0x0a, 0x30, 0x3a][safe: Int(state % 40)] ?? UInt8(0x20 + state % 95)
        }
    }()

    static func bytes(_ number: Int, count: Int) -> [UInt8] {
        let start = number &* 7919 % 90_000
        return Array(text[start..<(start + count)])
    }

    /// Whether bytes are what stands at an offset of a body.
    static func matches(_ bytes: ArraySlice<UInt8>, _ number: Int, offset: Int) -> Bool {
        let start = number &* 7919 % 90_000 + offset
        guard start + bytes.count <= text.count else { return false }
        return bytes.withUnsafeBytes { left in
            text.withUnsafeBytes { right in bytes.isEmpty || memcmp(left.baseAddress!, right.baseAddress! + start, left.count) == 0 }
        }
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

import Glibc
