/// What a complete request head says. All ranges are in the head buffer.
package struct RequestHead: Sendable {
    package var method = Method.other
    package var targetForm = TargetForm.origin
    package var versionMajor: UInt8 = 0
    package var versionMinor: UInt8 = 0
    package var flags: Flags = []
    /// The request line without its line end.
    package var lineRange = ByteRange()
    package var methodRange = ByteRange()
    /// The target as it was sent.
    package var targetRange = ByteRange()
    /// The path, raw, without query and fragment. Empty if "/" is meant but was not sent (`Flags.emptyPath`); "/" for
    /// CONNECT and for an absolute target that ends after the authority; "*" for the asterisk form.
    package var pathRange = ByteRange()
    /// What follows the first "?", raw, without a fragment; nil if there is no "?".
    package var queryRange: ByteRange?
    /// Path and query as one range, without a fragment.
    package var pathAndQueryRange = ByteRange()
    /// Path, query and fragment as sent: nginx's `$request_uri`.
    package var requestURIRange = ByteRange()
    /// Of the absolute form.
    package var schemeRange: ByteRange?
    /// Authority (host and port) of the absolute form and of CONNECT. It replaces the Host field (RFC 9112, 3.2.2).
    package var authorityRange: ByteRange?
    /// "HTTP/1.1", as sent.
    package var protocolRange = ByteRange()
    /// Value of the Host field.
    package var hostRange: ByteRange?
    /// The effective host: of the authority if there is one, else of the Host field. Without port and trailing dot; not
    /// lower-cased. Empty only if an HTTP/1.0 request has none.
    package var serverNameRange = ByteRange()
    /// The port that was sent with the effective host; nil if none was.
    package var serverPort: UInt16?
    /// Value of Content-Length; at most Int64.max.
    package var contentLength: UInt64?

    /// How the target was written (RFC 9112, 3.2).
    package enum TargetForm: UInt8, Sendable { case origin, absolute, authority, asterisk }

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt32
        @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The path holds "//", "/.", or the target a "#": `URI.normalise` must be called.
        @inlinable package static var complexPath: Flags { Flags(rawValue: 1) }
        /// The path holds "%": `URI.normalise` must be called.
        @inlinable package static var quotedPath: Flags { Flags(rawValue: 2) }
        /// The path holds "+".
        @inlinable package static var plusInPath: Flags { Flags(rawValue: 4) }
        /// An absolute target with "?" right after the authority: the path "/" is meant.
        @inlinable package static var emptyPath: Flags { Flags(rawValue: 8) }
        /// `Transfer-Encoding: chunked`.
        @inlinable package static var chunked: Flags { Flags(rawValue: 16) }
        /// `Connection: close`.
        @inlinable package static var connectionClose: Flags { Flags(rawValue: 32) }
        /// `Connection: keep-alive`.
        @inlinable package static var connectionKeepAlive: Flags { Flags(rawValue: 64) }
        /// `Connection: upgrade` in HTTP/1.1; `Upgrade` is among the fields if it was sent.
        @inlinable package static var connectionUpgrade: Flags { Flags(rawValue: 128) }
        /// `Expect: 100-continue` in HTTP/1.1.
        @inlinable package static var expectContinue: Flags { Flags(rawValue: 256) }
        /// The server name holds upper-case letters.
        @inlinable package static var serverNameNeedsLowercase: Flags { Flags(rawValue: 512) }
        /// `Expect` with something else than 100-continue.
        @inlinable package static var unknownExpectation: Flags { Flags(rawValue: 1024) }
    }

    package init() {}

    /// Whether `URI.normalise` must be called to get the path; else the raw path is the path.
    @inlinable package var hasComplexPath: Bool { !flags.isDisjoint(with: [.complexPath, .quotedPath, .emptyPath]) }
    @inlinable package var isChunked: Bool { flags.contains(.chunked) }
    @inlinable package var isHTTP11: Bool { versionMajor == 1 && versionMinor >= 1 }
    /// Whether the client lets the connection live: HTTP/1.1 without `close`, HTTP/1.0 with `keep-alive`.
    @inlinable package var wantsKeepAlive: Bool {
        if flags.contains(.connectionClose) { return false }
        return isHTTP11 || flags.contains(.connectionKeepAlive)
    }
    /// Whether a body follows.
    @inlinable package var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}
