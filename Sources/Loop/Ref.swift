/// A reference to a value with a fixed address that nobody counts: the owner (a slab, or the worker for ever) decides how long it lives.
///
/// The data plane keeps its state in `~Copyable` structs inside slabs and passes `Ref`s around: a copy costs nothing (no retain, no
/// release), and the compiler refuses to copy the value itself. Behaviour is written as extensions, `extension Ref where Value == Request`.
/// The memory behind a `Ref` is type-stable: a slab gives its slots back to nobody, so a stale `Ref` can at worst see another value of the
/// same type. What may be stale (an event, a timer) therefore carries a generation and is compared first.
///
/// Thread: the one loop that owns the slab.
@safe
public struct Ref<Value: ~Copyable>: BitwiseCopyable {
    public let pointer: UnsafeMutablePointer<Value>

    /// - Parameter pointer: initialised memory that outlives every use of the reference.
    @inlinable public init(_ pointer: UnsafeMutablePointer<Value>) { unsafe self.pointer = unsafe pointer }
}

extension Ref where Value: ~Copyable {
    /// The value in place. O(1), no reference counting, no dynamic exclusivity check.
    @inlinable public var value: Value {
        // SAFETY: slabs never free a slot, and immortal values are never freed; see the type's comment.
        @_transparent unsafeAddress { unsafe UnsafePointer(pointer) }
        @_transparent nonmutating unsafeMutableAddress { unsafe pointer }
    }

    /// Ends a value that `immortal` made after all. Nobody else may know it any more.
    public func destroy() {
        // SAFETY: by the rule above.
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    /// Allocates a value that lives as long as the process (configuration, the worker itself).
    @inlinable public static func immortal(_ value: consuming Value) -> Ref<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
        return unsafe Ref(pointer)
    }
}

extension Ref: Equatable where Value: ~Copyable {
    @inlinable public static func == (left: Ref<Value>, right: Ref<Value>) -> Bool { unsafe left.pointer == right.pointer }
}
