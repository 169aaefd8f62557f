/// The ranges of a `Range` field that can be satisfied, in order. Reused; allocates only to grow.
package struct ByteRangeSet: ~Copyable {
    /// Ranges of byte offsets, none empty, each inside 0..<size.
    package private(set) var ranges: [Range<UInt64>] = []
    package init() {}

    package enum Outcome: Equatable, Sendable {
        /// Serve the whole: not bytes, too many ranges, or more bytes than the whole has.
        case ignore
        /// 416 with `Content-Range: bytes */SIZE`.
        case notSatisfiable
        /// 206; `ranges` holds at least one.
        case partial
    }

    /// Parses with nginx's rules.
    ///
    /// - Parameters:
    ///   - value: of the field, "bytes=0-99,200-".
    ///   - size: length of the whole, in bytes.
    ///   - maxRanges: `max_ranges`; 0 turns ranges off.
    package mutating func parse(_ value: ByteView, size: UInt64, maxRanges: Int) -> Outcome { .ignore }
}

/// Lists of entity tags (`If-Match`, `If-None-Match`).
package enum EntityTagList {
    /// Whether a list holds a tag, or is "*".
    ///
    /// - Parameters:
    ///   - tag: of the answer, as its ETag field has it.
    ///   - weak: compare weakly ("W/" does not matter: If-None-Match); else a weak tag never matches (If-Match).
    package static func matches(_ list: ByteView, tag: ByteView, weak: Bool) -> Bool { false }
}
