/// What a head parser says after each call.
public enum HeadOutcome: Equatable, Sendable {
    /// The head is not complete: call again with the same bytes and more after them.
    case needMore
    /// The head is complete.
    ///
    /// - headLength: bytes of the buffer that belong to it: leading empty lines, start line, fields and the empty line.
    case complete(headLength: Int)
    /// The message is refused. The parser must not be called again.
    case failed(HeadError)
}
