/// What a complete request head says. All ranges are in the head buffer.
public struct RequestHead: Equatable, Sendable {
    public var method = Method.other
    public var targetForm = TargetForm.origin
    public var versionMajor: UInt8 = 0
    public var versionMinor: UInt8 = 0
    public var flags: Flags = []
    /// The request line without its line end.
    public var lineRange = ByteRange()
    public var methodRange = ByteRange()
    /// The target as it was sent.
    public var targetRange = ByteRange()
    /// The path, raw, without query and fragment. Empty if "/" is meant but was not sent (`Flags.emptyPath`); "/" for
    /// CONNECT and for an absolute target that ends after the authority; "*" for the asterisk form.
    public var pathRange = ByteRange()
    /// What follows the first "?", raw, without a fragment; nil if there is no "?".
    public var queryRange: ByteRange?
    /// Path and query as one range, without a fragment.
    public var pathAndQueryRange = ByteRange()
    /// Of the absolute form.
    public var schemeRange: ByteRange?
    /// Authority (host and port) of the absolute form and of CONNECT. It replaces the Host field (RFC 9112, 3.2.2).
    public var authorityRange: ByteRange?
    /// "HTTP/1.1", as sent.
    public var protocolRange = ByteRange()
    /// Value of the Host field.
    public var hostRange: ByteRange?
    /// The effective host: of the authority if there is one, else of the Host field. Without port and trailing dot; not
    /// lower-cased. Empty only if an HTTP/1.0 request has none.
    public var serverNameRange = ByteRange()
    /// The port that was sent with the effective host; nil if none was.
    public var serverPort: UInt16?
    /// Value of Content-Length; at most Int64.max.
    public var contentLength: UInt64?

    /// How the target was written (RFC 9112, 3.2).
    public enum TargetForm: UInt8, Sendable { case origin, absolute, authority, asterisk }

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The path holds "//", "/.", or the target a "#": `URI.normalise` must be called.
        @inlinable public static var complexPath: Flags { Flags(rawValue: 1) }
        /// The path holds "%": `URI.normalise` must be called.
        @inlinable public static var quotedPath: Flags { Flags(rawValue: 2) }
        /// The path holds "+".
        @inlinable public static var plusInPath: Flags { Flags(rawValue: 4) }
        /// An absolute target with "?" right after the authority: the path "/" is meant.
        @inlinable public static var emptyPath: Flags { Flags(rawValue: 8) }
        /// `Transfer-Encoding: chunked`.
        @inlinable public static var chunked: Flags { Flags(rawValue: 16) }
        /// `Connection: close`.
        @inlinable public static var connectionClose: Flags { Flags(rawValue: 32) }
        /// `Connection: keep-alive`.
        @inlinable public static var connectionKeepAlive: Flags { Flags(rawValue: 64) }
        /// `Connection: upgrade` in HTTP/1.1; `Upgrade` is among the fields if it was sent.
        @inlinable public static var connectionUpgrade: Flags { Flags(rawValue: 128) }
        /// `Expect: 100-continue` in HTTP/1.1.
        @inlinable public static var expectContinue: Flags { Flags(rawValue: 256) }
        /// The server name holds upper-case letters.
        @inlinable public static var serverNameNeedsLowercase: Flags { Flags(rawValue: 512) }
        /// `Expect` with something else than 100-continue.
        @inlinable public static var unknownExpectation: Flags { Flags(rawValue: 1024) }
    }

    public init() {}

    /// Whether `URI.normalise` must be called to get the path; else the raw path is the path.
    @inlinable public var hasComplexPath: Bool { !flags.isDisjoint(with: [.complexPath, .quotedPath, .emptyPath]) }
    @inlinable public var isChunked: Bool { flags.contains(.chunked) }
    @inlinable public var isHTTP11: Bool { versionMajor == 1 && versionMinor >= 1 }
    /// Whether the client lets the connection live: HTTP/1.1 without `close`, HTTP/1.0 with `keep-alive`.
    @inlinable public var wantsKeepAlive: Bool {
        if flags.contains(.connectionClose) { return false }
        return isHTTP11 || flags.contains(.connectionKeepAlive)
    }
    /// Whether a body follows.
    @inlinable public var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}
