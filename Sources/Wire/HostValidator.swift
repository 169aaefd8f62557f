/// A valid host with its port.
package struct ValidHost: Equatable, Sendable {
    /// The host in the bytes that were validated: without port, without a trailing dot; brackets of IP literals stay.
    package var host: Range<Int>
    /// The port; nil if there is none or an empty one.
    package var port: UInt16?
    /// Whether there are upper-case letters.
    package var needsLowercase: Bool
    /// "[…]"
    package var isIPLiteral: Bool
}

/// Validates what a Host field or an authority holds (RFC 3986, 3.2.2 and 3.2.3, as nginx 1.31).
package enum HostValidator {
    /// - Returns: nil if it is not a host with an optional port (1...65535, or nothing after ":").
    package static func validate(_ bytes: ByteView) -> ValidHost? { nil }
}
