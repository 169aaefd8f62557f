/// A valid host with its port.
public struct ValidHost: Equatable, Sendable {
    /// The host in the bytes that were validated: without port, without a trailing dot; brackets of IP literals stay.
    public var host: Range<Int>
    /// The port; nil if there is none, an empty one, or 0.
    public var port: UInt16?
    /// Whether there are upper-case letters.
    public var needsLowercase: Bool
    /// "[…]"
    public var isIPLiteral: Bool
}

/// Validates what a Host field or an authority holds (RFC 3986, 3.2.2 and 3.2.3, as nginx 1.31 reads it).
public enum HostValidator {
    /// - Returns: nil if it is not a host with an optional port (0...65535, or nothing after ":"). O(n).
    public static func validate(_ bytes: ByteView) -> ValidHost? {
        guard let first = bytes.first else { return nil }
        let isLiteral = first == 0x5b
        var index = isLiteral ? 1 : 0
        var upper = false
        var previousDot = false
        scan: while true {
            guard index < bytes.count else {
                if isLiteral { return nil }
                break
            }
            let byteClass = ByteClass.host(bytes[index])
            if byteClass == 1 {
                previousDot = false
                index &+= 1
                continue
            }
            switch byteClass {
            case 2:
                previousDot = false
                upper = true
            case 3:
                if previousDot { return nil }
                previousDot = true
            case 4:
                if !isLiteral { break scan }
                previousDot = false
            case 5:
                if isLiteral { return nil }
                previousDot = false
            case 7:
                if !isLiteral || index == 1 { return nil }
                break scan
            default: return nil
            }
            index &+= 1
        }
        var end = index
        if isLiteral {
            // After "]": the end or ":".
            end &+= 1
            index = end
            if index < bytes.count, bytes[index] != 0x3a { return nil }
        } else if previousDot {
            end &-= 1
        }
        guard end > 0 else { return nil }
        var port: UInt32 = 0
        index &+= 1
        while index < bytes.count {
            let digit = UInt32(bytes[index] &- 0x30)
            guard digit < 10 else { return nil }
            port = port &* 10 &+ digit
            guard port <= 65535 else { return nil }
            index &+= 1
        }
        return ValidHost(
            host: 0..<end, port: port == 0 ? nil : UInt16(truncatingIfNeeded: port), needsLowercase: upper,
            isIPLiteral: isLiteral)
    }
}
