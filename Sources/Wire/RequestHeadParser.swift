/// Parses the head of an HTTP/1 request, strictly (RFC 9112; design.md, "Line ends and strictness"), in place.
///
/// Resumable: when it needs more, it is called again with a buffer that holds the same bytes and more after them. The
/// buffer may have moved. Lines that were done are not looked at again. HTTP/0.9 (`GET /x` without a version) is
/// refused with 400. No allocation, but for growth of the field table.
package struct RequestHeadParser: Sendable {
    /// The result; complete when `parse` said so. `method`, target and version are valid as soon as `hasRequestLine`.
    package private(set) var head = RequestHead()
    /// Whether the request line is complete.
    package private(set) var hasRequestLine = false
    /// Fields dropped because of their names (`HeadOptions.ignoreInvalidHeaders`).
    package private(set) var droppedFieldCount = 0
    /// The first dropped field line.
    package private(set) var firstDroppedField = ByteRange()
    package let options: HeadOptions

    package init(options: HeadOptions) { self.options = options }

    /// Goes on parsing.
    ///
    /// - Parameters:
    ///   - bytes: all bytes of the head so far, from the first.
    ///   - fields: emptied by the first call; the caller keeps it between calls.
    package mutating func parse(_ bytes: ByteView, fields: inout FieldTable) -> HeadOutcome { .needMore }
}
