import Config
import Loop
import Machine
import Messages
import Wire

// What a built-in page of 502, 503 or 504 says of the failure: its incident, and to whom `verdict_to` names, all that is known.
extension Ref where Value == Request {
    /// Appends what this client may know.
    func appendIncident(_ incident: IncidentID, _ page: Ref<Buffer>) {
        let isNamed = isNamedForVerdicts
        guard isNamed || worker.value.failures.showsIncident else { return }
        page.append("<center>Incident ")
        page.append(incident)
        page.append("</center>\r\n")
        guard isNamed else { return }
        // No cache on the way may show it to anybody else.
        value.response.set("Cache-Control", "no-store", token: .cacheControl)
        page.append("<table align=\"center\">\r\n")
        appendFacts(page)
        if let headline = worker.value.failures.verdicts.headline(of: incident.rawValue) { appendVerdict(headline, page) }
        page.append("<tr><td>more</td><td><code>goodgate why ")
        page.append(incident)
        page.append("</code></td></tr>\r\n</table>\r\n")
    }

    /// Whether `verdict_to` names the client by every address it has: the socket's, that of a PROXY header, and that of real_ip. One alone
    /// may be another's, or what a client says of itself.
    private var isNamedForVerdicts: Bool {
        let named = location.value.settings.value.core.verdictTo
        guard !named.isEmpty, isMain else { return false }
        guard named.contains(where: { $0.contains(connection.value.peer) }) else { return false }
        if let socket = value.modules.clientAddress?.socketAddress, !named.contains(where: { $0.contains(socket) }) { return false }
        guard let header = connection.value.proxyHeader else { return true }
        // A header that does not say who it is names nobody.
        guard let source = header.value.header.source else { return false }
        return named.contains { $0.contains(NetworkAddress(source)) }
    }

    /// What the worker itself saw.
    private func appendFacts(_ page: Ref<Buffer>) {
        let failure = value.failure
        row("reason", page) { page.append(ByteView(failure.reason.name)) }
        row("what happened", page) {
            page.append(ByteView(failure.reason.sentence))
            page.append(" (")
            page.append(ByteView(failure.phase.name))
            if failure.errno != 0 {
                page.append(", ")
                page.append(decimal: Int(failure.errno))
                page.append(": ")
                page.append(html: Socket.errorText(failure.errno))
            }
            page.append(")")
        }
        guard let last = value.attempts.last else { return }
        row("upstream", page) { page.append(html: last.peer.prefix(VerdictHeadline.textBytesMax).string) }
        row("attempts", page) { page.append(decimal: value.attempts.count) }
    }

    /// What the control process found out.
    private func appendVerdict(_ headline: VerdictHeadline, _ page: Ref<Buffer>) {
        row("verdict", page) { page.append(html: headline.title) }
        row("cause", page) { page.append(html: headline.cause) }
        for line in headline.evidence { row("evidence", page) { page.append(html: line) } }
        row("fix", page) {
            page.append(html: headline.fix)
            for command in headline.commands {
                page.append("<br><code>")
                page.append(html: command)
                page.append("</code>")
            }
        }
    }

    private func row(_ label: StaticString, _ page: Ref<Buffer>, _ content: () -> Void) {
        page.append("<tr><td>")
        page.append(ByteView(label))
        page.append("</td><td>")
        content()
        page.append("</td></tr>\r\n")
    }
}

extension Ref where Value == Buffer {
    /// Appends foreign text for an HTML page.
    fileprivate func append(html text: String) {
        write(reserving: text.utf8.count * HTMLText.growthMax) { writer in
            HTMLText.write(text, into: &writer)
        }
    }
}
