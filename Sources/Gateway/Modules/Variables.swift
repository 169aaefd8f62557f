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
        case .dateLocal: return date(format: ssiTimeFormat, isUTC: false)
        case .dateGMT: return date(format: ssiTimeFormat, isUTC: true)
        case .gzipRatio: return gzipRatio
        case .invalidReferer: return invalidReferer
        case .limitRequestsStatus: return value.limits.requestStatus.text
        case .limitConnectionsStatus: return value.limits.connectionStatus.text
        default: return sentBuiltin(name)
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
