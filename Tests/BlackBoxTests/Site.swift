import Foundation
import TestKit

/// A gateway with one server on one port in front of one origin: what most tests need.
///
/// Upstream connections speak HTTP/1.1 with keep-alive, which newer versions of nginx do by default and Debian's does not.
struct Site {
    let gateway: GatewayProcess
    let port: Int

    static let keepAlive = "proxy_http_version 1.1; proxy_set_header Connection \"\";"

    /// `location /` proxies to `origin` unless `locations` says otherwise.
    init(_ origin: Origin, location: String = "", server: String = "", http: String = "", main: String = "",
         directory: TemporaryDirectory? = nil) throws {
        let target = "127.0.0.1:\(origin.port)"
        try self.init(
            http: """
                upstream origin { server \(target) max_fails=0; keepalive 8; }
                \(http)
                """,
            server: """
                \(Site.keepAlive)
                \(server)
                location / { proxy_pass http://origin; \(location) }
                """,
            main: main, directory: directory)
    }

    /// A server with exactly these directives besides its `listen`.
    init(http: String = "", server: String, main: String = "", workers: Int = 1, directory: TemporaryDirectory? = nil,
         environment: [String: String] = [:]) throws {
        port = Ports.free()
        gateway = try GatewayProcess(
            http: Site.block(http, port, server), main: main, workers: workers, directory: directory, environment: environment)
    }

    /// The inside of the `http` block.
    static func block(_ http: String, _ port: Int, _ server: String) -> String {
        "\(http)\nserver {\nlisten 127.0.0.1:\(port);\n\(server)\n}"
    }

    func get(_ target: String = "/", _ fields: [String] = [], method: String = "GET", body: Bytes = []) throws -> Reply {
        try Client.get(port, target, fields, method: method, body: body)
    }

    func client(timeout: Double = 30) throws -> Client { try Client(port, timeout: timeout) }

    func stop(_ signal: Int32 = SIGTERM, allowing: [String] = []) { gateway.stop(signal, allowing: allowing) }
}

/// Conditions on tests, so that a skip says why.
enum Target {
    /// nginx of the reference's age does otherwise, or has no such directive.
    static let isGoodgate = GatewayProcess.isGoodgate
    static let isRoot = geteuid() == 0
}
