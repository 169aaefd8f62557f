/// The handle of a timer that its owner keeps; made once per slab slot and reused.
public struct TimerID: Equatable {
    @usableFromInline let index: Int32
    public static var none: TimerID { TimerID(index: -1) }
    @inlinable init(index: Int32) { self.index = index }
}

/// Deadlines of everything that waits, as a binary heap that is changed as rarely as possible.
///
/// Moving a deadline later, or clearing it, only writes a number: the heap keeps the older, earlier entry, and when that comes up the timer
/// is put back at its true deadline. Time-outs are nearly always moved later (each request pushes the same 60 s ahead), so a request in
/// steady state costs no heap operation at all. Pure: time is a parameter.
///
/// Complexity: arm and clear O(1) usually, O(log n) when the deadline becomes earlier than the heap's entry. Unit: milliseconds, monotonic.
public struct TimerHeap: ~Copyable {
    @usableFromInline struct Node {
        @usableFromInline var deadline: UInt64 = 0 // 0: not armed
        @usableFromInline var scheduled: UInt64 = 0 // key of the entry in the heap, 0: no entry
        var position: Int32 = -1
        var token = Token(rawValue: 0)
    }

    @usableFromInline var nodes: [Node] = []
    private var heap: [Int32] = []

    public init() {}

    /// Number of entries in the heap, armed or not, for tests and statistics.
    public var entryCount: Int { heap.count }

    /// Makes a timer that reports `token` when it expires.
    public mutating func make(_ token: Token) -> TimerID {
        nodes.append(Node(token: token))
        return TimerID(index: Int32(nodes.count - 1))
    }

    /// Gives a timer another owner: a slot that is reused has a new generation. The timer must not be armed.
    public mutating func rebind(_ timer: TimerID, to token: Token) { nodes[Int(timer.index)].token = token }

    /// Arms or re-arms a timer.
    /// - Parameter deadline: monotonic milliseconds, > 0.
    @inlinable @inline(__always)
    public mutating func arm(_ timer: TimerID, at deadline: UInt64) {
        let index = Int(timer.index)
        nodes[index].deadline = deadline
        let scheduled = nodes[index].scheduled
        if scheduled == 0 || deadline < scheduled { schedule(timer, at: deadline) }
    }

    /// The slow part of `arm`: the heap must change.
    @inline(never)
    @usableFromInline mutating func schedule(_ timer: TimerID, at deadline: UInt64) {
        let index = Int(timer.index)
        if nodes[index].scheduled == 0 {
            nodes[index].scheduled = deadline
            nodes[index].position = Int32(heap.count)
            heap.append(timer.index)
            siftUp(heap.count - 1)
        } else {
            nodes[index].scheduled = deadline
            siftUp(Int(nodes[index].position))
        }
    }

    /// Disarms a timer. O(1): its entry stays until its time has come.
    @inlinable @inline(__always)
    public mutating func clear(_ timer: TimerID) { nodes[Int(timer.index)].deadline = 0 }

    /// When `expire` should be called next, or nil if nothing is in the heap. May be early, never late.
    public var next: UInt64? { heap.first.map { nodes[Int($0)].scheduled } }

    /// Takes one expired timer out and disarms it; call until nil.
    public mutating func expire(now: UInt64) -> Token? {
        while let top = heap.first {
            let index = Int(top)
            guard nodes[index].scheduled <= now else { return nil }
            let deadline = nodes[index].deadline
            if deadline == 0 {
                removeTop()
            } else if deadline > now {
                nodes[index].scheduled = deadline
                siftDown(0)
            } else {
                removeTop()
                nodes[index].deadline = 0
                return nodes[index].token
            }
        }
        return nil
    }

    private mutating func removeTop() {
        let top = Int(heap[0])
        nodes[top].scheduled = 0
        nodes[top].position = -1
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        nodes[Int(last)].position = 0
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        let moving = heap[child]
        let key = nodes[Int(moving)].scheduled
        while child > 0 {
            let parent = (child - 1) / 2
            let other = heap[parent]
            if nodes[Int(other)].scheduled <= key { break }
            heap[child] = other
            nodes[Int(other)].position = Int32(child)
            child = parent
        }
        heap[child] = moving
        nodes[Int(moving)].position = Int32(child)
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        let moving = heap[parent]
        let key = nodes[Int(moving)].scheduled
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, nodes[Int(heap[child + 1])].scheduled < nodes[Int(heap[child])].scheduled { child += 1 }
            let other = heap[child]
            if nodes[Int(other)].scheduled >= key { break }
            heap[parent] = other
            nodes[Int(other)].position = Int32(parent)
            parent = child
        }
        heap[parent] = moving
        nodes[Int(moving)].position = Int32(parent)
    }
}
