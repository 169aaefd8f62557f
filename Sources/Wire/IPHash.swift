/// The hash of nginx's `ip_hash`.
public enum IPHash {
    /// What the first hash of a request starts with.
    public static var seed: UInt32 { 89 }

    /// - Parameters:
    ///   - address: the address bytes that count: the first three of IPv4, all 16 of IPv6.
    ///   - previous: `seed`, or the last result when the peer it chose was refused.
    /// - Returns: 0...6270
    public static func hash(_ address: ByteView, previous: UInt32 = seed) -> UInt32 {
        var hash = previous % 6271
        var index = 0
        while index < address.count {
            hash = (hash &* 113 &+ UInt32(address[index])) % 6271
            index &+= 1
        }
        return hash
    }
}
