/// How the body of an answer ends (RFC 9112, 6.3).
public enum AnswerFraming: UInt8, Sendable {
    /// There is none, whatever the head says of its length.
    case none
    case length, chunked, untilClose
}

extension ResponseHead {
    /// Most interim answers before the answer itself: an endless row is an error.
    public static var interimMax: Int { 16 }

    /// How the body ends.
    /// - Parameter answersHead: whether the request was a HEAD.
    @inlinable public func framing(answersHead: Bool) -> AnswerFraming {
        if answersHead || status < 200 || status == 204 || status == 304 { return .none }
        if isChunked { return .chunked }
        return contentLength != nil ? .length : .untilClose
    }
}
