import Loop
import Pattern
import Wire

/// valid_referers and `$invalid_referer` (nginx: ngx_http_referer_module).
extension Ref where Value == Request {
    /// `1`, or empty for a request that came from where it may come from.
    var invalidReferer: ByteView { isRefererValid ? ByteView() : "1" }

    private var isRefererValid: Bool {
        guard let settings = location.value.referers else { return true }
        guard let field = main.field(.referer) else { return settings.value.allowsNone }
        guard let rest = withoutScheme(field) else { return settings.value.allowsBlocked }
        var end = 0
        while end < rest.count, rest[end] != 0x2f, rest[end] != 0x3a { end += 1 }
        guard end <= 256 else { return false }
        let host = lowercased(rest.prefix(end))
        if let name = settings.value.find(host) {
            let path = rest.firstIndex(of: 0x2f, from: end).map { rest.dropFirst($0) } ?? ByteView()
            return path.hasPrefix(name.uri)
        }
        return matchesAny(settings.value.serverPatterns, host) || matchesAny(settings.value.patterns, rest)
    }

    /// What follows `http://` or `https://`; nil for a text that is no such URL, as some proxies make it.
    private func withoutScheme(_ field: ByteView) -> ByteView? {
        guard field.count >= 11 else { return nil }
        if field.prefix(7).equalsIgnoringCase("http://") { return field.dropFirst(7) }
        if field.prefix(8).equalsIgnoringCase("https://") { return field.dropFirst(8) }
        return nil
    }

    private func matchesAny(_ patterns: FixedList<Ref<CompiledPattern>>, _ subject: ByteView) -> Bool {
        for index in patterns.indices {
            if case .match = patterns[index].value.pattern.matches(subject) { return true }
        }
        return false
    }
}
