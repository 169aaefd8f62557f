import Config
import Loop
import Wire

/// Lets the wanted ranges of a body pass. The first of all body filters: it counts in bytes of the unfiltered body.
final class RangeFilter: BodyFilter {
    private let ranges: [Range<UInt64>]
    /// Texts before each part and after the last; nil for a single range.
    private let boundary: (heads: [ByteView], end: ByteView)?
    /// Bytes of the body seen so far.
    private var offset: UInt64 = 0
    private var isDone = false

    /// - Parameters:
    ///   - ranges: at least one, none empty; exactly one without `boundary`.
    init(ranges: [Range<UInt64>], boundary: (heads: [ByteView], end: ByteView)?) {
        self.ranges = ranges
        self.boundary = boundary
    }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        if let boundary { return processParts(piece, boundary, isLast: isLast, isFlush: isFlush, request: request, index: index) }
        guard let piece, piece.count > 0 else {
            if let buffer = piece?.buffer { request.pool.value.give(buffer) }
            if !isDone { request.pass(nil, isLast: isLast, isFlush: isFlush, after: index) }
            isDone = isDone || isLast
            return
        }
        let range = ranges[0]
        let whole = offset..<(offset + UInt64(piece.count))
        offset = whole.upperBound
        guard !isDone, range.overlaps(whole) else {
            if let buffer = piece.buffer { request.pool.value.give(buffer) }
            if isLast, !isDone {
                isDone = true
                request.pass(nil, isLast: true, isFlush: isFlush, after: index)
            }
            return
        }
        let wanted = range.clamped(to: whole)
        let part = piece.slice(from: wanted.lowerBound - whole.lowerBound, count: wanted.count)
        isDone = isLast || range.upperBound <= whole.upperBound
        request.pass(part, isLast: isDone, isFlush: isFlush, after: index)
    }

    /// Several ranges need the whole body in one piece: they may come in any order, and overlap.
    private func processParts(
        _ piece: Segment?, _ boundary: (heads: [ByteView], end: ByteView), isLast: Bool, isFlush: Bool, request: RequestRef, index: Int
    ) {
        guard let piece, piece.count > 0 else {
            if let buffer = piece?.buffer { request.pool.value.give(buffer) }
            return
        }
        if let buffer = piece.buffer { request.value.modules.keepUntilEnd(buffer) }
        guard !isDone else { return }
        isDone = true
        guard ranges.allSatisfy({ $0.upperBound <= UInt64(piece.count) }) else {
            request.log(.alert, "range in overlapped buffers")
            request.value.isTruncated = true
            return
        }
        for (number, range) in ranges.enumerated() {
            request.pass(Segment(boundary.heads[number]), after: index)
            var part = piece.slice(from: range.lowerBound, count: range.count)
            part.buffer = nil
            request.pass(part, after: index)
        }
        request.pass(Segment(boundary.end), isLast: true, isFlush: isFlush, after: index)
    }
}

extension Segment {
    /// A part of the piece, inside it.
    func slice(from start: UInt64, count: Int) -> Segment {
        var part = self
        if isFile {
            part.fileOffset += Int64(start)
            part.fileLength = Int64(count)
        } else {
            part.bytes = bytes.dropFirst(Int(start)).prefix(count)
        }
        return part
    }
}
