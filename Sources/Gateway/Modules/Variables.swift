import Config
import Loop
import Wire

/// Variables of modules that have no file of their own.
extension Ref where Value == Request {
    func moduleBuiltin(_ name: BuiltinVariable) -> ByteView? {
        switch name {
        case .proxyProtocolAddress, .proxyProtocolPort, .proxyProtocolServerAddress, .proxyProtocolServerPort: return proxyProtocolVariable(name)
        case .realIPRemoteAddress: return realIPOriginalAddress
        case .realIPRemotePort: return realIPOriginalPort
        case .tcpInfoRTT: return tcpInfo { $0.roundTripTime }
        case .tcpInfoRTTVariance: return tcpInfo { $0.roundTripVariation }
        case .tcpInfoSendWindow: return tcpInfo { $0.sendWindow }
        case .tcpInfoReceiveSpace: return tcpInfo { $0.receiveSpace }
        case .proxyAddVia: return addVia
        case .dateLocal: return date(format: ssiTimeFormat, isUTC: false)
        case .dateGMT: return date(format: ssiTimeFormat, isUTC: true)
        case .gzipRatio: return gzipRatio
        case .invalidReferer: return invalidReferer
        case .limitRequestsStatus: return value.limits.requestStatus.text
        case .limitConnectionsStatus: return value.limits.connectionStatus.text
        default: return sentBuiltin(name)
        }
    }

    private func tcpInfo(_ part: (TCPInfo) -> UInt32) -> ByteView? {
        Socket.tcpInfo(connection.value.descriptor).map { decimal(Int64(part($0))) }
    }

    /// `$proxy_add_via`: the request's Via with this gateway at its end, by the version it was received in (RFC 9110, 7.6.3).
    private var addVia: ByteView {
        let received = findField("via", main.value.fields)
        return compose { out in
            if let received {
                out.append(received)
                out.append(", ")
            }
            out.append(main.value.versionMinor == 0 ? "1.0 " : "1.1 ")
            out.append(worker.value.identity.serverName)
        }
    }

    func rareVariable(_ entry: VariableEntry) -> ByteView? {
        switch entry.kind {
        case .proxyProtocolTLV: return proxyProtocolTLV(entry.name.dropFirst("proxy_protocol_tlv_".utf8.count))
        default: return nil
        }
    }

    /// `$upstream_cookie_NAME`: of the first Set-Cookie field of the answer that sets it.
    func upstreamCookie(_ name: ByteView) -> ByteView? {
        guard let exchange = value.exchange, exchange.value.hasHead, let base = exchange.value.input?.whole else { return nil }
        for index in 0..<exchange.value.fields.count where exchange.value.fields[index].token == .setCookie {
            if let found = Cookie.value(name, setBy: exchange.value.fields[index].value.view(base)) { return found }
        }
        return nil
    }
}
