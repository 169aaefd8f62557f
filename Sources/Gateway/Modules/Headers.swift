import Config
import Loop
import Wire

/// add_header, add_trailer and expires (nginx: ngx_http_headers_filter_module).
extension Ref where Value == Request {
    /// Whether a status takes fields that are not `always`.
    private var takesAllFields: Bool {
        switch value.response.status {
        case 200, 201, 204, 206, 301, 302, 303, 304, 307, 308: true
        default: false
        }
    }

    func addConfiguredHeaders(_ settings: Ref<HeaderRuntime>) {
        let id = location.value.id
        if value.response.configuredBy == id { return }
        value.response.configuredBy = id
        let takesAll = takesAllFields
        if takesAll, settings.value.hasExpires { setExpires(settings.value.expires) }
        for index in settings.value.headers.indices {
            let header = settings.value.headers[index]
            guard takesAll || header.isAlways else { continue }
            let text = lineSafe(evaluate(header.text))
            switch header.kind {
            case .append: if !text.isEmpty { value.response.append(header.name, text, token: header.token) }
            case .etag:
                if text.isEmpty { value.response.remove(.etag) } else { value.response.set(header.name, text, token: .etag) }
            case .lastModified:
                value.response.remove(.lastModified)
                value.response.lastModifiedText = text.isEmpty ? nil : text
                value.response.lastModified = HTTPDate.parse(text) ?? -1
            }
        }
    }

    // MARK: - Trailers

    func expectsTrailers(_ settings: Ref<HeaderRuntime>) -> Bool {
        guard settings.value.trailers.count > 0 else { return false }
        let takesAll = takesAllFields
        for index in settings.value.trailers.indices where takesAll || settings.value.trailers[index].isAlways { return true }
        return false
    }

    /// Evaluates the trailers, when the body ends: their variables may depend on it.
    func addConfiguredTrailers(_ settings: Ref<HeaderRuntime>) {
        let takesAll = takesAllFields
        for index in settings.value.trailers.indices {
            let trailer = settings.value.trailers[index]
            guard takesAll || trailer.isAlways else { continue }
            let text = lineSafe(evaluate(trailer.text))
            if text.isEmpty { continue }
            value.response.trailers.append(HeaderField(name: trailer.name, value: text, token: trailer.token))
        }
    }

    // MARK: - expires

    private func setExpires(_ settings: Expires) {
        var expires = settings
        if case .dynamic(let template, let isModified) = settings {
            guard let parsed = Expires(evaluate(template).array, isModified: isModified) else { return }
            expires = parsed
        }
        let now = worker.value.loop.wallClock / 1000
        switch expires {
        case .off, .dynamic: return
        case .epoch: setExpires("Thu, 01 Jan 1970 00:00:01 GMT", "no-cache")
        case .max: setExpires("Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000")
        case .after(let seconds): setExpires(seconds, from: now, now: now)
        case .afterModified(let seconds):
            let base = value.response.lastModified >= 0 && seconds != 0 ? value.response.lastModified : now
            setExpires(seconds, from: base, now: now)
        case .daily(let time): setExpires(0, from: nextLocalTime(Int64(time), now: now), now: now)
        }
    }

    /// A negative time means that nothing may be kept, even where a file's date lies in the future.
    private func setExpires(_ seconds: Int, from base: Int64, now: Int64) {
        // Dates of files are foreign: no sum or difference of them may trap.
        let (sum, overflow) = base.addingReportingOverflow(Int64(seconds))
        let time = overflow ? (seconds < 0 ? Int64.min : .max) : sum
        let date = compose { appendHTTPDate(time, to: $0) }
        guard seconds >= 0, time >= now else { return setExpires(date, "no-cache") }
        setExpires(date, compose { out in
            out.append("max-age=")
            out.append(decimal: UInt64(time &- now))
        })
    }

    private func setExpires(_ date: ByteView, _ cacheControl: ByteView) {
        value.response.set("Expires", date, token: .expires)
        value.response.set("Cache-Control", cacheControl, token: .cacheControl)
    }

    /// The next moment at which the local clock shows a time of day, given in seconds.
    private func nextLocalTime(_ time: Int64, now: Int64) -> Int64 {
        let local = now + Int64(LocalTime.offset(at: now))
        var next = local - local % 86_400 + time
        if next <= local { next += 86_400 }
        // The offset may change until then.
        return next - Int64(LocalTime.offset(at: next - Int64(LocalTime.offset(at: now))))
    }
}
