/// An immutable list that lives as long as the process: compiled configuration. A copy costs nothing and counts nothing.
@safe
package struct FixedList<Element> {
    private let memory: UnsafeMutablePointer<Element>
    package let count: Int

    /// Copies `elements` to memory that is never freed.
    package init(_ elements: [Element]) {
        count = elements.count
        unsafe memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { unsafe (memory + index).initialize(to: element) }
    }

    package init() { self.init([]) }

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }
    package var indices: Range<Int> { 0..<count }

    package subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe memory[index]
        }
    }
}
