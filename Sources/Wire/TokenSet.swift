/// A set of header tokens: 128 bits.
public struct TokenSet: Equatable, Sendable {
    @usableFromInline var low: UInt64
    @usableFromInline var high: UInt64

    @inlinable public init() {
        low = 0
        high = 0
    }

    @inlinable @inline(__always)
    public func contains(_ token: HeaderToken) -> Bool {
        let word = token.rawValue < 64 ? low : high
        return word & (1 << UInt64(token.rawValue & 63)) != 0
    }

    @inlinable @inline(__always)
    public mutating func insert(_ token: HeaderToken) {
        let bit: UInt64 = 1 << UInt64(token.rawValue & 63)
        if token.rawValue < 64 { low |= bit } else { high |= bit }
    }
}

extension TokenSet {
    public init(_ tokens: HeaderToken...) {
        self.init()
        for token in tokens { insert(token) }
    }
}
