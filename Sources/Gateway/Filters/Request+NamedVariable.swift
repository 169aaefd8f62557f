import Config
import Loop
import Wire

/// Variables whose names come at run time, from a page.
extension Ref where Value == Request {
    /// The value of a variable by its name in lower case, whether the configuration uses it or not; nil if it is not found.
    func variable(named name: ByteView) -> ByteView? {
        let entries = worker.value.http.value.configuration
        for index in entries.value.variables.entries.indices where name.equals(entries.value.variables.entries[index].name) {
            return variable(Int32(index))
        }
        if let builtin = BuiltinVariable(rawValue: name.string) { return self.builtin(builtin) }
        func rest(_ prefix: ByteView) -> ByteView? { name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : nil }
        if let part = rest("upstream_http_") { return value.exchange?.upstreamField(variable: part) }
        if let part = rest("sent_http_") { return findField(part, value.response.fields) }
        if let part = rest("http_") { return findField(part, main.value.fields) }
        if let part = rest("arg_") { return value.arguments.isEmpty ? nil : URI.argument(part, in: value.arguments) }
        return rest("cookie_").flatMap { cookie($0) }
    }

    /// The format of $date_local and $date_gmt: as the page's SSI set it.
    var ssiTimeFormat: ByteView {
        for filter in value.filters { if let ssi = filter as? SSIFilter { return ssi.timeFormat } }
        return SSIFilter.defaultTimeFormat
    }

    /// The time of this moment; `%s` alone is the seconds since 1970.
    func date(format: ByteView, isUTC: Bool) -> ByteView {
        let second = worker.value.loop.wallClock / 1000
        if format == "%s" { return decimal(second) }
        return compose { LocalTime.append(second, format: format, isUTC: isUTC, to: $0) }
    }
}

extension ByteView {
    /// Whether the bytes are those of a Swift text. No allocation.
    func equals(_ text: String) -> Bool {
        let other = text.utf8
        guard other.count == count else { return false }
        var index = 0
        for byte in other {
            if self[index] != byte { return false }
            index += 1
        }
        return true
    }
}
