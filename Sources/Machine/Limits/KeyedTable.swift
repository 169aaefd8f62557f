package import Wire

/// Values by key with a limit on their number: the least recently used one goes when a new key finds no room.
///
/// For limit_req and limit_conn zones. Keys are copied. O(1) per operation. Thread: one loop.
package struct KeyedTable<Value: BitwiseCopyable>: ~Copyable {
    private struct Node {
        var key: [UInt8]
        var value: Value
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private var index: [KeyBytes: Int32] = [:]
    private var nodes: [Node] = []
    private var free: [Int32] = []
    private var first: Int32 = -1
    private var last: Int32 = -1
    /// Most keys held, >= 1.
    package let capacity: Int

    package init(capacity: Int) { self.capacity = max(1, min(capacity, 1 << 24)) }

    package var count: Int { index.count }

    /// Place of a key, now the most recently used; nil if it is not there.
    package mutating func find(_ key: ByteView) -> Int32? {
        guard let place = index[KeyBytes(key.array)] else { return nil }
        touch(place)
        return place
    }

    /// Adds a key that is not there. `mayEvict` is asked whether the least recently used value may go; nil if it may not and there is no room.
    package mutating func add(_ key: ByteView, _ value: Value, mayEvict: (Value) -> Bool) -> Int32? {
        if index.count >= capacity {
            guard last >= 0, mayEvict(nodes[Int(last)].value) else { return nil }
            remove(last)
        }
        let bytes = key.array
        let place: Int32
        if let reused = free.popLast() {
            place = reused
            nodes[Int(place)] = Node(key: bytes, value: value)
        } else {
            place = Int32(nodes.count)
            nodes.append(Node(key: bytes, value: value))
        }
        index[KeyBytes(bytes)] = place
        link(place)
        return place
    }

    package subscript(place: Int32) -> Value {
        get { nodes[Int(place)].value }
        set { nodes[Int(place)].value = newValue }
    }

    package mutating func remove(_ place: Int32) {
        unlink(place)
        index[KeyBytes(nodes[Int(place)].key)] = nil
        nodes[Int(place)].key = []
        free.append(place)
    }

    private mutating func touch(_ place: Int32) {
        guard first != place else { return }
        unlink(place)
        link(place)
    }

    private mutating func link(_ place: Int32) {
        nodes[Int(place)].previous = -1
        nodes[Int(place)].next = first
        if first >= 0 { nodes[Int(first)].previous = place } else { last = place }
        first = place
    }

    private mutating func unlink(_ place: Int32) {
        let node = nodes[Int(place)]
        if node.previous >= 0 { nodes[Int(node.previous)].next = node.next } else { first = node.next }
        if node.next >= 0 { nodes[Int(node.next)].previous = node.previous } else { last = node.previous }
    }
}

/// Bytes as a dictionary key.
private struct KeyBytes: Hashable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
