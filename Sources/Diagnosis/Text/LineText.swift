/// A line of a log, as bytes, with the few questions scanners ask. Hostile input costs linear time and nothing traps.
package struct LineText: Sendable, Hashable {
    /// The line, without its end.
    package var bytes: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }
    package init(_ text: some StringProtocol) { bytes = Array(text.utf8)[...] }

    /// Whether there is no byte.
    package var isEmpty: Bool { bytes.isEmpty }
    /// As text; invalid UTF-8 is repaired.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Where `needle` first occurs at or after `from`; O(count · needle), needles are short constants.
    package func find(_ needle: StaticString, from: Int? = nil) -> Int? {
        let length = needle.utf8CodeUnitCount
        let start = max(from ?? bytes.startIndex, bytes.startIndex)
        guard length > 0, bytes.endIndex - start >= length else { return nil }
        // SAFETY: a static string's bytes live as long as the program; indices stay below its count.
        let wanted = unsafe UnsafeBufferPointer(start: needle.utf8Start, count: length)
        let first = unsafe wanted[0]
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            var index = start - bytes.startIndex
            let last = buffer.count - length
            while index <= last {
                if unsafe buffer[index] == first {
                    var offset = 1
                    while offset < length, unsafe buffer[index + offset] == wanted[offset] { offset += 1 }
                    if offset == length { return index + bytes.startIndex }
                }
                index += 1
            }
            return nil
        }
    }

    /// Whether `needle` occurs; O(count · needle).
    package func contains(_ needle: StaticString) -> Bool { find(needle) != nil }

    /// Whether it begins so.
    package func hasPrefix(_ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard bytes.count >= length else { return false }
        // SAFETY: as in `find`.
        let wanted = unsafe UnsafeBufferPointer(start: prefix.utf8Start, count: length)
        for offset in 0..<length where unsafe bytes[bytes.startIndex + offset] != wanted[offset] { return false }
        return true
    }

    /// What follows the first occurrence of `needle`.
    package func after(_ needle: StaticString) -> LineText? {
        find(needle).map { LineText(bytes[($0 + needle.utf8CodeUnitCount)...]) }
    }

    /// What stands before the first occurrence of `needle`.
    package func before(_ needle: StaticString) -> LineText? { find(needle).map { LineText(bytes[..<$0]) } }

    /// What stands before `needle`, or all.
    package func upTo(_ needle: StaticString) -> LineText { before(needle) ?? self }

    /// What stands between two texts.
    package func between(_ open: StaticString, _ close: StaticString) -> LineText? { after(open)?.before(close) }

    /// The decimal number the text begins with, at most 18 digits; nil when it does not.
    package var number: Int? {
        var value = 0, count = 0
        for byte in bytes {
            guard byte >= 48, byte <= 57, count < 18 else { break }
            value = value * 10 + Int(byte - 48)
            count += 1
        }
        return count == 0 ? nil : value
    }

    /// The text up to white space, a comma, a closing bracket or a quote.
    package var word: LineText {
        LineText(bytes.prefix { $0 > 32 && $0 != 44 && $0 != 41 && $0 != 93 && $0 != 34 && $0 != 39 })
    }

    /// Without its first bytes; empty when there are fewer.
    package func dropFirst(_ count: Int) -> LineText { LineText(bytes.dropFirst(count)) }

    /// Without spaces at either end.
    package var trimmed: LineText {
        var slice = bytes
        while let first = slice.first, first <= 32 { slice = slice.dropFirst() }
        while let last = slice.last, last <= 32 { slice = slice.dropLast() }
        return LineText(slice)
    }

    /// Fields between runs of spaces and tabs, at most `limit`.
    package func fields(_ limit: Int = 64) -> [LineText] {
        var out: [LineText] = [], start: Int?
        for index in bytes.indices {
            let isSpace = bytes[index] == 32 || bytes[index] == 9
            if isSpace, let begin = start {
                out.append(LineText(bytes[begin..<index]))
                start = nil
                if out.count == limit { return out }
            } else if !isSpace, start == nil {
                start = index
            }
        }
        if let begin = start { out.append(LineText(bytes[begin...])) }
        return out
    }
}
