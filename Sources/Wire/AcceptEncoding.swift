/// The Accept-Encoding field.
package enum AcceptEncoding {
    /// Whether gzip is accepted, with nginx's rules: "gzip" or "*" with q > 0, "gzip" first.
    package static func acceptsGzip(_ value: ByteView) -> Bool { false }
}
