package import Config

/// `listen` of an app block: how an instance gets the address on which it serves.
package enum AppListen: Hashable, Sendable {
    /// `port`: a free port is chosen for each start and given in `$PORT`.
    case port
    /// `fd`: the gateway owns a listener per slot and passes it by LISTEN_FDS.
    case descriptor
    /// `unix`: a path is given in `$SOCKET_PATH`; the app binds it.
    case unix
    /// `127.0.0.1:3000`: the app binds this address by itself; only one instance at a time is possible.
    case fixed(NetworkAddress)
    /// `none`: it gets no requests, and is ready when it runs.
    case nowhere

    /// As `listen` has it.
    package var text: String {
        switch self {
        case .port: "port"
        case .descriptor: "fd"
        case .unix: "unix"
        case .nowhere: "none"
        case .fixed(let address): address.listenKey
        }
    }

    /// Reads what `text` gave.
    package init?(text: String) {
        switch text {
        case "port": self = .port
        case "fd": self = .descriptor
        case "unix": self = .unix
        case "none": self = .nowhere
        default:
            guard let address = NetworkAddress(listenKey: text) else { return nil }
            self = .fixed(address)
        }
    }

    /// Whether two instances can run at the same time, so that a new one can be proven before the old one stops.
    package var allowsTwo: Bool { if case .fixed = self { false } else { true } }
}
