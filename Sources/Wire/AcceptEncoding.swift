/// The Accept-Encoding field.
public enum AcceptEncoding {
    /// Whether gzip is accepted, with nginx's rules: a member "gzip" whose q, if it has one, is 0.001...1. "*" does not
    /// count. O(n).
    public static func acceptsGzip(_ value: ByteView) -> Bool {
        let name: ByteView = "gzip"
        var index = 0
        while index &+ name.count <= value.count {
            if index == 0 || value[index &- 1] == 0x2c || value[index &- 1] == 0x20,
                value[index..<index &+ name.count].equalsIgnoringCase(name)
            {
                return acceptsParameters(value, from: index &+ name.count)
            }
            index &+= 1
        }
        return false
    }

    /// What follows the name, up to the next comma.
    private static func acceptsParameters(_ value: ByteView, from start: Int) -> Bool {
        var index = start
        while index < value.count, value[index] == 0x20 { index &+= 1 }
        guard index < value.count, value[index] != 0x2c else { return true }
        guard value[index] == 0x3b else { return false }
        index &+= 1
        while index < value.count, value[index] == 0x20 { index &+= 1 }
        guard index < value.count else { return true }
        guard value[index] | 0x20 == 0x71, index &+ 2 < value.count, value[index &+ 1] == 0x3d else { return false }
        return quality(value, from: index &+ 2) > 0
    }

    /// A quality in thousandths; 0 if it is none.
    private static func quality(_ value: ByteView, from start: Int) -> Int {
        guard value[start] == 0x30 || value[start] == 0x31 else { return 0 }
        var quality = value[start] == 0x31 ? 1000 : 0
        var index = start &+ 1
        guard index < value.count, !endsQuality(value[index]) else { return quality }
        guard value[index] == 0x2e else { return 0 }
        index &+= 1
        var unit = 100
        while index < value.count, !endsQuality(value[index]) {
            let digit = value[index] &- 0x30
            guard digit < 10, unit > 0 else { return 0 }
            quality &+= Int(digit) &* unit
            unit /= 10
            index &+= 1
        }
        return quality > 1000 ? 0 : quality
    }

    private static func endsQuality(_ byte: UInt8) -> Bool { byte == 0x2c || byte == 0x20 }
}
