import Config
import Loop
import Messages

/// How a worker outlives its supervisor: where the next one calls.
///
///     supervised ──channel ends──▶ orphan ──a supervisor calls──▶ supervised
///         │                          ▲  (serves on)
///         └──a supervisor calls──▶ supervised, with a guest ──channel ends──▶ supervised by the guest
///
/// A guest is the new binary of an upgrade: it has the applications, so it tells this worker of them while the old binary still is its
/// supervisor.
struct Succession {
    /// Listening packet socket, -1 none.
    var listener: Int32 = -1
    /// The connection of a guest, -1 none.
    var guest: Int32 = -1
    /// Who may call, besides root: the user that the supervisor had when it started this worker.
    var owner: UInt32 = 0

    /// Slots of the tokens.
    static let channelSlot: UInt32 = 0
    static let listenerSlot: UInt32 = 1
    static let guestSlot: UInt32 = 2

    static func token(_ slot: UInt32) -> Token { Token(kind: EventKind.channel, slot: slot, generation: 0) }
}

extension Ref where Value == Worker {
    private var channel: Int32 { MessageLimits.channelDescriptor }

    /// Listens to the supervisor, and for the next one.
    func awaitSupervisor(_ succession: Succession) {
        value.succession = succession
        _ = value.loop.add(channel, .readable, Succession.token(Succession.channelSlot))
        guard succession.listener >= 0 else { return }
        _ = value.loop.add(succession.listener, .readable, Succession.token(Succession.listenerSlot))
    }

    func serveSupervisor(_ token: Token) {
        switch token.slot {
        case Succession.channelSlot: readChannel()
        case Succession.listenerSlot: answerCalls()
        default: readGuest()
        }
    }

    /// The channel ended: serves on, under the guest if there is one.
    func supervisorIsGone() {
        value.loop.remove(channel)
        let guest = value.succession.guest
        guard guest < 0 else {
            value.succession.guest = -1
            value.loop.remove(guest)
            return follow(guest)
        }
        guard !value.isStopping, !value.isDraining else { return }
        log(.warning, "the supervisor process is gone: serving on, the next one takes over")
    }

    /// Somebody calls on the socket for the next supervisor.
    private func answerCalls() {
        while let caller = PacketSocket.accept(value.succession.listener) {
            let user = PacketSocket.peerUser(caller)
            guard user == 0 || user == value.succession.owner else {
                log(.alert, "user \(user.map(String.init) ?? "unknown") wanted to take this worker over: refused")
                Socket.close(caller)
                continue
            }
            if PacketSocket.isEnded(channel) {
                follow(caller)
            } else if value.succession.guest < 0 {
                value.succession.guest = caller
                _ = value.loop.add(caller, .readable, Succession.token(Succession.guestSlot))
                Channel.send(caller, .inheritance(isOrphan: false, isComplete: true))
            } else {
                Socket.close(caller)
            }
        }
    }

    /// A connection becomes the channel; its other side gets the listening sockets.
    private func follow(_ supervisor: Int32) {
        guard PacketSocket.move(supervisor, to: channel) else { return Socket.close(supervisor) }
        _ = value.loop.add(channel, .readable, Succession.token(Succession.channelSlot))
        var sockets = value.listeners.map { $0.value.descriptor }.filter { $0 >= 0 }
        repeat {
            let part = Array(sockets.prefix(MessageLimits.descriptorsMax))
            sockets.removeFirst(part.count)
            Channel.send(channel, .inheritance(isOrphan: true, isComplete: sockets.isEmpty), descriptors: part)
        } while !sockets.isEmpty
    }

    /// A guest may tell of upstreams and of what their instances never accepted, and of nothing else.
    private func readGuest() {
        let guest = value.succession.guest
        guard guest >= 0 else { return }
        while let (packet, descriptors) = Channel.receive(guest) {
            descriptors.forEach(Socket.close)
            switch try? WorkerCommand(decoding: packet, descriptorCount: 0) {
            case .upstream(let news): take(news)
            case .rescued(let connections): take(connections)
            default: break
            }
        }
        guard PacketSocket.isEnded(guest) else { return }
        value.succession.guest = -1
        Socket.close(guest)
    }
}
