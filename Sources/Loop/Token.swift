/// What an event or a timer belongs to: a kind, a slot in the slab of that kind, and the slot's generation.
///
/// Layout of the raw value, as stored in epoll's user data: bits 63–56 kind, 55–32 slot, 31–0 generation.
public struct Token: Equatable, BitwiseCopyable {
    public let rawValue: UInt64

    /// - Parameters:
    ///   - kind: chosen by the owner of the loop, 0...255.
    ///   - slot: index in the slab, below 2^24.
    ///   - generation: of the slot at the time of registration; a stale event fails the comparison and is dropped.
    @inlinable public init(kind: UInt8, slot: UInt32, generation: UInt32) {
        rawValue = UInt64(kind) &<< 56 | UInt64(slot & 0xff_ffff) &<< 32 | UInt64(generation)
    }

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue &>> 56) }
    @inlinable public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue &>> 32) & 0xff_ffff }
    @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
