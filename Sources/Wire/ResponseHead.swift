/// What a complete response head of an upstream says. All ranges are in the head buffer.
package struct ResponseHead: Sendable {
    /// 100...999
    package var status: UInt16 = 0
    package var versionMajor: UInt8 = 0
    package var versionMinor: UInt8 = 0
    package var flags: Flags = []
    /// Status code and reason, "200 OK", as sent (nginx's status line).
    package var statusLineRange = ByteRange()
    /// The reason alone; may be empty.
    package var reasonRange = ByteRange()
    /// Value of Content-Length; at most Int64.max. Not to be used with HEAD, 1xx, 204 and 304.
    package var contentLength: UInt64?
    /// `timeout` of `Keep-Alive`, in seconds.
    package var keepAliveTimeoutSeconds: UInt32?

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt16
        @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }
        @inlinable package static var chunked: Flags { Flags(rawValue: 1) }
        @inlinable package static var connectionClose: Flags { Flags(rawValue: 2) }
        @inlinable package static var connectionKeepAlive: Flags { Flags(rawValue: 4) }
        @inlinable package static var connectionUpgrade: Flags { Flags(rawValue: 8) }
    }

    package init() {}

    @inlinable package var isChunked: Bool { flags.contains(.chunked) }
    @inlinable package var isHTTP11: Bool { versionMajor == 1 && versionMinor >= 1 }
    /// Whether the upstream lets the connection live after this answer.
    @inlinable package var keepAlive: Bool {
        if flags.contains(.connectionClose) { return false }
        return isHTTP11 || flags.contains(.connectionKeepAlive)
    }
    /// 1xx but 101: another head follows.
    @inlinable package var isInterim: Bool { status < 200 && status != 101 }
}
