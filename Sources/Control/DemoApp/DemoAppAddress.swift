/// Where the demo app listens.
enum DemoAppAddress: Equatable, Sendable {
    /// A listening socket that it inherited (`listen fd`).
    case descriptor(Int32)
    case unix(path: String)
    case tcp(host: String, port: Int)

    /// As an app block tells its processes: LISTEN_FDS, SOCKET_PATH, or PORT and HOST; without any of these, port 3000.
    init(environment: [String: String]) throws {
        if let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count > 0 {
            self = .descriptor(3)
        } else if let path = environment["SOCKET_PATH"], !path.isEmpty {
            self = .unix(path: path)
        } else {
            let text = environment["PORT"] ?? "3000"
            guard let port = Int(text), (1...65_535).contains(port) else {
                throw DemoAppError("PORT is \"\(text)\"; it has to be a number from 1 to 65535")
            }
            self = .tcp(host: environment["HOST"] ?? "127.0.0.1", port: port)
        }
    }
}
