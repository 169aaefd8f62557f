/// Values in Cookie fields.
package enum Cookie {
    /// Value of the cookie `name` in one Cookie field, as sent; nil if it is not there. Names are compared without case,
    /// as nginx does. O(n).
    package static func value(_ name: ByteView, in field: ByteView) -> ByteView? { nil }
}
