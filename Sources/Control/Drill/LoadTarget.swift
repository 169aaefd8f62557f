import Foundation

/// Where the drill's load goes, and what its requests are like.
struct LoadTarget: Equatable, Sendable {
    var host: String
    var port: Int
    /// Path and query.
    var path: String
    /// Value of the field Host.
    var authority: String
    /// Every fourth request is a POST, and every answer repeats the request's id: the demo app.
    var isDemo: Bool

    /// The demo app behind a goodgate of the drill's own.
    static func demo(port: Int) -> LoadTarget {
        LoadTarget(host: "127.0.0.1", port: port, path: "/drill", authority: "drill.test", isDemo: true)
    }

    /// Somebody's own: `http://HOST[:PORT][/PATH]`; nil for anything else.
    init?(url text: String) {
        guard let url = URLComponents(string: text), url.scheme?.lowercased() == "http", let host = url.host, !host.isEmpty,
            url.user == nil, url.fragment == nil, (1...65535).contains(url.port ?? 80)
        else { return nil }
        // An IPv6 address has brackets in the field, and none where it is connected to.
        let address = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let name = address.contains(":") ? "[\(address)]" : address
        let path = url.percentEncodedPath.isEmpty ? "/" : url.percentEncodedPath
        self.init(
            host: address, port: url.port ?? 80, path: path + (url.percentEncodedQuery.map { "?" + $0 } ?? ""),
            authority: name + (url.port.map { ":\($0)" } ?? ""), isDemo: false)
    }

    private init(host: String, port: Int, path: String, authority: String, isDemo: Bool) {
        self.host = host
        self.port = port
        self.path = path
        self.authority = authority
        self.isDemo = isDemo
    }
}
