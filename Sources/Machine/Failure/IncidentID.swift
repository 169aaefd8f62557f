/// The short name of an incident: sorts by time, is typed by hand, fits eight characters.
///
/// 30 bits of seconds since 2024-01-01 UTC (until 2058), then 10 bits that keep ids of one second apart: all workers count on the
/// board. Written in Crockford's base 32, without I, L, O and U. Stdlib only, so that the worker can make one too.
package struct IncidentID: Sendable, BitwiseCopyable, Hashable, Comparable {
    /// The value; only the low 40 bits are used.
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue & 0xff_ffff_ffff }

    /// - Parameters:
    ///   - seconds: wall clock, seconds since 1970.
    ///   - salt: distinguishes ids of one second; the low 10 bits count.
    package init(seconds: Int64, salt: UInt16) {
        let epoch: Int64 = 1_704_067_200
        let since = UInt64(min(max(seconds.subtractingReportingOverflow(epoch).partialValue, 0), 0x3fff_ffff))
        rawValue = since << 10 | UInt64(salt & 0x3ff)
    }

    /// Seconds since 1970 at which the id was made.
    package var seconds: Int64 { Int64(rawValue >> 10) + 1_704_067_200 }

    /// By time, then by salt.
    package static func < (a: IncidentID, b: IncidentID) -> Bool { a.rawValue < b.rawValue }

    /// One of the eight characters, most significant first. `index` is 0...7; no allocation.
    package func character(at index: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: rawValue >> UInt64(35 - 5 * min(max(index, 0), 7))) & 31
        switch value {  // 0-9 A-H J K M N P-T V-Z
        case 0...9: return 48 + value
        case 10...17: return 65 + value - 10
        case 18...19: return 74 + value - 18
        case 20...21: return 77 + value - 20
        case 22...26: return 80 + value - 22
        default: return 86 + value - 27
        }
    }

    /// Eight characters, for example `2WK3G7A0`.
    package var text: String { String(decoding: (0..<8).map(character(at:)), as: UTF8.self) }

    /// Reads what a person typed: case does not matter, O is 0, I and L are 1; nil when it is no id.
    package init?(parsing text: some StringProtocol) {
        var value: UInt64 = 0, count = 0
        for byte in text.utf8 {
            guard let digit = Self.digit(byte), count < 8 else { return nil }
            value = value << 5 | UInt64(digit)
            count += 1
        }
        guard count == 8 else { return nil }
        rawValue = value
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        let upper = byte >= 97 && byte <= 122 ? byte - 32 : byte
        switch upper {
        case 48...57: return upper - 48
        case 79: return 0  // O
        case 73, 76: return 1  // I, L
        case 65...72: return upper - 65 + 10
        case 74...75: return upper - 74 + 18
        case 77...78: return upper - 77 + 20
        case 80...84: return upper - 80 + 22
        case 86...90: return upper - 86 + 27
        default: return nil
        }
    }
}

extension IncidentID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = IncidentID(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an incident id")
        }
        self = id
    }
    /// As its eight characters.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
