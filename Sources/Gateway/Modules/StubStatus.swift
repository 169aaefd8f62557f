import Loop
import Wire

/// Numbers about connections (nginx: ngx_http_stub_status_module). Monitoring reads this text, so it is nginx's to the letter.
extension Ref where Value == Request {
    func serveStubStatus() {
        guard value.method == .get || value.method == .head else { return finish(.status(405)) }
        let counters = worker.value.counters
        let text = compose { out in
            out.append("Active connections: ")
            out.append(decimal: worker.activeConnections)
            out.append(" \nserver accepts handled requests\n ")
            out.append(decimal: counters.accepted)
            out.append(0x20)
            out.append(decimal: counters.handled)
            out.append(0x20)
            out.append(decimal: counters.requests)
            out.append(" \nReading: ")
            out.append(decimal: worker.readingConnections)
            out.append(" Writing: ")
            out.append(decimal: worker.writingConnections)
            out.append(" Waiting: ")
            out.append(decimal: worker.waitingConnections)
            out.append(" \n")
        }
        value.response.status = 200
        value.response.setContentType("text/plain")
        value.response.contentLength = Int64(text.count)
        guard sendHeader() else { return }
        emit(Segment(text), isLast: true)
        finish(.done)
    }
}

extension Ref where Value == Worker {
    var activeConnections: Int { value.connections.count }
    /// Connections whose request head is being read.
    var readingConnections: Int { value.counters.reading }
    /// Requests that are being answered.
    var writingConnections: Int { max(0, value.requests.count - value.counters.reading) }
    /// Connections without a request.
    var waitingConnections: Int { max(0, value.connections.count - value.requests.count) }
}
