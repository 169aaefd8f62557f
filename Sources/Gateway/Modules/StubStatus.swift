import Loop
import Wire

/// Numbers about the connections of all workers (nginx: ngx_http_stub_status_module). Monitoring reads this text: it is nginx's to
/// the letter.
extension Ref where Value == Request {
    func serveStubStatus() {
        guard value.method == .get || value.method == .head else { return finish(.status(405)) }
        guard !isMain || ignoreBody() else { return }
        let totals = worker.totals()
        let text = compose { out in
            out.append("Active connections: ")
            out.append(decimal: totals.active)
            out.append(" \nserver accepts handled requests\n ")
            out.append(decimal: totals.accepted)
            out.append(0x20)
            out.append(decimal: totals.handled)
            out.append(0x20)
            out.append(decimal: totals.requests)
            out.append(" \nReading: ")
            out.append(decimal: totals.reading)
            out.append(" Writing: ")
            out.append(decimal: totals.writing)
            out.append(" Waiting: ")
            out.append(decimal: totals.waiting)
            out.append(" \n")
        }
        value.response.status = 200
        value.response.setContentType("text/plain")
        respond(Segment(text))
    }
}
