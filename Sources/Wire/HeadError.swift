/// Why a head was refused, with what a log line needs.
public struct HeadError: Error, Equatable, Sendable {
    public var reason: Reason
    /// The line, or the part of it, that the message quotes; empty if it quotes nothing.
    public var range: ByteRange
    /// The value of the earlier line, for duplicates.
    public var previous: ByteRange
    /// The byte that was wrong, for `invalidHeaderLine`.
    public var byte: UInt8

    public init(_ reason: Reason, range: ByteRange = ByteRange(), previous: ByteRange = ByteRange(), byte: UInt8 = 0) {
        self.reason = reason
        self.range = range
        self.previous = previous
        self.byte = byte
    }

    public enum Reason: UInt8, Sendable, CaseIterable {
        // Start line of a request.
        case invalidMethod, invalidRequestLine, invalidVersion, http09, tooManyEmptyLines
        case tooLongRequestLine, invalidHostInRequestLine
        // Field lines.
        case invalidHeaderLine, tooLongHeaderLine, tooLargeHead, tooManyFields
        case duplicateHeaderLine, duplicateHost, invalidHost, missingHost
        case invalidContentLength, contentLengthWithTransferEncoding, unknownTransferEncoding
        case transferEncodingInHTTP10, connectNotAllowed, connectWithBody, traceNotAllowed
        // Answers of an upstream.
        case invalidStatusLine, unsupportedVersion, duplicateContentLength, duplicateTransferEncoding
    }

    /// The status to answer a client with; 494 is nginx's number for a head that is too large (sent as 400). 502 for
    /// upstream answers is the caller's business.
    public var status: UInt16 {
        switch reason {
        case .invalidVersion: 505
        case .tooLongRequestLine: 414
        case .tooLongHeaderLine, .tooLargeHead, .tooManyFields: 494
        case .unknownTransferEncoding: 501
        case .connectNotAllowed, .traceNotAllowed: 405
        default: 400
        }
    }
}
