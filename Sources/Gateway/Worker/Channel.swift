import Loop
import Messages

/// The worker's end of the channel to the supervisor.
enum Channel {
    /// The next packet with its descriptors; nil when there is none or the channel ended.
    static func receive(_ channel: Int32) -> (packet: [UInt8], descriptors: [Int32])? {
        PacketSocket.receive(channel, capacity: MessageLimits.packetBytesMax)
    }

    /// - Returns: whether it is on its way; false when the channel is full, or ended.
    @discardableResult
    static func send(_ channel: Int32, _ report: WorkerReport, descriptors: [Int32] = []) -> Bool {
        guard let packet = try? report.encode() else { return false }
        return PacketSocket.send(channel, packet, descriptors: descriptors) > 0
    }
}

extension Ref where Value == Worker {
    @discardableResult
    func report(_ report: WorkerReport) -> Bool { Channel.send(MessageLimits.channelDescriptor, report) }

    /// Commands of the supervisor. When it is gone the worker goes on serving.
    func readChannel() {
        let channel = MessageLimits.channelDescriptor
        while let (packet, descriptors) = Channel.receive(channel) {
            guard let command = try? WorkerCommand(decoding: packet, descriptorCount: descriptors.count) else {
                descriptors.forEach(Socket.close)
                continue
            }
            obey(command, descriptors)
        }
        if PacketSocket.isEnded(channel) { supervisorIsGone() }
    }

    private func obey(_ command: WorkerCommand, _ descriptors: [Int32]) {
        switch command {
        case .drain(let deadline):
            // The next supervisor names a worker of its own.
            endHealthChecks()
            drain(deadline: deadline)
        case .stop: value.isStopping = true
        case .beginChecks(let term): beginHealthChecks(term: term)
        case .endChecks: endHealthChecks()
        case .check(let check): checkInstance(check)
        case .uncheck(let instance): uncheckInstance(instance)
        case .lookAtPeers: lookAtPeers()
        case .reopenLogs: reopenDynamicLogs()
        case .logs(let list):
            for entry in list { reopen(entry.name, descriptors[entry.descriptorIndex]) }
        case .peers(let places): take(places)
        case .sessions(let sessions): take(sessions)
        case .upstream(let news): take(news)
        case .drainServer(let drain): take(drain)
        case .rescued(let connections): take(connections)
        case .verdict(let news): value.failures.verdicts.take(news)
        default: descriptors.forEach(Socket.close)
        }
    }

    private func reopen(_ path: String, _ descriptor: Int32) {
        guard let file = value.log.files.first(where: { $0.value.path == path }) else { return Socket.close(descriptor) }
        file.flush(now: now)
        if file.value.descriptor >= 0 { Socket.close(file.value.descriptor) }
        file.value.descriptor = descriptor
    }
}
