import Config
import Loop
import Wire

/// A PROXY protocol header of a connection, kept for its life.
struct ProxyHeaderInfo: ~Copyable {
    var bytes: Ref<Buffer>
    var header: ProxyProtocolHeader
}

extension Ref where Value == ProxyHeaderInfo {
    /// Gives the memory back. The connection ends.
    func release() {
        value.bytes.destroy()
        destroy()
    }
}

/// `listen … proxy_protocol`: the header before the first request (nginx: ngx_proxy_protocol_read).
extension Ref where Value == ClientConnection {
    func readProxyHeader() {
        let input = value.input ?? pool.value.take(16384)
        value.input = input
        while true {
            if input.count > 0 {
                switch ProxyProtocol.parse(input.view) {
                case .complete(let header): return proxyHeaderComplete(header, input)
                case .failed: return proxyHeaderBroken(input)
                case .needMore: if input.count >= ProxyProtocol.maxLength { return proxyHeaderBroken(input) }
                }
            }
            guard value.isReadable else { return }
            switch receive(into: input) {
            case .data: continue
            case .wouldBlock: return
            case .closed: return close()
            }
        }
    }

    private func proxyHeaderComplete(_ header: ProxyProtocolHeader, _ input: Ref<Buffer>) {
        let bytes = Ref<Buffer>.immortal(Buffer(capacity: max(1, header.length)))
        bytes.append(input.view.prefix(header.length))
        value.proxyHeader = Ref<ProxyHeaderInfo>.immortal(ProxyHeaderInfo(bytes: bytes, header: header))
        input.consume(header.length)
        value.state = .idle
        readHead()
    }

    private func proxyHeaderBroken(_ input: Ref<Buffer>) {
        let line = input.view.firstIndex(of: 0x0a).map { input.view.prefix($0) } ?? input.view.prefix(107)
        worker.log(.error, "broken header: \"\(line.string)\" while reading PROXY protocol, client: \(peerText.string), server: \(value.listener!.value.key)",
                   connection: value.serial)
        close()
    }
}

extension Ref where Value == Request {
    /// A TLV by its name after `$proxy_protocol_tlv_`.
    func proxyProtocolTLV(_ name: ByteView) -> ByteView? {
        guard let info = connection.value.proxyHeader else { return nil }
        if name != "ssl_verify" { return ProxyProtocol.tlv(name, info.value.header, info.value.bytes.whole) }
        var isThere = false
        let text = compose { out in
            out.write(reserving: 24) { isThere = ProxyProtocol.writeTLV(name, info.value.header, info.value.bytes.whole, into: &$0) }
        }
        return isThere ? text : nil
    }

    func proxyProtocolVariable(_ name: BuiltinVariable) -> ByteView? {
        guard let info = connection.value.proxyHeader else { return nil }
        let header = info.value.header
        let address: IPAddress?
        switch name {
        case .proxyProtocolAddress, .proxyProtocolPort: address = header.source
        default: address = header.destination
        }
        guard let address else { return nil }
        switch name {
        case .proxyProtocolPort, .proxyProtocolServerPort: return decimal(Int64(address.port))
        case .proxyProtocolAddress where !header.sourceText.isEmpty: return header.sourceText.view(info.value.bytes.whole)
        case .proxyProtocolServerAddress where !header.destinationText.isEmpty: return header.destinationText.view(info.value.bytes.whole)
        default: return compose { out in out.write(reserving: 64) { address.write(into: &$0) } }
        }
    }
}
