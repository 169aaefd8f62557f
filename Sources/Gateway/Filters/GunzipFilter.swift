import Config
import Loop
import Wire

/// Decompresses answers for clients that do not take gzip (nginx: ngx_http_gunzip_filter_module). A small input can become a huge
/// output: it makes only as much as the client takes, and rests in between.
final class GunzipFilter: BodyFilter {
    private let inflater: Inflater
    private var held: HeldPieces
    private var isBusy = false
    /// At a boundary of members: the body may end here.
    private var isBetweenMembers = true
    private var hasFailed = false

    init(_ inflater: consuming Inflater, _ pool: Ref<BufferPool>) {
        self.inflater = inflater
        held = HeldPieces(pool)
    }

    var isHolding: Bool { !held.isEmpty }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        if hasFailed {
            if let buffer = piece?.buffer { request.pool.value.give(buffer) }
            return
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
            guard budget > 0 else { return request.worker.postConnection(request.connection) }
            if request.isOutputFull || request.main.value.isTruncated { return }
            guard inflate(request, index, &budget) else { return fail(request) }
        }
    }

    /// Makes one piece of output, or finishes the first piece of input. False if the input is broken.
    private func inflate(_ request: RequestRef, _ index: Int, _ budget: inout Int) -> Bool {
        let out = request.pool.value.take(FilterLimits.pieceSize)
        var status = CompressionStatus.needsInput
        var rest = held.first.piece?.bytes ?? ByteView()
        if !rest.isEmpty {
            isBetweenMembers = false
            status = inflater.decompress(&rest, into: out)
            held.first.piece?.bytes = rest
            if status == .ended {
                isBetweenMembers = true
                inflater.reset()
            }
        }
        budget -= out.count + 256
        let isDone = rest.isEmpty && status != .needsRoom
        let first = held.first
        if isDone { held.dropFirst() }
        let isBroken = status == .failed || isDone && first.isLast && !isBetweenMembers
        let piece = out.count > 0 ? Segment(out.view, owner: out) : nil
        if piece == nil { request.pool.value.give(out) }
        if piece != nil || isDone && (first.isLast || first.isFlush) {
            request.pass(piece, isLast: isDone && first.isLast && !isBroken, isFlush: isDone && first.isFlush, after: index)
        }
        return !isBroken
    }

    private func fail(_ request: RequestRef) {
        hasFailed = true
        held.dropAll()
        request.breakAnswer("inflate() failed: the answer's gzip data are broken")
    }
}

extension Ref where Value == Request {
    func makeGunzip(_ runtime: Ref<FilterRuntime>) -> GunzipFilter? {
        guard let encoding = value.response.contentEncoding, encoding.equalsIgnoringCase("gzip") else { return nil }
        if location.value.settings.value.gzip.hasVary { value.response.addsVary = true }
        if acceptsGzip(runtime) { return nil }
        guard let inflater = Inflater() else {
            log(.alert, "inflateInit2() failed")
            return nil
        }
        value.response.remove(.contentEncoding)
        clearForChangedBody(keepsVersion: true)
        return GunzipFilter(inflater, pool)
    }
}
