import Loop
import Wire

/// Reads the head of one request: state that is needed from its first byte to its last, and no longer.
///
/// It is apart from the request because requests are many, and heads that are half here few: requests that wait do not pay for it, and
/// the one that is used again and again stays in the processor's cache.
struct HeadReader: ~Copyable, SlabValue {
    let slot: UInt32
    var generation: UInt32 = 0
    var parser = RequestHeadParser(options: HeadOptions())
    /// Of the head so far; ranges in the connection's input buffer.
    var fields = FieldTable(capacity: 4)

    init(slot: UInt32) { self.slot = slot }
}
