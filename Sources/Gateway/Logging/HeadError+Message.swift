import Loop
import Wire

extension HeadError {
    /// What is wrong with a head, for the error log, with the bytes of `base` that its ranges name.
    func message(_ base: ByteView, isUpstream: Bool = false, _ pool: Ref<BufferPool>) -> String {
        let scratch = pool.value.take(4096)
        defer { pool.value.give(scratch) }
        scratch.write(reserving: 4096) { writer in
            writeMessage(base, isUpstream: isUpstream, into: &writer)
        }
        return scratch.view.string
    }
}
