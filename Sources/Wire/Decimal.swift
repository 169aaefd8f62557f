/// Decimal numbers on the wire.
public enum Decimal {
    /// A number of 1 or more digits and nothing else, at most Int64.max; nil otherwise.
    public static func parse(_ bytes: ByteView) -> UInt64? {
        guard bytes.count > 0, bytes.count <= 32 else { return nil }
        var value: UInt64 = 0
        var index = 0
        while index < bytes.count {
            let digit = UInt64(bytes[index] &- 0x30)
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow, product <= UInt64(Int64.max) - digit else { return nil }
            value = product &+ digit
            index &+= 1
        }
        return value
    }
}
