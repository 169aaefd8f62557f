/// Values in Cookie and Set-Cookie fields.
public enum Cookie {
    /// Value of the cookie `name` in one Cookie field, as sent; nil if it is not there. Names are compared without case
    /// and may be followed by spaces, as in nginx. O(n).
    public static func value(_ name: ByteView, in field: ByteView) -> ByteView? {
        guard name.count > 0 else { return nil }
        var start = 0
        while start < field.count {
            let end = field.firstIndex(of: 0x3b, from: start) ?? field.count
            if let value = value(name, pair: field[start..<end]) { return value }
            start = end &+ 1
            while start < field.count, field[start] == 0x20 { start &+= 1 }
        }
        return nil
    }

    /// Value of the cookie in one Set-Cookie field if its name is `name`. O(n).
    public static func value(_ name: ByteView, setBy field: ByteView) -> ByteView? {
        value(name, pair: field.prefix(field.firstIndex(of: 0x3b) ?? field.count))
    }

    private static func value(_ name: ByteView, pair: ByteView) -> ByteView? {
        guard pair.count > name.count, pair.prefix(name.count).equalsIgnoringCase(name) else { return nil }
        var index = name.count
        while index < pair.count, pair[index] == 0x20 { index &+= 1 }
        guard index < pair.count, pair[index] == 0x3d else { return nil }
        index &+= 1
        while index < pair.count, pair[index] == 0x20 { index &+= 1 }
        return pair.dropFirst(index)
    }
}
