/// Comma-separated lists in field values.
package enum HeaderList {
    /// Whether a list holds a token, in any case. Parameters (";…") are not looked at. O(n).
    package static func contains(_ token: ByteView, in list: ByteView) -> Bool { false }

    /// The next member at or after an offset, without white space around it; nil at the end. Empty members are skipped.
    /// Quoted strings are not split.
    ///
    /// - Parameter offset: 0 at first; then what the last call left.
    package static func next(_ list: ByteView, _ offset: inout Int) -> ByteView? { nil }
}
