import CLinux
import CSimulation
import Glibc
import Machine

/// The kernel, the network and the clock of one simulated worker. Everything happens in the thread of the worker, inside its calls:
/// time goes on while it waits, and a little with each call. Equal seeds give equal runs.
final class SimulatedNetwork {
    /// What may be connected to, by IPv4 address in host order.
    var origins: [UInt32: SimulatedOrigin] = [:]
    var random: RandomSource
    /// Nanoseconds since the machine was started.
    private(set) var now: UInt64 = 1_000_000_000_000
    /// What was written to each log.
    private(set) var logs: [Int32: [UInt8]] = [:]
    /// The longest way of a packet, in nanoseconds.
    let latencyMax: UInt64
    /// Lines of the run, when somebody wants to see them.
    var trace: [String]?
    /// What the worker must not do: the run is wrong then.
    private(set) var faults: [String] = []
    /// The worker waits without end, and nothing will ever happen.
    private(set) var isStuck = false
    /// A connection in the queue of the listener wakes one worker only (EPOLLEXCLUSIVE).
    var isListenerExclusive = false
    /// This worker was the one: nobody else comes for it.
    private var owesAccept = false
    private var isAsleep = false
    private var isInterrupted = false
    private var nextClient: (() -> Void)?

    private var calendar = Calendar()
    private var connections: [Int32: SimulatedConnection] = [:]
    private var registrations: [Int32: Registration] = [:]
    private var ready: [Int32] = []
    private var free: [Int32] = []
    private var nextDescriptor: Int32 = CS_SIMULATED_ + 2
    private var backlog: [SimulatedConnection] = []
    private(set) var listener: Int32 = CS_SIMULATED_ + 1
    private var made = 0
    private var idleTurns = 0
    private var hasProgressed = true

    private struct Registration {
        var interest: UInt32
        var data: UInt64
        var isReady = false
        var isEdgeTriggered: Bool { interest & 1 << 31 != 0 }
    }

    static let CS_SIMULATED_: Int32 = 0x100000
    static let epoll: Int32 = CS_SIMULATED_

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        var weather = RandomSource(seed: ~seed)
        latencyMax = [50_000, 300_000, 5_000_000, 40_000_000][Int(weather.next(below: 4))]
    }

    // MARK: - For peers

    func note(_ line: @autoclosure () -> String) {
        guard trace != nil else { return }
        trace?.append("\(Double(now - 1_000_000_000_000) / 1e6) ms  \(line())")
    }

    func fault(_ text: String) {
        note("FAULT: \(text)")
        faults.append(text)
    }

    func chance(_ percent: UInt64) -> Bool { random.next(below: 100) < percent }

    func after(_ delay: UInt64, _ action: @escaping () -> Void) { calendar.note(at: now + delay, action) }

    /// Connections that the worker has open.
    var openCount: Int { connections.count }

    func makeConnection(_ name: String) -> SimulatedConnection {
        made += 1
        let capacity = [700, 2500, 16_000, 87_000, 200_000][Int(random.next(below: 5))]
        return SimulatedConnection(number: made, capacity: capacity, name: "\(name)#\(made)")
    }

    /// A client connects.
    func connect(_ connection: SimulatedConnection, _ peer: any NetworkPeer) {
        connection.peer = peer
        after(latency()) { [self] in
            guard listener >= 0 else { return leaveToSuccessor(connection) }
            backlog.append(connection)
            if isAsleep, registrations[listener] != nil { owesAccept = true }
            wake(listener)
            nextClient?()
            nextClient = nil
        }
    }

    /// The worker has left: another one has the listener, and is not simulated.
    private func leaveToSuccessor(_ connection: SimulatedConnection) {
        connection.isElsewhere = true
        connection.peer?.received(connection)
    }

    /// The worker's process has ended: what is under way arrives, and clients go on.
    func goOnAlone() {
        var left = 100_000
        while let next = calendar.next, left > 0 {
            now = max(now, next)
            runDue()
            left -= 1
        }
    }

    /// Ends the worker's wait, as a signal does: what has come by then is not reported yet.
    func interrupt() { isInterrupted = true }
    /// Runs an action when the next client has connected, and is not yet accepted.
    func atNextClient(_ action: @escaping () -> Void) { nextClient = action }

    /// A peer sends bytes.
    func send(_ connection: SimulatedConnection, _ bytes: [UInt8]) {
        guard !connection.isClosedByPeer, !connection.toWorker.isClosed, !bytes.isEmpty else { return }
        deliver(\.toWorker, connection) { [self] in
            if connection.isClosedByWorker { return resetPeer(connection) }
            guard !connection.toWorker.isReset else { return }
            note("\(connection.name) → worker: \(bytes.count) bytes")
            connection.toWorker.append(bytes)
            wake(connection.descriptor)
        }
    }

    /// A peer sends no more.
    func finish(_ connection: SimulatedConnection) {
        guard !connection.toWorker.isClosed else { return }
        connection.toWorker.isClosed = true
        deliver(\.toWorker, connection) { [self] in
            guard !connection.isClosedByWorker, !connection.toWorker.isReset else { return }
            note("\(connection.name) → worker: end")
            connection.toWorker.isEnded = true
            wake(connection.descriptor)
        }
    }

    func reset(_ connection: SimulatedConnection) {
        guard !connection.isClosedByPeer else { return }
        connection.isClosedByPeer = true
        connection.toWorker.isClosed = true
        deliver(\.toWorker, connection) { [self] in resetWorker(connection) }
    }

    /// A peer closes: what it has not read is answered with a reset, as kernels do.
    func close(_ connection: SimulatedConnection) {
        if connection.toPeer.count > 0 { return reset(connection) }
        finish(connection)
        connection.isClosedByPeer = true
    }

    /// A peer reads.
    func read(_ connection: SimulatedConnection, limit: Int = .max) -> [UInt8] {
        let bytes = connection.toPeer.take(limit)
        if connection.wantsRoom, connection.hasRoom {
            connection.wantsRoom = false
            wake(connection.descriptor)
        }
        return bytes
    }

    // MARK: - Delivery

    func latency() -> UInt64 { 1000 + random.next(below: latencyMax) }

    /// Runs an action when what is sent now arrives: in order, some time from now.
    private func deliver(
        _ direction: ReferenceWritableKeyPath<SimulatedConnection, Flow>, _ connection: SimulatedConnection,
        _ action: @escaping () -> Void
    ) {
        let time = max(connection[keyPath: direction].lastArrival, now + latency())
        connection[keyPath: direction].lastArrival = time
        calendar.note(at: time, action)
    }

    private func resetWorker(_ connection: SimulatedConnection) {
        guard !connection.isClosedByWorker else { return }
        note("\(connection.name) → worker: reset")
        connection.toWorker.isReset = true
        // After an end that was seen a reset is a broken pipe.
        connection.error = connection.toWorker.isEnded ? EPIPE : ECONNRESET
        if chance(50) { connection.toWorker.drop() }
        wake(connection.descriptor)
    }

    private func resetPeer(_ connection: SimulatedConnection) {
        deliver(\.toPeer, connection) { [self] in
            guard !connection.isClosedByPeer, !connection.toPeer.isReset else { return }
            note("worker → \(connection.name): reset")
            connection.toPeer.isReset = true
            if chance(50) { connection.toPeer.drop() }
            connection.peer?.received(connection)
        }
    }

    private func wake(_ descriptor: Int32) {
        guard var registration = registrations[descriptor], !registration.isReady else { return }
        registration.isReady = true
        registrations[descriptor] = registration
        // Nobody promises an order.
        if chance(30) { ready.insert(descriptor, at: Int(random.next(below: UInt64(ready.count + 1)))) } else { ready.append(descriptor) }
    }

    private func runDue() {
        while let action = calendar.take(until: now) { action() }
    }

    // MARK: - The worker's calls

    /// The kernel as CSimulation calls it.
    static let entry: simulated_kernel = { context, call, descriptor, pointer, a, b in
        Unmanaged<SimulatedNetwork>.fromOpaque(context!).takeUnretainedValue().serve(call, descriptor, pointer, Int(a), b)
    }

    private func serve(_ call: simulated_call, _ fd: Int32, _ pointer: UnsafeMutableRawPointer?, _ a: Int, _ b: UInt64) -> Int64 {
        switch call {
        case SIMULATED_TIME: return Int64(now) + (a == 1 ? 1_767_225_600_000_000_000 : 0)
        case SIMULATED_EPOLL_CREATE: return Int64(Self.epoll)
        case SIMULATED_EPOLL_WAIT: return Int64(wait(pointer!, capacity: Int(b), timeout: a))
        case SIMULATED_EPOLL_CTL: return Int64(control(fd, operation: a >> 32, interest: UInt32(truncatingIfNeeded: a), data: b))
        case SIMULATED_WRITE:
            logs[fd, default: []] += UnsafeRawBufferPointer(start: pointer, count: a)
            return Int64(a)
        case SIMULATED_SOCKET: return Int64(openDescriptor(makeConnection("origin")))
        case SIMULATED_ACCEPT: return Int64(accept(pointer!, UnsafeMutablePointer(bitPattern: UInt(b))!))
        default: break
        }
        if fd == listener, call == SIMULATED_CLOSE { return Int64(closeListener()) }
        guard let connection = connections[fd] else {
            fault("call \(call.rawValue) on descriptor \(fd), which is not open")
            return Int64(-EBADF)
        }
        now += 1500
        runDue()
        switch call {
        case SIMULATED_RECV: return Int64(receive(connection, pointer!, a))
        case SIMULATED_PEEK: return Int64(receive(connection, pointer!, a, isPeek: true))
        case SIMULATED_SEND:
            let bytes = UnsafeRawBufferPointer(start: pointer, count: a)
            let sent = send(connection, bytes)
            // MSG_MORE: the kernel keeps it for 200 ms, or until more comes.
            connection.isCorked = b != 0 && sent == bytes.count
            return Int64(sent)
        case SIMULATED_SENDFILE: return Int64(sendFile(connection, pointer!.load(as: Int32.self), offset: Int64(b), count: a))
        case SIMULATED_CONNECT: return Int64(connect(connection, pointer!))
        case SIMULATED_CLOSE: return Int64(close(connection))
        case SIMULATED_SHUTDOWN: return Int64(shutdown(connection))
        case SIMULATED_LOCAL_ADDRESS:
            fillAddress(pointer!, UnsafeMutablePointer(bitPattern: UInt(b))!, 0x0a01_0001, 80)
            return 0
        case SIMULATED_ERROR:
            defer { connection.error = 0 }
            return Int64(connection.error)
        case SIMULATED_UNACKNOWLEDGED: return Int64(connection.toPeer.inFlight)
        case SIMULATED_RESET_ON_CLOSE:
            connection.resetsOnClose = true
            return 0
        default:
            fault("call \(call.rawValue) is not simulated")
            return Int64(-ENOSYS)
        }
    }

    private func openDescriptor(_ connection: SimulatedConnection) -> Int32 {
        let descriptor: Int32
        // The last number that was closed comes first: who mixes up an old one with a new one is found out.
        if let last = free.popLast() {
            descriptor = last
        } else {
            descriptor = nextDescriptor
            nextDescriptor += 1
        }
        connection.descriptor = descriptor
        connections[descriptor] = connection
        return descriptor
    }

    private func fillAddress(_ to: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>, _ address: UInt32, _ port: UInt16) {
        var made = sockaddr_in()
        made.sin_family = sa_family_t(AF_INET)
        made.sin_addr.s_addr = address.bigEndian
        made.sin_port = port.bigEndian
        to.storeBytes(of: made, as: sockaddr_in.self)
        length.pointee = UInt32(MemoryLayout<sockaddr_in>.size)
    }

    private func accept(_ address: UnsafeMutableRawPointer, _ length: UnsafeMutablePointer<UInt32>) -> Int32 {
        owesAccept = false
        guard !backlog.isEmpty else { return -EAGAIN }
        hasProgressed = true
        let connection = backlog.removeFirst()
        fillAddress(address, length, 0x0a02_0000 + UInt32(connection.number), 40_000)
        let descriptor = openDescriptor(connection)
        note("accept \(connection.name) as \(descriptor)")
        return descriptor
    }

    private func judgeQueue() {
        guard isListenerExclusive, owesAccept, !backlog.isEmpty else { return }
        fault("\(backlog.map(\.name)) left in the queue: nobody else is woken for them")
    }

    private func closeListener() -> Int32 {
        registrations[listener] = nil
        ready.removeAll { $0 == listener }
        listener = -1
        judgeQueue()
        for connection in backlog { leaveToSuccessor(connection) }
        backlog.removeAll()
        return 0
    }

    private func connect(_ connection: SimulatedConnection, _ address: UnsafeMutableRawPointer) -> Int32 {
        hasProgressed = true
        let target = UInt32(bigEndian: address.load(as: sockaddr_in.self).sin_addr.s_addr)
        guard let origin = origins[target] else { return -ENETUNREACH }
        let answer = origin.answerConnect()
        note("connect \(connection.name) (\(connection.descriptor)) to \(origin.name): \(answer)")
        switch answer {
        case .atOnce:
            origin.accept(connection)
            return 0
        case .refusedAtOnce: return -ECONNREFUSED
        case .later:
            connection.isConnecting = true
            after(latency()) { [self] in
                guard !connection.isClosedByWorker else { return }
                connection.isConnecting = false
                origin.accept(connection)
                wake(connection.descriptor)
            }
        case .refusedLater:
            connection.isConnecting = true
            after(latency()) { [self] in
                guard !connection.isClosedByWorker else { return }
                connection.isConnecting = false
                connection.error = ECONNREFUSED
                connection.toWorker.isReset = true
                wake(connection.descriptor)
            }
        case .never: connection.isConnecting = true
        }
        return -EINPROGRESS
    }

    private func receive(_ connection: SimulatedConnection, _ to: UnsafeMutableRawPointer, _ count: Int, isPeek: Bool = false) -> Int {
        let available = min(count, connection.toWorker.count)
        if available > 0 {
            connection.toWorker.peek(available).withUnsafeBytes { to.copyMemory(from: $0.baseAddress!, byteCount: available) }
            if !isPeek {
                hasProgressed = true
                connection.toWorker.consume(available)
            }
            return available
        }
        if connection.toWorker.isReset {
            hasProgressed = true
            let error = connection.error
            if !isPeek { connection.error = 0 }
            return Int(-error)
        }
        if connection.toWorker.isEnded {
            hasProgressed = true
            return 0
        }
        if count == 0 { fault("recv into no room on \(connection.name)") }
        return -Int(EAGAIN)
    }

    private func send(_ connection: SimulatedConnection, _ bytes: UnsafeRawBufferPointer) -> Int {
        if connection.toPeer.isClosed { return -Int(EPIPE) }
        if connection.toWorker.isReset {
            hasProgressed = true
            defer { connection.error = 0 }
            return connection.error != 0 ? Int(-connection.error) : -Int(EPIPE)
        }
        let taken = min(bytes.count, connection.room)
        if taken < bytes.count { connection.wantsRoom = true }
        guard taken > 0 else { return bytes.isEmpty ? 0 : -Int(EAGAIN) }
        hasProgressed = true
        let sent = [UInt8](bytes[..<taken])
        note("worker → \(connection.name): sends \(taken) of \(bytes.count)")
        connection.toPeer.inFlight += taken
        deliver(\.toPeer, connection) { [self] in
            connection.toPeer.inFlight -= taken
            // A peer that is gone answers with a reset.
            if connection.isClosedByPeer { return resetWorker(connection) }
            guard !connection.toPeer.isReset else { return }
            connection.toPeer.append(sent)
            connection.peer?.received(connection)
        }
        return taken
    }

    private func sendFile(_ connection: SimulatedConnection, _ file: Int32, offset: Int64, count: Int) -> Int {
        let piece = [UInt8](unsafeUninitializedCapacity: min(count, max(1, connection.room))) { buffer, filled in
            filled = max(0, pread(file, buffer.baseAddress, buffer.count, off_t(offset)))
        }
        connection.isCorked = false
        return piece.withUnsafeBytes { send(connection, $0) }
    }

    private func shutdown(_ connection: SimulatedConnection) -> Int32 {
        guard !connection.toPeer.isClosed else { return 0 }
        connection.toPeer.isClosed = true
        connection.isCorked = false
        deliver(\.toPeer, connection) {
            guard !connection.isClosedByPeer, !connection.toPeer.isReset else { return }
            connection.toPeer.isEnded = true
            connection.peer?.received(connection)
        }
        return 0
    }

    private func close(_ connection: SimulatedConnection) -> Int32 {
        hasProgressed = true
        let isHard = connection.resetsOnClose || connection.toWorker.count > 0
        note("worker closes \(connection.name) (\(connection.descriptor))\(isHard ? " with a reset" : "")")
        if isHard, connection.isCorked { fault("\(connection.name): bytes that are held back for more are thrown away") }
        if isHard { resetPeer(connection) } else { _ = shutdown(connection) }
        connection.isClosedByWorker = true
        connections[connection.descriptor] = nil
        registrations[connection.descriptor] = nil
        ready.removeAll { $0 == connection.descriptor }
        free.append(connection.descriptor)
        connection.descriptor = -1
        return 0
    }
}

// MARK: - epoll

extension SimulatedNetwork {
    private func control(_ fd: Int32, operation: Int, interest: UInt32, data: UInt64) -> Int32 {
        if operation == 2 {
            guard registrations.removeValue(forKey: fd) != nil else { return -ENOENT }
            ready.removeAll { $0 == fd }
            return 0
        }
        if operation == 1, registrations[fd] != nil { return -EEXIST }
        registrations[fd] = Registration(interest: interest, data: data)
        if state(of: fd) & interest != 0 { wake(fd) }
        return 0
    }

    /// What epoll would say of a descriptor now.
    private func state(of fd: Int32) -> UInt32 {
        if fd == listener { return backlog.isEmpty ? 0 : 1 }
        guard let connection = connections[fd], !connection.isConnecting else { return 0 }
        if connection.toWorker.isReset { return 0x201d }
        var mask: UInt32 = 0
        if connection.toWorker.count > 0 { mask |= 0x1 }
        if connection.toWorker.isEnded { mask |= 0x2001 }
        if connection.toWorker.isEnded, connection.toPeer.isClosed { mask |= 0x10 }
        if connection.hasRoom { mask |= 0x4 } else { connection.wantsRoom = true }
        return mask
    }

    private func wait(_ events: UnsafeMutableRawPointer, capacity: Int, timeout: Int) -> Int32 {
        noteTurn()
        if listener >= 0, registrations[listener] == nil { judgeQueue() }
        isAsleep = true
        defer { isAsleep = false }
        for connection in connections.values where connection.isCorked && connection.hasRoom && timeout != 0 {
            fault("\(connection.name): bytes are held back for more, and none came")
        }
        now += 2000
        let deadline = timeout < 0 ? UInt64.max : now + UInt64(timeout) * 1_000_000
        while true {
            runDue()
            if isInterrupted {
                isInterrupted = false
                hasProgressed = true
                return 0
            }
            let count = take(events.assumingMemoryBound(to: epoll_event.self), min(capacity, 1 + Int(random.next(below: 16))))
            if count > 0 { return count }
            let next = min(deadline, calendar.next ?? .max)
            guard next != .max else {
                isStuck = true
                return 0
            }
            if next > now + 1_100_000 { hasProgressed = true }
            now = max(now, next)
            if now >= deadline {
                // Who sleeps a millisecond again and again burns a processor as well.
                hasProgressed = hasProgressed || timeout > 1
                return 0
            }
        }
    }

    /// A worker that comes back again and again and does nothing would burn a processor.
    private func noteTurn() {
        idleTurns = hasProgressed ? 0 : idleTurns + 1
        hasProgressed = false
        if idleTurns == 200 { fault("the loop spins") }
    }

    private func take(_ events: UnsafeMutablePointer<epoll_event>, _ capacity: Int) -> Int32 {
        var count = 0
        var levels: [Int32] = []
        while count < capacity, !ready.isEmpty {
            let fd = ready.removeFirst()
            guard var registration = registrations[fd] else { continue }
            let mask = state(of: fd) & (registration.interest | 0x18)
            registration.isReady = false
            registrations[fd] = registration
            guard mask != 0 else { continue }
            events[count] = epoll_event(events: mask, data: epoll_data_t(u64: registration.data))
            count += 1
            if !registration.isEdgeTriggered { levels.append(fd) }
        }
        levels.forEach(wake)
        return Int32(count)
    }
}
