import Config
import Loop
import Pattern
import Wire

/// Compresses the whole answer, bodies of subrequests included (nginx: ngx_http_gzip_filter_module).
final class GzipFilter: BodyFilter {
    private let deflater: Ref<Deflater>
    private let worker: WorkerRef
    private var output: Ref<Buffer>?
    private var isEnded = false

    init(_ deflater: Ref<Deflater>, worker: WorkerRef) {
        self.deflater = deflater
        self.worker = worker
    }

    deinit {
        if let output { worker.value.pool.value.give(output) }
        worker.giveDeflater(deflater)
    }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        var input = piece?.bytes ?? ByteView()
        defer { if let buffer = piece?.buffer { request.pool.value.give(buffer) } }
        guard !isEnded, !input.isEmpty || isLast || isFlush else { return }
        let flush: Deflater.Flush = isLast ? .finish : isFlush ? .sync : .none
        while true {
            let out = output ?? request.pool.value.take(FilterLimits.pieceSize)
            output = out
            let before = out.count
            let status = deflater.value.compress(&input, into: out, flush)
            request.main.value.modules.gzip.add(input: 0, output: out.count - before)
            switch status {
            case .needsRoom:
                output = nil
                request.pass(Segment(out.view, owner: out), after: index)
            case .needsInput:
                if !input.isEmpty { continue }
                request.main.value.modules.gzip.add(input: piece?.bytes.count ?? 0, output: 0)
                guard isFlush else { return }
                passOutput(request, isLast: false, isFlush: true, index)
                return
            case .ended:
                isEnded = true
                request.main.value.modules.gzip.add(input: piece?.bytes.count ?? 0, output: 0)
                return passOutput(request, isLast: true, isFlush: isFlush, index)
            case .failed:
                isEnded = true
                return request.breakAnswer("deflate() failed")
            }
        }
    }

    private func passOutput(_ request: RequestRef, isLast: Bool, isFlush: Bool, _ index: Int) {
        let out = output
        output = nil
        request.pass(out.map { Segment($0.view, owner: $0) }, isLast: isLast, isFlush: isFlush, after: index)
    }
}

/// What gzip did with an answer, for $gzip_ratio.
struct GzipCount {
    private(set) var input = 0
    private(set) var output = 0

    mutating func add(input: Int, output: Int) {
        self.input += input
        self.output += output
    }

    /// Ratio in hundredths, rounded; nil if nothing was compressed.
    var ratioInHundredths: Int? {
        guard output > 0 else { return nil }
        return (input * 1000 / output + 5) / 10
    }
}

extension Ref where Value == Worker {
    /// A compressor with these settings: a free one, or a new one. nil without memory.
    func takeDeflater(_ settings: Deflater.Settings) -> Ref<Deflater>? {
        if let index = value.deflaters.lastIndex(where: { $0.value.settings == settings }) {
            let found = value.deflaters.remove(at: index)
            found.value.reset()
            return found
        }
        return .make(settings)
    }

    /// At most 32 are kept (8 MiB at nginx's default settings).
    func giveDeflater(_ deflater: Ref<Deflater>) {
        if value.deflaters.count < 32 { value.deflaters.append(deflater) } else { deflater.destroy() }
    }
}

extension Ref where Value == Request {
    /// `$gzip_ratio`: `2.50`.
    var gzipRatio: ByteView? {
        main.value.modules.gzip.ratioInHundredths.map { ratio in
            compose { out in
                out.append(decimal: ratio / 100)
                out.append(0x2e)
                if ratio % 100 < 10 { out.append(0x30) }
                out.append(decimal: ratio % 100)
            }
        }
    }

    func makeGzip(_ runtime: Ref<FilterRuntime>) -> GzipFilter? {
        let settings = location.value.settings
        switch value.response.status {
        case 200, 403, 404: break
        default: return nil
        }
        guard value.response.contentEncoding.map(\.isEmpty) ?? true,
            value.response.contentLength < 0 || value.response.contentLength >= Int64(settings.value.gzip.lengthMin),
            runtime.value.gzipTypes.contains(value.response.contentTypeBare) else { return nil }
        if settings.value.gzip.hasVary { value.response.addsVary = true }
        guard acceptsGzip(runtime) else { return nil }
        guard let deflater = worker.takeDeflater(runtime.value.deflate) else {
            log(.alert, "deflateInit2() failed")
            return nil
        }
        value.response.append("Content-Encoding", "gzip", token: .contentEncoding)
        clearForChangedBody(keepsVersion: true)
        return GzipFilter(deflater, worker: worker)
    }

    /// Whether the client, and the proxies it came through, may get gzip (nginx: ngx_http_gzip_ok).
    func acceptsGzip(_ runtime: Ref<FilterRuntime>) -> Bool {
        guard isMain, let encodings = field(.acceptEncoding), AcceptEncoding.acceptsGzip(encodings) else { return false }
        let gzip = location.value.settings
        if gzip.value.gzip.isDisabledForMSIE6, userAgent.contains(.oldInternetExplorer) { return false }
        switch gzip.value.gzip.httpVersionMin {
        case .http10: break
        default: if value.versionMinor < 1 { return false }
        }
        if field(.via) != nil, !allowsCompressionBehindProxy(gzip.value.gzip.proxied) { return false }
        guard !runtime.value.gzipDisabledFor.isEmpty, let agent = field(.userAgent) else { return true }
        for index in runtime.value.gzipDisabledFor.indices {
            if case .noMatch = runtime.value.gzipDisabledFor[index].value.pattern.matches(agent) { continue }
            return false
        }
        return true
    }

    /// gzip_proxied.
    private func allowsCompressionBehindProxy(_ allowed: GzipSettings.Proxied) -> Bool {
        if allowed.isEmpty || allowed.contains(.off) { return false }
        if allowed.contains(.any) { return true }
        if field(.authorization) != nil, allowed.contains(.auth) { return true }
        if let text = value.response.field(.expires) {
            guard allowed.contains(.expired), let expires = HTTPDate.parse(text) else { return false }
            let date = value.response.date.map { HTTPDate.parse($0) } ?? (worker.value.loop.wallClock / 1000)
            return date.map { expires < $0 } ?? false
        }
        if let control = value.response.field(.cacheControl) {
            if allowed.contains(.noCache), control.containsIgnoringCase("no-cache") { return true }
            if allowed.contains(.noStore), control.containsIgnoringCase("no-store") { return true }
            return allowed.contains(.private) && control.containsIgnoringCase("private")
        }
        if allowed.contains(.noLastModified), value.response.lastModified >= 0 { return false }
        return !(allowed.contains(.noETag) && value.response.etag != nil)
    }
}

extension ByteView {
    /// Whether a short text occurs, ignoring ASCII case. O(n·m).
    func containsIgnoringCase(_ text: ByteView) -> Bool {
        guard count >= text.count else { return false }
        for start in 0...(count - text.count) where self[start..<(start + text.count)].equalsIgnoringCase(text) { return true }
        return false
    }
}
