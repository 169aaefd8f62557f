package import Wire

/// The MD5 of some bytes as two numbers, the first digits in `high`. Sticky ids are MD5 as in nginx, where it is no matter of security.
package struct SessionDigest: BitwiseCopyable, Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// From a message of another worker.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// O(n), no allocation.
    package init(of bytes: ByteView) {
        var md5 = MD5()
        md5.update(bytes)
        let digest = md5.digest()
        high = digest.low.byteSwapped
        low = digest.high.byteSwapped
    }

    /// O(n).
    init(of bytes: [UInt8]) {
        self = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return SessionDigest(of: ByteView()) }
            // SAFETY: the view does not leave the closure.
            return unsafe SessionDigest(of: ByteView(start: start, count: buffer.count))
        }
    }
}
