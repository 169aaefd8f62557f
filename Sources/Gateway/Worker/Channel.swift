import CSystem
import Glibc
import Loop
import Messages

/// The worker's end of the channel to the supervisor.
enum Channel {
    /// The next packet with its descriptors; nil when there is none or the channel ended.
    static func receive(_ channel: Int32) -> (packet: [UInt8], descriptors: [Int32])? {
        var bytes = [UInt8](repeating: 0, count: MessageLimits.packetBytesMax)
        var descriptors = [Int32](repeating: -1, count: Int(CS_DESCRIPTORS_MAX))
        var count = Int32(descriptors.count)
        let n = bytes.withUnsafeMutableBytes { raw in
            descriptors.withUnsafeMutableBufferPointer { unsafe cs_receive_packet(channel, raw.baseAddress!, raw.count, $0.baseAddress!, &count) }
        }
        guard n > 0 else { return nil }
        return (Array(bytes[0..<n]), Array(descriptors[0..<Int(count)]))
    }

    static func send(_ channel: Int32, _ report: WorkerReport) {
        guard let packet = try? report.encode() else { return }
        _ = packet.withUnsafeBytes { unsafe cs_send_packet(channel, $0.baseAddress!, $0.count, nil, 0) }
    }
}

extension Ref where Value == Worker {
    func report(_ report: WorkerReport) { Channel.send(MessageLimits.channelDescriptor, report) }

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
        var byte: UInt8 = 0
        if unsafe cs_recv_peek(channel, &byte, 1) == 0 { value.loop.remove(channel) }
    }

    private func obey(_ command: WorkerCommand, _ descriptors: [Int32]) {
        switch command {
        case .drain(let deadline): drain(deadline: deadline)
        case .stop: value.isStopping = true
        case .closeIdle: closeIdle()
        case .reopenLogs: break
        case .logs(let list):
            for entry in list { reopen(entry.name, descriptors[entry.descriptorIndex]) }
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
