import Glibc
import Loop
import Wire

typealias ResolverConversationRef = Ref<ResolverConversation>

/// A socket to a name server, for one query and one attempt: so every attempt has a port of its own, chosen by the
/// kernel at random.
struct ResolverConversation: ~Copyable, SlabValue {
    let slot: UInt32
    var generation: UInt32 = 0
    var worker: WorkerRef?
    var resolver: Ref<ResolverRuntime>?
    var query = 0
    var descriptor: Int32 = -1
    var usesStream = false
    /// Over a stream: what is to be sent, and what was read of a message.
    var output: Ref<Buffer>?
    var input: Ref<Buffer>?
    var timer = TimerID.none

    /// The longest message that is read; over UDP few are longer than 512 bytes, as we do not ask for more.
    static var messageMax: Int { 65_535 }
    /// Datagrams taken in one go, so that a flood does not hold up the loop.
    static var datagramsMax: Int { 32 }

    init(slot: UInt32) { self.slot = slot }
}

extension Ref where Value == ResolverConversation {
    private var token: Token { Token(kind: EventKind.resolver, slot: value.slot, generation: value.generation) }

    /// Takes the query's timer over.
    func begin(_ resolver: Ref<ResolverRuntime>, _ query: Int, until: UInt64, _ worker: WorkerRef) {
        value.worker = worker
        value.resolver = resolver
        value.query = query
        if value.timer == .none { value.timer = worker.value.loop.timers.make(token) }
        worker.value.loop.timers.rebind(value.timer, to: token)
        worker.value.loop.timers.arm(value.timer, at: max(worker.now &+ 1, until))
    }

    /// Opens the socket and sends the messages.
    /// - Returns: false if that failed.
    func open(to server: SocketAddress, _ usesStream: Bool, _ messages: [[UInt8]], _ worker: WorkerRef) -> Bool {
        value.usesStream = usesStream
        if usesStream {
            let (descriptor, _, status) = Socket.connect(to: server, from: nil)
            value.descriptor = descriptor
            guard descriptor >= 0, status == 0 || status == -EINPROGRESS else { return false }
        } else {
            value.descriptor = DatagramSocket.connect(to: server)
            guard value.descriptor >= 0 else { return false }
        }
        guard worker.value.loop.add(value.descriptor, .connection, token) >= 0 else { return false }
        let output = worker.value.pool.value.take(1024)
        value.output = output
        for message in messages {
            if usesStream {
                output.append(UInt8(truncatingIfNeeded: message.count >> 8))
                output.append(UInt8(truncatingIfNeeded: message.count))
            }
            for byte in message { output.append(byte) }
            if !usesStream {
                let sent = Socket.send(value.descriptor, output.view)
                output.clear()
                // No room is no failure: the question is repeated.
                if sent < 0, sent != Socket.wouldBlock { return false }
            }
        }
        return true
    }

    /// Epoll's news.
    func handle(_ mask: EventMask) {
        guard value.descriptor >= 0, let resolver = value.resolver, let worker = value.worker else { return }
        let isIntact = value.usesStream ? talk(mask, resolver, worker) : readDatagrams(resolver, worker)
        if !isIntact { resolver.broken(self, worker) }
    }

    /// Another socket's timer counts now.
    func stopTimer() {
        if let worker = value.worker { worker.value.loop.timers.clear(value.timer) }
    }

    func timedOut() {
        guard let resolver = value.resolver, let worker = value.worker else { return }
        resolver.timerFired(query: value.query, worker)
    }

    /// - Returns: false if the server cannot be reached.
    private func readDatagrams(_ resolver: Ref<ResolverRuntime>, _ worker: WorkerRef) -> Bool {
        let buffer = worker.value.pool.value.take(4096)
        defer { worker.value.pool.value.give(buffer) }
        let generation = value.generation
        for _ in 0..<ResolverConversation.datagramsMax {
            buffer.clear()
            let count = buffer.receive(from: value.descriptor)
            if count == Socket.wouldBlock { return true }
            if count < 0 { return false }
            resolver.receive(buffer.view, query: value.query, worker)
            // The answer may have ended this conversation.
            if value.generation != generation { return true }
        }
        // The socket is told of again only when more comes: what is left is looked at when the question is repeated.
        return true
    }

    /// - Returns: false if the connection broke.
    private func talk(_ mask: EventMask, _ resolver: Ref<ResolverRuntime>, _ worker: WorkerRef) -> Bool {
        if let output = value.output, output.count > 0, mask.contains(.writable) || mask.contains(.failed) {
            let sent = Socket.send(value.descriptor, output.view)
            if sent < 0 { return sent == Socket.wouldBlock }
            output.consume(sent)
        }
        let input = value.input ?? worker.value.pool.value.take(4096)
        value.input = input
        let generation = value.generation
        var messages = 0
        while true {
            let wanted = input.count < 2 ? 2 : 2 + (Int(input.view[0]) << 8 | Int(input.view[1]))
            if input.count >= 2, input.count >= wanted {
                resolver.receive(input.view[2..<wanted], query: value.query, worker)
                if value.generation != generation { return true }
                input.consume(wanted)
                messages += 1
                // A server that says more than was asked is not listened to.
                if messages == ResolverConversation.datagramsMax { return false }
                continue
            }
            input.compact()
            if input.room < 512 { input.grow(by: min(ResolverConversation.messageMax, wanted)) }
            let count = input.receive(from: value.descriptor)
            if count == Socket.wouldBlock { return true }
            if count <= 0 { return false }
        }
    }

    /// Closes the socket and frees the slot.
    func close() {
        guard let worker = value.worker else { return }
        if value.timer != .none { worker.value.loop.timers.clear(value.timer) }
        if value.descriptor >= 0 { Socket.close(value.descriptor) }
        value.descriptor = -1
        if let output = value.output { worker.value.pool.value.give(output) }
        if let input = value.input { worker.value.pool.value.give(input) }
        value.output = nil
        value.input = nil
        value.resolver = nil
        worker.value.resolverConversations.give(self)
    }
}
