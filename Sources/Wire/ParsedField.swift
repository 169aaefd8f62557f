/// One header field as the parser found it: places in the head buffer, no bytes.
package struct ParsedField: Sendable {
    /// The field name, never empty.
    package var name: ByteRange
    /// The field value without the white space around it; may be empty.
    package var value: ByteRange
    /// Case-insensitive hash of the name, as `FieldHash.hash` computes it.
    package var hash: UInt32
    /// The known name, or `unknown`.
    package var token: HeaderToken
    package var flags: Flags

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8
        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The name holds a byte other than a letter, a digit, "-" or an allowed "_". Only kept with
        /// `HeadOptions.ignoreInvalidHeaders` off.
        @inlinable package static var invalidName: Flags { Flags(rawValue: 1) }
        /// It concerns this connection only and must not be forwarded: by its name, or named by `Connection`
        /// (RFC 9110, 7.6.1).
        @inlinable package static var hopByHop: Flags { Flags(rawValue: 2) }
        /// In an upstream's answer: a second line of a name that may occur once. nginx ignores and logs it ("upstream
        /// sent duplicate header line …, ignored").
        @inlinable package static var ignoredDuplicate: Flags { Flags(rawValue: 4) }
    }

    @inlinable package init(
        name: ByteRange, value: ByteRange, hash: UInt32, token: HeaderToken, flags: Flags = []
    ) {
        self.name = name
        self.value = value
        self.hash = hash
        self.token = token
        self.flags = flags
    }

    @inlinable package var isValidName: Bool { !flags.contains(.invalidName) }
    /// Whether it must not be forwarded as it is.
    @inlinable package var isHopByHop: Bool { flags.contains(.hopByHop) }
}
