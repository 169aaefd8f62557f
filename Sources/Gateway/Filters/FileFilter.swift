import Config
import Loop
import Wire

/// Reads ranges of files into memory for the filters behind it, a piece at a time and only as fast as the client takes them
/// (nginx: the copy filter). First of all filters but that of ranges.
final class FileFilter: BodyFilter {
    private var held: HeldPieces
    /// Inside `resume`: what comes now is queued.
    private var isBusy = false

    init(_ pool: Ref<BufferPool>) { held = HeldPieces(pool) }

    var isHolding: Bool { !held.isEmpty }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        if held.isEmpty, !isBusy, piece.map({ !$0.isFile }) ?? true {
            return request.pass(piece, isLast: isLast, isFlush: isFlush, after: index)
        }
        held.append(piece, isLast: isLast, isFlush: isFlush)
        if !isBusy { resume(request: request, index: index) }
    }

    func resume(request: RequestRef, index: Int) {
        guard !isBusy else { return }
        isBusy = true
        defer { isBusy = false }
        var budget = FilterLimits.bytesPerTurn
        while !held.isEmpty {
            let first = held.first
            guard budget > 0 else { return request.worker.postConnection(request.connection) }
            if request.isOutputFull || request.main.value.isTruncated || request.isHeldBehind(index) { return }
            guard let piece = first.piece, piece.isFile, piece.fileLength > 0 else {
                _ = held.takeFirst()
                request.pass(first.piece, isLast: first.isLast, isFlush: first.isFlush, after: index)
                continue
            }
            let buffer = request.pool.value.take(FilterLimits.pieceSize)
            let n = buffer.read(from: piece.file, at: piece.fileOffset, limit: Int(min(piece.fileLength, Int64(FilterLimits.pieceSize))))
            guard n > 0 else {
                request.pool.value.give(buffer)
                held.dropAll()
                return request.breakAnswer(n == 0 ? "file was truncated while sending" : "read() failed", errno: Int32(-n))
            }
            budget -= n
            held.first.piece = piece.slice(from: UInt64(n), count: Int(piece.fileLength) - n)
            let isDone = Int64(n) == piece.fileLength
            if isDone { held.dropFirst() }
            let read = Segment(buffer.view, owner: buffer)
            request.pass(read, isLast: isDone && first.isLast, isFlush: isDone && first.isFlush, after: index)
        }
    }
}

extension Ref where Value == Request {
    /// A filter behind this one holds input back: it gets no more for now.
    func isHeldBehind(_ index: Int) -> Bool {
        var next = index + 1
        while next < value.filters.count {
            if value.filters[next].isHolding { return true }
            next += 1
        }
        return false
    }

    /// The body cannot be made to its end: what there is is sent, then the connection is cut. Never at once: callers are in the middle of
    /// their work on this request.
    func breakAnswer(_ message: String, errno code: Int32 = 0) {
        log(.error, message, errno: code)
        main.value.isTruncated = true
        main.value.isKeepalive = false
        worker.postConnection(connection)
    }
}
