import Loop
import Wire

/// Gathers what a filter makes into pieces of a good size.
struct PieceWriter {
    private final class Tail { var buffer: Ref<Buffer>? }

    private let request: RequestRef
    private let index: Int
    private let tail = Tail()

    /// - Parameter index: place of the filter that writes.
    init(request: RequestRef, index: Int) {
        self.request = request
        self.index = index
    }

    /// Copies bytes; full pieces are passed on.
    func append(_ bytes: ByteView) {
        var rest = bytes
        while !rest.isEmpty {
            let buffer = tail.buffer ?? request.pool.value.take(min(FilterLimits.pieceSize, max(rest.count, 1024)))
            let part = rest.prefix(buffer.room)
            buffer.append(part)
            rest = rest.dropFirst(part.count)
            tail.buffer = buffer
            if buffer.room == 0 { flush() }
        }
    }

    /// Passes on what was gathered.
    func flush() {
        guard let buffer = tail.buffer else { return }
        tail.buffer = nil
        request.pass(Segment(buffer.view, owner: buffer), after: index)
    }

    /// Passes on the rest, with the end of the input.
    func finish(isLast: Bool, isFlush: Bool) {
        let buffer = tail.buffer
        tail.buffer = nil
        guard buffer != nil || isLast || isFlush else { return }
        request.pass(buffer.map { Segment($0.view, owner: $0) }, isLast: isLast, isFlush: isFlush, after: index)
    }
}
