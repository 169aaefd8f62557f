/// One header field as the parser found it: places in the head buffer, no bytes.
public struct ParsedField: Equatable, Sendable {
    /// The field name, never empty.
    public var name: ByteRange
    /// The field value without the white space around it; may be empty.
    public var value: ByteRange
    /// Case-insensitive hash of the name, as `FieldHash.hash` computes it.
    public var hash: UInt32
    /// The known name, or `unknown`.
    public var token: HeaderToken
    public var flags: Flags

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The name holds a byte other than a letter, a digit, "-" or an allowed "_". Only kept with
        /// `HeadOptions.ignoreInvalidHeaders` off.
        @inlinable public static var invalidName: Flags { Flags(rawValue: 1) }
        /// It concerns this connection only and must not be forwarded: by its name, or named by `Connection`
        /// (RFC 9110, 7.6.1).
        @inlinable public static var hopByHop: Flags { Flags(rawValue: 2) }
        /// In an upstream's answer: a second line of a name that may occur once. nginx ignores and logs it ("upstream
        /// sent duplicate header line …, ignored").
        @inlinable public static var ignoredDuplicate: Flags { Flags(rawValue: 4) }
    }

    @inlinable public init(
        name: ByteRange, value: ByteRange, hash: UInt32, token: HeaderToken, flags: Flags = []
    ) {
        self.name = name
        self.value = value
        self.hash = hash
        self.token = token
        self.flags = flags
    }

    @inlinable public var isValidName: Bool { !flags.contains(.invalidName) }
    /// Whether it must not be forwarded as it is.
    @inlinable public var isHopByHop: Bool { flags.contains(.hopByHop) }
}
