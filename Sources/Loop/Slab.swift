/// A value that lives in a ``Slab``. It is initialised once per slot and then reused; `generation` grows with every reuse.
public protocol SlabValue: ~Copyable {
    /// - Parameter slot: the value's index for the life of the process.
    init(slot: UInt32)
    var slot: UInt32 { get }
    var generation: UInt32 { get set }
}

/// Type-stable storage: slots are made in chunks, initialised once, reused for ever, and never given back to the allocator.
///
/// Complexity: take and give are O(1); a chunk of 64 slots is allocated when none is free. Thread: one loop.
@safe
public struct Slab<Value: SlabValue & ~Copyable>: ~Copyable {
    @inlinable static var chunkSlots: Int { @inline(__always) get { 64 } }
    @usableFromInline var chunks: [UnsafeMutablePointer<Value>]
    @usableFromInline var free: [UInt32] = []
    /// Number of slots that are taken.
    @inlinable public var count: Int { @inline(__always) get { used } }
    @usableFromInline var used = 0
    /// The most slots that may ever exist; `take` returns nil beyond it.
    public let limit: Int

    @inlinable public init(limit: Int) {
        self.limit = min(limit, 1 << 24)
        unsafe chunks = []
    }

    deinit {
        // SAFETY: each chunk was allocated with `chunkSlots` initialised values.
        for unsafe chunk in unsafe chunks {
            unsafe chunk.deinitialize(count: Self.chunkSlots)
            unsafe chunk.deallocate()
        }
    }

    /// A free slot, its generation increased, or nil when the limit is reached. The value is as its last user left it.
    @inlinable public mutating func take() -> Ref<Value>? {
        guard used < limit else { return nil }
        if free.isEmpty {
            guard grow() else { return nil }
        }
        let slot = free.removeLast()
        used += 1
        let reference = self[slot]
        reference.value.generation &+= 1
        return reference
    }

    /// Returns a slot. Its generation is increased at once, so events still under way for it are stale.
    @inlinable public mutating func give(_ reference: Ref<Value>) {
        reference.value.generation &+= 1
        used -= 1
        free.append(reference.value.slot)
    }

    /// The value in a slot that exists.
    @inlinable public subscript(slot: UInt32) -> Ref<Value> {
        let chunk = Int(slot) / Self.chunkSlots
        // SAFETY: the array access traps outside the chunks made; each chunk holds `chunkSlots` initialised values.
        return unsafe Ref(chunks[chunk] + Int(slot) % Self.chunkSlots)
    }

    /// The value a token was made for, or nil if the slot was reused since.
    @inlinable @inline(__always)
    public func find(_ token: Token) -> Ref<Value>? {
        guard Int(token.slot) < capacity else { return nil }
        let reference = self[token.slot]
        return reference.value.generation == token.generation ? reference : nil
    }

    /// Number of slots that exist, taken or not: for walking over all by index.
    @inlinable public var capacity: Int { unsafe chunks.count * Self.chunkSlots }

    @inlinable @inline(never)
    mutating func grow() -> Bool {
        let made = capacity
        let chunk = UnsafeMutablePointer<Value>.allocate(capacity: Self.chunkSlots)
        for index in 0..<Self.chunkSlots {
            unsafe (chunk + index).initialize(to: Value(slot: UInt32(made + index)))
        }
        unsafe chunks.append(chunk)
        for index in (0..<Self.chunkSlots).reversed() { free.append(UInt32(made + index)) }
        return true
    }
}
