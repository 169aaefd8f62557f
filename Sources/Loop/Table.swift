/// A growable list of plain values that is reused instead of freed: no reference counting, no uniqueness check, no allocation once it has grown.
///
/// For lists that a request fills anew each time (header fields, output segments). Index access is checked.
@safe
package struct Table<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutablePointer<Element>
    private var capacity: Int
    package private(set) var count = 0

    /// - Parameter capacity: elements to make room for at once, > 0.
    package init(capacity: Int) {
        precondition(capacity > 0)
        unsafe memory = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { unsafe memory.deallocate() }

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }
    package var indices: Range<Int> { 0..<count }

    package subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe memory[index]
        }
        @inline(__always) _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            yield unsafe &memory[index]
        }
    }

    @inline(__always)
    package mutating func append(_ element: Element) {
        if count == capacity { grow() }
        // SAFETY: count < capacity.
        unsafe (memory + count).initialize(to: element)
        count &+= 1
    }

    package mutating func removeAll() { count = 0 }

    /// Removes the elements from `index` on.
    package mutating func truncate(to index: Int) {
        precondition(index >= 0 && index <= count)
        count = index
    }

    /// Removes the first `n` elements. O(count).
    package mutating func removeFirst(_ n: Int) {
        precondition(n >= 0 && n <= count)
        if n == 0 { return }
        // SAFETY: both ranges lie inside the initialised part.
        unsafe memory.update(from: memory + n, count: count - n)
        count -= n
    }

    package mutating func remove(at index: Int) {
        precondition(index >= 0 && index < count)
        unsafe (memory + index).update(from: memory + index + 1, count: count - index - 1)
        count -= 1
    }

    package mutating func insert(_ element: Element, at index: Int) {
        precondition(index >= 0 && index <= count)
        append(element)
        var position = count - 1
        while position > index {
            unsafe memory[position] = unsafe memory[position - 1]
            position -= 1
        }
        unsafe memory[index] = element
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        unsafe larger.update(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = larger
        capacity *= 2
    }
}
