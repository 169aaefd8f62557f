/// A growable list of plain values that is reused instead of freed: no reference counting, no uniqueness check, no allocation once it has grown.
///
/// For lists that a request fills anew each time (header fields, output segments). Index access is checked.
@safe
public struct Table<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var memory: UnsafeMutablePointer<Element>
    /// Elements there is room for; before the first one, what to make room for, negative.
    @usableFromInline var capacity: Int
    @inlinable public var count: Int { @inline(__always) get { used } }
    @usableFromInline var used = 0

    /// - Parameter capacity: elements to make room for with the first one, > 0.
    @inlinable public init(capacity: Int) {
        precondition(capacity > 0)
        // SAFETY: never read or written before `grow` has replaced it.
        unsafe memory = UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)!
        self.capacity = -capacity
    }

    @inlinable deinit { if capacity > 0 { unsafe memory.deallocate() } }

    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var indices: Range<Int> { 0..<count }

    @inlinable public subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe memory[index]
        }
        @inline(__always) _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            yield unsafe &memory[index]
        }
    }

    @inlinable @inline(__always)
    public mutating func append(_ element: Element) {
        if count >= capacity { grow() }
        // SAFETY: count < capacity.
        unsafe (memory + count).initialize(to: element)
        used &+= 1
    }

    @inlinable public mutating func removeAll() { used = 0 }

    /// Removes the elements from `index` on.
    @inlinable public mutating func truncate(to index: Int) {
        precondition(index >= 0 && index <= count)
        used = index
    }

    /// Removes the first `n` elements. O(count).
    @inlinable public mutating func removeFirst(_ n: Int) {
        precondition(n >= 0 && n <= count)
        if n == 0 { return }
        // SAFETY: both ranges lie inside the initialised part.
        unsafe memory.update(from: memory + n, count: count - n)
        used -= n
    }

    @inlinable public mutating func remove(at index: Int) {
        precondition(index >= 0 && index < count)
        unsafe (memory + index).update(from: memory + index + 1, count: count - index - 1)
        used -= 1
    }

    @inlinable public mutating func insert(_ element: Element, at index: Int) {
        precondition(index >= 0 && index <= count)
        append(element)
        var position = count - 1
        while position > index {
            unsafe memory[position] = unsafe memory[position - 1]
            position -= 1
        }
        unsafe memory[index] = element
    }

    @inlinable @inline(never)
    mutating func grow() {
        let isFirst = capacity < 0
        let size = isFirst ? -capacity : capacity * 2
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: size)
        if !isFirst {
            unsafe larger.update(from: memory, count: count)
            unsafe memory.deallocate()
        }
        unsafe memory = larger
        capacity = size
    }
}

extension Table {
    @inlinable public var last: Element? { count > 0 ? self[count - 1] : nil }
}
