import Board
import Loop

extension SharedWords {
    /// The words of memory that is shared, or could be.
    init?(_ memory: SharedMemory) {
        // SAFETY: the mapping is never undone, and what comes from the supervisor is sealed against shrinking.
        unsafe self.init(memory.bytes, size: memory.count)
    }
}

extension BoardColumn {
    /// This worker's column of the board that it inherited. Nil when the memory is no board, or one of another version: the worker then
    /// keeps its peers' state to itself.
    init?(mapping descriptor: Int32, bytes: Int, column: Int) {
        guard let memory = SharedMemory(mapping: descriptor, count: bytes) else { return nil }
        // SAFETY: the mapping is never undone, and the supervisor has sealed the memory against shrinking.
        guard let view = unsafe try? BoardView(memory.bytes) else { return nil }
        self.init(view, column: column)
    }
}
