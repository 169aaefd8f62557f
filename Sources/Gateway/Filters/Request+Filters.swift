import Config
import Loop
import Wire

/// The way of a body from its handler to the output queue: the filters of its own request, then its turn among subrequests, then the
/// filter of the whole answer (gzip).
extension Ref where Value == Request {
    /// Gives a piece of the body to the first filter, or to the output.
    /// - Parameters:
    ///   - isLast: the body ends with it.
    ///   - isFlush: what is held back by filters is to be sent now.
    @inline(__always)
    func emit(_ piece: Segment?, isLast: Bool = false, isFlush: Bool = false) {
        if value.filters.isEmpty, isMain { return write(piece, isLast: isLast) }
        emitFiltered(piece, isLast: isLast, isFlush: isFlush)
    }

    @inline(never)
    private func emitFiltered(_ piece: Segment?, isLast: Bool, isFlush: Bool) {
        guard value.isHeaderSent else {
            if isMain { return write(piece, isLast: isLast) }
            return postpone(piece, isLast: isLast, isFlush: isFlush)
        }
        pass(piece, isLast: isLast, isFlush: isFlush, after: -1)
    }

    /// What a filter gives on: to the next filter, or to the output.
    func pass(_ piece: Segment?, isLast: Bool = false, isFlush: Bool = false, after index: Int) {
        let own = value.filters.count - (value.hasAnswerFilter ? 1 : 0)
        let next = index + 1
        if next < own { return value.filters[next].process(piece, isLast: isLast, isFlush: isFlush, request: self, index: next) }
        if index >= own { return write(piece, isLast: isLast) }
        postpone(piece, isLast: isLast, isFlush: isFlush)
    }

    /// A piece whose turn it is: through the filter of the whole answer. On the main request.
    func deliver(_ piece: Segment?, isLast: Bool, isFlush: Bool) {
        guard value.hasAnswerFilter, let last = value.filters.last else { return write(piece, isLast: isLast) }
        last.process(piece, isLast: isLast, isFlush: isFlush, request: self, index: value.filters.count - 1)
    }

    /// So much waits for the client that filters make no more of what they hold back.
    var isOutputFull: Bool {
        if main.value.output.heldMemory >= FilterLimits.heldMemory { return true }
        return value.subrequests.postponedBytes >= FilterLimits.heldMemory
    }

    /// The connection has room again, or a subrequest's turn came: filters go on with what they hold back. On the main request.
    func resumeFilters() {
        let generation = value.generation
        resumeOwnFilters()
        for child in value.subrequests.all where value.generation == generation && !child.value.subrequests.isSettled {
            child.resumeOwnFilters()
        }
        guard value.generation == generation else { return }
        for child in value.subrequests.all where value.generation == generation { child.finishIfReleased() }
        guard value.generation == generation else { return }
        finishIfReleased()
    }

    private func resumeOwnFilters() {
        var index = value.filters.count - 1
        while index >= 0, index < value.filters.count {
            if value.filters[index].isHolding { value.filters[index].resume(request: self, index: index) }
            index -= 1
        }
    }

    /// Some filter of the tree could go on now.
    var hasResumableInput: Bool {
        if canResumeFilters { return true }
        for child in value.subrequests.all where child.canResumeFilters { return true }
        return false
    }

    /// The last filter that holds something decides: those before it wait for it.
    private var canResumeFilters: Bool {
        var index = value.filters.count - 1
        while index >= 0 {
            if value.filters[index].isHolding { return value.filters[index].canResume && !isOutputFull }
            index -= 1
        }
        return false
    }

    // MARK: - Which filters

    /// Decides which filters the body passes, and changes the head accordingly, in nginx's order: gunzip, addition, sub, charset, ssi,
    /// then gzip for the whole answer.
    func installBodyFilters() {
        // gzip of the whole answer takes bytes, not files.
        let isCompressed = !isMain && main.value.hasAnswerFilter
        guard let runtime = location.value.filters else {
            if isCompressed { value.filters = [FileFilter(pool)] }
            return
        }
        var filters: [any BodyFilter] = []
        let settings = location.value.settings
        if settings.value.gunzip.isEnabled, let filter = makeGunzip(runtime) { filters.append(filter) }
        if isMain, runtime.value.hasAddition, let filter = makeAddition(runtime) { filters.append(filter) }
        if runtime.value.hasSub, let filter = makeSub(runtime) { filters.append(filter) }
        if let filter = makeCharset(runtime) { filters.append(filter) }
        if settings.value.ssi.isEnabled, let filter = makeSSI(runtime) { filters.append(filter) }
        var gzip: GzipFilter?
        if settings.value.gzip.isEnabled, isMain { gzip = makeGzip(runtime) }
        guard value.method != .head || !isMain, !value.isHeaderOnlyStatus else { return }
        let needsMemory = gzip != nil || isCompressed || filters.contains { !($0 is AdditionFilter) }
        if needsMemory { filters.insert(FileFilter(pool), at: 0) }
        if let gzip {
            filters.append(gzip)
            value.hasAnswerFilter = true
        }
        value.filters = filters
    }

    /// The body will be another one: its length, ranges and strong tag do not hold any more.
    func clearForChangedBody(keepsVersion: Bool) {
        value.response.contentLength = -1
        value.response.allowsRanges = false
        value.response.remove(.acceptRanges)
        if keepsVersion { return weakenETag() }
        value.response.lastModified = -1
        value.response.lastModifiedText = nil
        value.response.remove(.lastModified)
        value.response.remove(.etag)
    }

    /// A strong entity tag becomes a weak one: the bytes differ, the meaning does not.
    func weakenETag() {
        guard let tag = value.response.etag else { return }
        if tag.count > 2, tag[0] == 0x57, tag[1] == 0x2f { return }
        // Something like a tag without quotes cannot be made weak.
        guard tag.first == 0x22 else { return value.response.remove(.etag) }
        value.response.set("ETag", compose { out in
            out.append("W/")
            out.append(tag)
        }, token: .etag)
    }
}

/// Bounds on what filters hold.
enum FilterLimits {
    /// Bytes of output that wait for the client before filters rest.
    static let heldMemory = 131_072
    /// Bytes that one filter makes in one go before other connections have their turn.
    static let bytesPerTurn = 262_144
    static let pieceSize = 16_384
}
