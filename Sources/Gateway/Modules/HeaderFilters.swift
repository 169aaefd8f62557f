import Config
import Loop
import Wire

/// add_header, expires, add_trailer; conditional requests; ranges; which body filters an answer passes.
extension Ref where Value == Request {
    func addConfiguredHeaders() {
        let headers = location.value.settings
        let isUsual = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308].contains(value.response.status)
        for header in headers.value.headers.headers where header.isAlways || isUsual {
            let text = evaluate(header.value)
            if text.isEmpty { continue }
            let name = keep(header.name)
            value.response.append(name, text, token: HeaderToken.lookup(name))
        }
    }

    func filterNotModified() {}
    func filterRanges() {}
    func installBodyFilters() {}
    func postpone(_ piece: Segment?) { if let buffer = piece?.buffer { pool.value.give(buffer) } }
    func subrequestDone() {}
    func runPostAction(closing: Bool) -> Bool { false }
}
