/// What will happen, in the order of time; at one time in the order of noting. A binary heap.
struct Calendar {
    private struct Entry {
        let time: UInt64
        let serial: UInt64
        let action: () -> Void

        func comes(before other: Entry) -> Bool { (time, serial) < (other.time, other.serial) }
    }

    private var heap: [Entry] = []
    private var serial: UInt64 = 0

    /// When the next entry is due.
    var next: UInt64? { heap.first?.time }

    mutating func note(at time: UInt64, _ action: @escaping () -> Void) {
        serial += 1
        heap.append(Entry(time: time, serial: serial, action: action))
        var child = heap.count - 1
        while child > 0, heap[child].comes(before: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first entry, if it is due.
    mutating func take(until now: UInt64) -> (() -> Void)? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
            guard child < heap.count, heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(parent, child)
            parent = child
        }
        return first.action
    }
}
