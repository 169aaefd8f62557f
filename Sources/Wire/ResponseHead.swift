/// What a complete response head of an upstream says. All ranges are in the head buffer.
public struct ResponseHead: Equatable, Sendable {
    /// 100...999
    public var status: UInt16 = 0
    public var versionMajor: UInt8 = 0
    public var versionMinor: UInt8 = 0
    public var flags: Flags = []
    /// Status code and reason, "200 OK", as sent (nginx's status line).
    public var statusLineRange = ByteRange()
    /// Value of Content-Length; at most Int64.max. Not to be used with HEAD, 1xx, 204 and 304.
    public var contentLength: UInt64?
    /// `timeout` of `Keep-Alive`, in seconds.
    public var keepAliveTimeoutSeconds: UInt32?

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
        @inlinable public static var chunked: Flags { Flags(rawValue: 1) }
        @inlinable public static var connectionClose: Flags { Flags(rawValue: 2) }
        @inlinable public static var connectionKeepAlive: Flags { Flags(rawValue: 4) }
        @inlinable public static var connectionUpgrade: Flags { Flags(rawValue: 8) }
    }

    public init() {}

    @inlinable public var isChunked: Bool { flags.contains(.chunked) }
    @inlinable public var isHTTP11: Bool { versionMajor == 1 && versionMinor >= 1 }
    /// Whether the upstream lets the connection live after this answer.
    @inlinable public var keepAlive: Bool {
        if flags.contains(.connectionClose) { return false }
        return isHTTP11 || flags.contains(.connectionKeepAlive)
    }
    /// 1xx but 101: another head follows.
    @inlinable public var isInterim: Bool { status < 200 && status != 101 }
}
