/// Parses the head of an HTTP/1 response, as `RequestHeadParser` does for requests.
///
/// An answer without a status line (HTTP/0.9) is refused. 1xx heads are complete heads; the caller starts a new parser
/// after them.
package struct ResponseHeadParser: Sendable {
    package private(set) var head = ResponseHead()
    package private(set) var droppedFieldCount = 0
    package private(set) var firstDroppedField = ByteRange()
    package let options: HeadOptions

    package init(options: HeadOptions) { self.options = options }

    /// Goes on parsing; see `RequestHeadParser.parse`.
    package mutating func parse(_ bytes: ByteView, fields: inout FieldTable) -> HeadOutcome { .needMore }
}
