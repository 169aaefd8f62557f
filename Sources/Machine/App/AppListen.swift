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

    /// Whether two instances can run at the same time, so that a new one can be proven before the old one stops.
    package var allowsTwo: Bool { if case .fixed = self { false } else { true } }
}
