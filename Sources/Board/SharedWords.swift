import Synchronization

/// Memory that several processes read and write, as 64-bit words that are only ever accessed atomically.
///
/// Who reads treats every value as hostile; here every offset is checked, so that no value leads outside. A cheap
/// value; the mapping must outlive it. Thread-safe.
@safe
package struct SharedWords {
    private let base: UnsafeMutableRawPointer
    /// Bytes that may be accessed.
    package let size: Int

    /// - Parameters:
    ///   - memory: page-aligned, mapped for as long as this is used.
    ///   - size: bytes of it that count, a multiple of 8.
    /// - Returns: nil if the memory is too small or not aligned.
    package init?(_ memory: UnsafeMutableRawBufferPointer, size: Int) {
        guard let base = memory.baseAddress, size >= 0, size & 7 == 0, memory.count >= size,
            UInt(bitPattern: base) & 4_095 == 0
        else { return nil }
        unsafe self.base = base
        self.size = size
    }

    private func atomic<Result>(_ offset: Int, _ body: (borrowing Atomic<UInt64>) -> Result) -> Result {
        precondition(offset >= 0 && offset & 7 == 0 && offset <= size - 8, "offset outside of the shared memory")
        // SAFETY: inside the mapping, aligned to 8; `Atomic<UInt64>` has the layout of a `UInt64`, and all processes
        // access it atomically.
        return unsafe body(base.advanced(by: offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
    }

    func load(_ offset: Int) -> UInt64 { atomic(offset) { $0.load(ordering: .relaxed) } }
    func store(_ offset: Int, _ value: UInt64) { atomic(offset) { $0.store(value, ordering: .relaxed) } }

    /// Loads what others stored releasing or counted, and all that they had written before it.
    func loadAcquiring(_ offset: Int) -> UInt64 { atomic(offset) { $0.load(ordering: .acquiring) } }
    /// Stores; whoever loads it acquiring sees what was written before.
    func storeReleasing(_ offset: Int, _ value: UInt64) { atomic(offset) { $0.store(value, ordering: .releasing) } }
    /// Adds, wrapping; whoever loads the sum acquiring sees what was written before. Returns the value before.
    @discardableResult
    func fetchAdd(_ offset: Int, _ value: UInt64) -> UInt64 {
        atomic(offset) { $0.wrappingAdd(value, ordering: .releasing).oldValue }
    }
    /// Replaces a value that is still the expected one. Returns what was found.
    func exchange(_ offset: Int, expected: UInt64, with value: UInt64) -> (isDone: Bool, found: UInt64) {
        atomic(offset) {
            let result = $0.compareExchange(expected: expected, desired: value, ordering: .acquiringAndReleasing)
            return (result.exchanged, result.original)
        }
    }

    /// Loads and stores in one order that all processes agree on: who stores and then loads sees the others' stores,
    /// or they see this one.
    func loadInOrder(_ offset: Int) -> UInt64 { atomic(offset) { $0.load(ordering: .sequentiallyConsistent) } }
    func storeInOrder(_ offset: Int, _ value: UInt64) {
        atomic(offset) { _ = $0.exchange(value, ordering: .sequentiallyConsistent) }
    }
}
