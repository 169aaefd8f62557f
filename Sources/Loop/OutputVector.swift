import CSystem
package import Wire

/// Gathers pieces for one sendmsg. One per worker, reused.
@safe
package struct OutputVector: ~Copyable {
    private let vector: UnsafeMutablePointer<iovec>
    package private(set) var count = 0
    package private(set) var byteCount = 0
    package static let capacity = 64

    package init() { unsafe vector = UnsafeMutablePointer<iovec>.allocate(capacity: Self.capacity) }

    package var isFull: Bool { count == Self.capacity }

    package mutating func removeAll() {
        count = 0
        byteCount = 0
    }

    /// Adds bytes that stay where they are until `send`.
    package mutating func add(_ bytes: ByteView) {
        precondition(count < Self.capacity)
        guard !bytes.isEmpty else { return }
        unsafe vector[count] = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.rawBuffer.baseAddress!), iov_len: bytes.count)
        count += 1
        byteCount += bytes.count
    }

    /// Sends what was gathered.
    /// - Returns: bytes sent or -errno.
    package func send(_ descriptor: Int32, more: Bool = false) -> Int {
        unsafe cs_sendmsg_vector(descriptor, vector, Int32(count), more ? 1 : 0)
    }

    /// Writes what was gathered to a file or a log.
    package func write(_ descriptor: Int32) -> Int { unsafe cs_writev(descriptor, vector, Int32(count)) }
}
