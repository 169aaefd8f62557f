import Config
import Loop
import Wire

extension Ref where Value == Request {
    /// With msie_refresh, Internet Explorer gets a page that leads on in the place of a redirect.
    /// - Returns: whether it was sent.
    func sendsRefresh(insteadOf status: Int) -> Bool {
        guard status == 301 || status == 302, let target = value.response.location, location.value.settings.value.core.msieRefresh,
            userAgent.contains(.internetExplorer) else { return false }
        let buffer = pool.value.take(1024)
        buffer.append("<html><head><meta http-equiv=\"Refresh\" content=\"0; URL=")
        buffer.write(reserving: target.count * 3) { writer in
            URI.escape(target, .refresh, into: &writer)
        }
        buffer.append("\"></head><body></body></html>\r\n")
        value.response.clearForErrorPage()
        value.response.status = 200
        value.response.setContentType("text/html")
        respond(Segment(buffer.view, owner: buffer))
        return true
    }
}
