import Loop
import Wire

/// A PROXY protocol header of a connection, kept for its life.
struct ProxyHeaderInfo: ~Copyable {
    var bytes: Ref<Buffer>
    var header: ProxyProtocolHeader
}

extension Ref where Value == ProxyHeaderInfo {
    func release() { value.bytes.destroy() }
}

extension Ref where Value == Request {
    func applyRealIP() {}
}

extension Ref where Value == ClientConnection {
    func readProxyHeader() { close() }
}
