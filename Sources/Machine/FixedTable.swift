/// A row of trivial values of fixed length with bounds-checked access in place: no uniqueness check, no reference
/// counting, no growth.
///
/// Owned by one machine. Type-stable: freed only with its owner.
@safe
struct FixedTable<Element: BitwiseCopyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private(set) var count: Int

    /// - Parameters:
    ///   - count: number of elements, >= 0.
    ///   - element: the value of each of them at first.
    init(count: Int, repeating element: Element) {
        precondition(count >= 0)
        self.count = count
        unsafe base = UnsafeMutablePointer<Element>.allocate(capacity: Swift.max(count, 1))
        unsafe base.initialize(repeating: element, count: Swift.max(count, 1))
    }

    deinit { unsafe base.deallocate() }

    /// The element in place. Traps outside of `0..<count`. O(1).
    subscript(index: Int) -> Element {
        // SAFETY: the index is compared first; all elements are initialised for the life of the table.
        @_transparent unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe UnsafePointer(base + index)
        }
        @_transparent unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe base + index
        }
    }

    /// Makes the table longer; the elements so far stay in front. O(n). For the control path only.
    mutating func grow(to newCount: Int, repeating element: Element) {
        precondition(newCount >= count)
        let wider = UnsafeMutablePointer<Element>.allocate(capacity: Swift.max(newCount, 1))
        // SAFETY: both hold at least `count` initialised trivial elements; the old memory is given back once.
        unsafe wider.initialize(repeating: element, count: Swift.max(newCount, 1))
        unsafe wider.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = wider
        count = newCount
    }
}
