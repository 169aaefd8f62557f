import Foundation
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import Messages
import NIOCore
import NIOPosix
import Synchronization

/// The control process: listens at the control socket, and ends with the supervisor.
struct ControlServer {
    let parts = ControlParts()

    /// Connections at one time, and how long an idle one stays.
    private static let connectionsMax = 128
    private static let idleTimeout = TimeAmount.minutes(5)
    private static let busyInterval = Duration.milliseconds(100)
    /// After an upgrade the old program's control process goes by itself.
    private static let patience = Duration.seconds(2)
    /// How often it is looked whether the socket is still there: a cleaner of /tmp may have taken it.
    private static let lookInterval = Duration.seconds(2)
    private static let lastAnswerTime = Duration.milliseconds(200)

    /// Serves until the supervisor is gone. Never returns.
    func run(channel descriptor: Int32) async -> Never {
        // A signal to the whole group is the supervisor's business: this process ends with the channel.
        ChannelSystem.ignore([SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGWINCH])
        // Whatever is made here is for its owner only.
        umask(0o077)
        let channel = SupervisorChannel(descriptor: descriptor)
        let bound = BoundSocket()
        let parts = parts
        await parts.center.follow(channel) { hello in
            Task { await Self.serveOrEnd(parts, hello, bound) }
        }
        bound.remove()
        // The supervisor's last answer, that of an upgrade, may still be on its way to who asked.
        if let answered = await parts.center.lastAnswer, ContinuousClock.now - answered < Self.lastAnswerTime {
            try? await Task.sleep(for: Self.lastAnswerTime)
        }
        ChannelSystem.exit(0)
    }

    private static func serveOrEnd(_ parts: ControlParts, _ hello: ControlHello, _ bound: BoundSocket) async {
        do {
            try await serve(parts, hello, bound)
        } catch {
            let text = (error as? ControlFailure)?.message ?? "the control socket does not work: \(error)"
            await parts.center.tellSupervisor(.failed(text))
            try? await Task.sleep(for: .milliseconds(100))
            ChannelSystem.exit(1)
        }
    }

    /// Listens anew when somebody has removed the socket; who is connected to the old one stays so.
    private static func watch(_ socket: ControlSocket, _ parts: ControlParts, _ hello: ControlHello, _ bound: BoundSocket) async {
        while socket.inode != nil { try? await Task.sleep(for: lookInterval) }
        // Its own end has removed it.
        guard bound.isHeld else { return }
        await serveOrEnd(parts, hello, bound)
    }

    private static func serve(_ parts: ControlParts, _ hello: ControlHello, _ bound: BoundSocket) async throws {
        let socket = ControlSocket(path: hello.socketPath)
        try socket.prepareDirectory(user: hello.user)
        let lock = try await waitUntilFree(socket, parts)
        let server = HTTPServerBuilder { responder in
            TrustedChannel(
                http: HTTP1Channel(responder: responder, configuration: .init(idleTimeout: idleTimeout)), user: hello.user)
        }
        var logger = Logger(label: "goodgate-control")
        logger.logLevel = .critical
        let application = Application(
            router: parts.makeRouter(), server: server,
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: hello.socketPath),
                availableConnectionsDelegate: MaximumAvailableConnections(connectionsMax)),
            onServerRunning: { _ in
                socket.protect()
                bound.note(socket)
                ChannelSystem.close(lock)
                await parts.center.tellSupervisor(.ready(process: ChannelSystem.process))
                Task { await watch(socket, parts, hello, bound) }
            },
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)), logger: logger)
        try await application.run()
    }

    /// Waits until nobody else listens: during an upgrade the old program's control process still does.
    /// - Returns: the lock of the directory.
    private static func waitUntilFree(_ socket: ControlSocket, _ parts: ControlParts) async throws -> Int32 {
        var told: Int32?
        let begin = ContinuousClock.now
        while true {
            let lock = try ChannelSystem.lock(directory: (socket.path as NSString).deletingLastPathComponent)
            do throws(ControlFailure) {
                guard case .inUse(let process) = try socket.state() else { return lock }
                ChannelSystem.close(lock)
                if told != process, ContinuousClock.now - begin > patience {
                    await parts.center.tellSupervisor(.failed(socket.complaint(process: process)))
                    told = process
                }
            } catch {
                ChannelSystem.close(lock)
                throw error
            }
            try await Task.sleep(for: busyInterval)
        }
    }
}

/// The socket that this process made, to be removed at its end.
private final class BoundSocket: Sendable {
    private let made = Mutex<(socket: ControlSocket, inode: UInt64)?>(nil)

    func note(_ socket: ControlSocket) { made.withLock { $0 = socket.inode.map { (socket, $0) } } }
    func remove() {
        made.withLock { made in
            if let made { made.socket.remove(inode: made.inode) }
            made = nil
        }
    }
    var isHeld: Bool { made.withLock { $0 != nil } }
}
