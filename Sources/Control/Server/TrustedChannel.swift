import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// HTTP for those who may command: root, and the user that the supervisor runs as. The mode of the socket says the same; this holds even
/// where somebody changed it.
struct TrustedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let http: HTTP1Channel
    /// The supervisor's effective user.
    let user: UInt32

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let mine = user
        let http = http
        let credentials: EventLoopFuture<PeerCredentials>
        if let provider = channel as? any SocketOptionProvider {
            credentials = provider.unsafeGetSocketOption(level: SocketOptionLevel(SOL_SOCKET), name: SocketOptionName(SO_PEERCRED))
        } else {
            credentials = channel.eventLoop.makeSucceededFuture(PeerCredentials(process: 0, user: .max, group: .max))
        }
        let isTrusted = credentials.map { $0.user == 0 || $0.user == mine }.flatMapErrorWithEventLoop { _, loop in
            loop.makeSucceededFuture(false)
        }
        return isTrusted.flatMap { isTrusted in
            http.setup(channel: channel, logger: logger).map { value in
                if !isTrusted { channel.close(promise: nil) }
                return value
            }
        }
    }

    /// What SO_PEERCRED says, in the kernel's layout.
    private struct PeerCredentials: Sendable {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
