package import Wire

/// Places of the groups of one match. Reused between matches; grows to the largest number of groups it has seen.
package struct CaptureOffsets: Sendable {
    /// A group that took no part has `unset` as its offset.
    private var ranges: [ByteRange] = []
    private static var unset: UInt32 { .max }

    package init() {}

    /// Groups, group 0 included.
    package var count: Int { ranges.count }

    /// The group's place in the subject; nil if the group does not exist or took no part.
    package subscript(number: Int) -> ByteRange? {
        guard number >= 0, number < ranges.count, ranges[number].offset != Self.unset else { return nil }
        return ranges[number]
    }

    /// The group's bytes; nil if the group does not exist or took no part.
    ///
    /// - Parameter subject: what was matched.
    package func view(_ number: Int, _ subject: ByteView) -> ByteView? { self[number]?.view(subject) }

    package mutating func removeAll() { ranges.removeAll(keepingCapacity: true) }

    /// Takes `count` groups, as start and end; a start of -1 means that the group took no part.
    mutating func fill(count: Int, _ group: (Int) -> (start: Int, end: Int)) {
        ranges.reserveCapacity(count)
        for index in 0..<count {
            let (start, end) = group(index)
            if start < 0 {
                ranges.append(ByteRange(offset: Self.unset, length: 0))
            } else {
                // \K in a lookahead may put the end before the start.
                ranges.append(ByteRange(from: start, to: max(start, end)))
            }
        }
    }
}
