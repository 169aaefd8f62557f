import CLinux

/// Memory shared with other processes, mapped for the life of this one.
@safe
package struct SharedMemory {
    private let base: UnsafeMutableRawPointer
    /// Bytes.
    package let count: Int

    /// Maps the first `count` bytes of a memfd, for reading and writing. Nil when the kernel refuses, or when the file is shorter: touching
    /// what lies behind its end would kill the process.
    package init?(mapping descriptor: Int32, count: Int) {
        guard count > 0, let info = File.info(descriptor), info.size >= Int64(count) else { return nil }
        // SAFETY: a new mapping of a length that was checked; it is never unmapped.
        guard let base = unsafe cs_map_shared(descriptor, count) else { return nil }
        unsafe self.base = base
        self.count = count
    }

    /// Memory of this process alone, all zero, in the same form. Nil when the kernel refuses.
    package init?(own count: Int) {
        let descriptor = unsafe cs_memfd("goodgate", 0)
        guard descriptor >= 0 else { return nil }
        defer { _ = cs_close(descriptor) }
        guard cs_ftruncate(descriptor, Int64(count)) >= 0 else { return nil }
        self.init(mapping: descriptor, count: count)
    }

    /// The memory itself. Other processes write to it at any time: only atomic access is defined.
    @unsafe package var bytes: UnsafeMutableRawBufferPointer { unsafe UnsafeMutableRawBufferPointer(start: base, count: count) }
}
