import Config
import Loop
import Machine
import Wire

// Proxy-Status (RFC 9209): who made this error, the application or the gateway.
extension Ref where Value == Request {
    /// `Proxy-Status: goodgate; error=connection_refused` for an answer in the upstream's stead, `goodgate; received-status=502` for one
    /// that is the application's own. A field of an upstream stays as it is, before ours: whoever comes later stands later in the list.
    func appendProxyStatus(_ buffer: Ref<Buffer>) {
        let failure = value.failure
        guard failure.isOurs || failure.receivedStatus != 0 else { return }
        let detail = location.value.settings.value.core.proxyStatus ?? (worker.value.identity.startedAsNginx ? .off : .type)
        guard detail != .off else { return }
        buffer.append("Proxy-Status: goodgate; ")
        if failure.isOurs {
            buffer.append("error=")
            buffer.append(ByteView(failure.reason.proxyStatusError))
        } else {
            buffer.append("received-status=")
            buffer.append(decimal: failure.receivedStatus)
        }
        if detail == .full { appendDetails(failure, buffer) }
        buffer.append("\r\n")
    }

    private func appendDetails(_ failure: RequestFailure, _ buffer: Ref<Buffer>) {
        if let peer = value.attempts.last?.peer, !peer.isEmpty {
            buffer.append("; next-hop=\"")
            // A quoted string of RFC 8941: printable ASCII, with two characters escaped.
            for index in 0..<min(peer.count, 256) where peer[index] >= 0x20 && peer[index] < 0x7f {
                if peer[index] == 0x22 || peer[index] == 0x5c { buffer.append(0x5c) }
                buffer.append(peer[index])
            }
            buffer.append("\"")
        }
        buffer.append("; details=\"")
        buffer.append(ByteView(failure.reason.name))
        if let incident = failure.incident {
            buffer.append(", incident ")
            buffer.append(incident)
        }
        buffer.append("\"")
    }
}

extension Ref where Value == Buffer {
    /// The eight characters of an incident's name.
    func append(_ incident: IncidentID) { for index in 0..<8 { append(incident.character(at: index)) } }
}
