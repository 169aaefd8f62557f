/// The ranges of a `Range` field that can be satisfied, in order. Reused; allocates only to grow.
public struct ByteRangeSet: ~Copyable {
    /// Ranges of byte offsets, none empty, each inside 0..<size.
    public private(set) var ranges: [Range<UInt64>] = []
    public init() {}

    public enum Outcome: Equatable, Sendable {
        /// Serve the whole: not bytes, too many ranges, or more bytes than the whole has.
        case ignore
        /// 416 with `Content-Range: bytes */SIZE`.
        case notSatisfiable
        /// 206; `ranges` holds at least one.
        case partial
    }

    /// `max_ranges` when it is not set.
    public static var unlimited: Int { Int(Int32.max) }

    /// Parses with nginx's rules. O(n).
    ///
    /// - Parameters:
    ///   - value: of the field, "bytes=0-99,200-".
    ///   - size: length of the whole in bytes, at most Int64.max.
    ///   - maxRanges: `max_ranges`; 0 turns ranges off.
    public mutating func parse(_ value: ByteView, size: UInt64, maxRanges: Int = unlimited) -> Outcome {
        ranges.removeAll(keepingCapacity: true)
        let unit: ByteView = "bytes="
        guard maxRanges > 0, value.count > unit.count, value.prefix(unit.count).equalsIgnoringCase(unit) else {
            return .ignore
        }
        var reader = Reader(bytes: value, index: unit.count)
        var total: UInt64 = 0
        while true {
            guard let spec = reader.next() else { return .notSatisfiable }
            guard let range = resolve(spec, size: size) else {
                // Nothing of it is there. From the front that means that the whole is empty.
                if startsAtZero(spec, size: size) { return .ignore }
                if reader.skipComma() { continue }
                break
            }
            if ranges.count == maxRanges { return .ignore }
            ranges.append(range)
            let (sum, overflow) = total.addingReportingOverflow(range.upperBound - range.lowerBound)
            guard !overflow, sum <= UInt64(Int64.max) else { return .notSatisfiable }
            total = sum
            if !reader.skipComma() { break }
        }
        return judge(total: total, size: size, maxRanges: maxRanges)
    }

    private func judge(total: UInt64, size: UInt64, maxRanges: Int) -> Outcome {
        if ranges.isEmpty { return .notSatisfiable }
        if ranges.count == 1 { return .partial }
        if total > size { return .ignore }
        if maxRanges == Self.unlimited {
            // With the lines of multipart/byteranges it must not be much more than the whole.
            let (withLines, overflow) = total.addingReportingOverflow(UInt64(ranges.count) * 256)
            if overflow || withLines > size.addingReportingOverflow(4096).partialValue { return .ignore }
        }
        return .partial
    }

    /// The bytes of a spec that are there; nil if there are none.
    private func resolve(_ spec: Spec, size: UInt64) -> Range<UInt64>? {
        let start: UInt64
        var end = size
        switch spec {
        case .suffix(let length): start = length < size ? size - length : 0
        case .from(let first): start = first
        case .closed(let first, let last):
            start = first
            if last < size { end = last + 1 }
        }
        return start < end ? start..<end : nil
    }

    private func startsAtZero(_ spec: Spec, size: UInt64) -> Bool {
        switch spec {
        case .suffix(let length): length >= size
        case .from(let first), .closed(let first, _): first == 0
        }
    }

    private enum Spec {
        case suffix(UInt64)
        case from(UInt64)
        case closed(UInt64, UInt64)
    }

    private struct Reader {
        let bytes: ByteView
        var index: Int

        /// The next spec, up to a comma or the end; nil if it is none.
        mutating func next() -> Spec? {
            skipSpaces()
            if skip(0x2d) {
                guard let length = number(), isAtEnd() else { return nil }
                return .suffix(length)
            }
            guard let first = number() else { return nil }
            skipSpaces()
            guard skip(0x2d) else { return nil }
            skipSpaces()
            if isAtEnd() { return .from(first) }
            guard let last = number(), isAtEnd() else { return nil }
            return .closed(first, last)
        }

        mutating func skipComma() -> Bool { skip(0x2c) }

        /// Whether a comma or the end follows.
        private mutating func isAtEnd() -> Bool {
            skipSpaces()
            return index == bytes.count || bytes[index] == 0x2c
        }

        private mutating func skip(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index &+= 1
            return true
        }

        private mutating func skipSpaces() {
            while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        }

        private mutating func number() -> UInt64? {
            let start = index
            while index < bytes.count, bytes[index] &- 0x30 < 10 { index &+= 1 }
            return Decimal.parse(bytes[start..<index])
        }
    }
}
