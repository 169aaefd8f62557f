/// An immutable list that lives as long as the process: compiled configuration. A copy costs nothing and counts nothing.
@safe
public struct FixedList<Element> {
    @usableFromInline let memory: UnsafeMutablePointer<Element>
    public let count: Int

    /// Copies `elements` to memory that is never freed.
    public init(_ elements: [Element]) {
        count = elements.count
        unsafe memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { unsafe (memory + index).initialize(to: element) }
    }

    /// The empty list. Allocates nothing.
    public init() {
        count = 0
        // SAFETY: an aligned address that is never used: no index is below 0.
        unsafe memory = UnsafeMutablePointer<Element>(bitPattern: MemoryLayout<Element>.alignment)!
    }

    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var indices: Range<Int> { 0..<count }

    @inlinable public subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe memory[index]
        }
    }
}
