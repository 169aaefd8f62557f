/// Limits and strictness of the head parsers, from the configuration.
public struct HeadOptions: Equatable, Sendable {
    /// Most fields in a head (`max_headers`), >= 1.
    public var maxFields: UInt32 = 1000
    /// Longest line with its line end, in bytes (size of one of `large_client_header_buffers`).
    public var maxLineLength: UInt32 = 8192
    /// Longest head, in bytes (number times size of `large_client_header_buffers`).
    public var maxHeadLength: UInt32 = 32768
    /// Empty lines that are skipped before a request line, at most.
    public var maxLeadingEmptyLines: UInt32 = 16
    /// Refuse a sole LF as the end of a line (`strict_line_endings on`).
    public var strictLineEndings = false
    /// Drop fields whose names hold bytes other than letters, digits and "-" (`ignore_invalid_headers`).
    public var ignoreInvalidHeaders = true
    /// Whether "_" is a valid byte of a name (`underscores_in_headers`).
    public var underscoresInHeaders = false
    /// Whether CONNECT is allowed (`allow_connect`); else it is refused with 405.
    public var allowsConnect = false

    public init() {}
}
