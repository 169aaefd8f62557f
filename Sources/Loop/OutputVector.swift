import CLinux
public import Wire

/// Gathers pieces for one sendmsg. One per worker, reused.
@safe
public struct OutputVector: ~Copyable {
    private let vector: UnsafeMutablePointer<iovec>
    public private(set) var count = 0
    public private(set) var byteCount = 0
    public static let capacity = 64

    // SAFETY: the memory is this value's own, of `capacity` elements, and lives as long as its worker: it is never freed.
    public init() { unsafe vector = UnsafeMutablePointer<iovec>.allocate(capacity: Self.capacity) }

    public var isFull: Bool { count == Self.capacity }

    public mutating func removeAll() {
        count = 0
        byteCount = 0
    }

    /// Adds bytes that stay where they are until `send`.
    public mutating func add(_ bytes: ByteView) {
        precondition(count < Self.capacity)
        guard !bytes.isEmpty else { return }
        // SAFETY: there is room (above), and bytes that are not none have an address. The kernel only reads them.
        unsafe vector[count] = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.rawBuffer.baseAddress!), iov_len: bytes.count)
        count += 1
        byteCount += bytes.count
    }

    /// Sends what was gathered.
    /// - Returns: bytes sent or -errno.
    public func send(_ descriptor: Int32, more: Bool = false) -> Int {
        // SAFETY: the first `count` elements were filled by `add`, whose caller keeps the bytes where they are.
        unsafe cs_sendmsg_vector(descriptor, vector, Int32(count), more ? 1 : 0)
    }
}
