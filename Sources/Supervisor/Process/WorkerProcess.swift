internal import CLinux
internal import Glibc
internal import Messages

/// A worker as the supervisor sees it: a process, and the channel to it.
final class WorkerProcess {
    let id: WorkerID
    /// Number of its generation; 0: another supervisor started it.
    let generation: Int
    /// Index among the workers of its generation.
    let place: Int
    let column: Int
    let process: Int32
    let channel: Descriptor
    /// The socket on which it waits for the next supervisor; nil: none could be made.
    var successorSocket: String?
    /// Packets that did not fit into the channel, oldest first.
    private(set) var backlog: [(packet: [UInt8], descriptors: [Descriptor])] = []
    /// What it said that nobody understands.
    var strayMessages = RepeatedLine()

    init(id: WorkerID, generation: Int, place: Int, column: Int, process: Int32, channel: Descriptor) {
        self.id = id
        self.generation = generation
        self.place = place
        self.column = column
        self.process = process
        self.channel = channel
    }

    /// Sends a message, or keeps it until the channel has room. Never blocks.
    func send(_ command: WorkerCommand, descriptors: [Descriptor] = []) {
        // A list that is too large is a bug of this file; the worker then lacks something and says so.
        guard let packet = try? command.encode() else { return }
        backlog.append((packet, descriptors))
        flush()
    }

    /// Sends what waits.
    func flush() {
        while let next = backlog.first {
            do throws(SystemError) {
                try System.send(next.packet, descriptors: next.descriptors.map(\.number), over: channel.number)
            } catch {
                // A worker that is gone is reported by its exit.
                if error.code != EAGAIN { backlog = [] }
                return
            }
            backlog.removeFirst()
        }
    }

    /// Sends named descriptors in as many packets as they need.
    func send(_ list: [(name: String, descriptor: Descriptor)], as command: ([NamedDescriptor]) -> WorkerCommand) {
        var names: [NamedDescriptor] = []
        var descriptors: [Descriptor] = []
        var bytes = 0
        func finish() {
            guard !names.isEmpty else { return }
            send(command(names), descriptors: descriptors)
            (names, descriptors, bytes) = ([], [], 0)
        }
        for (name, descriptor) in list {
            // Room for the header and for each entry's length and index.
            let size = name.utf8.count + 8
            if names.count == MessageLimits.descriptorsMax || bytes + size > MessageLimits.packetBytesMax - 64 { finish() }
            names.append(NamedDescriptor(name: name, descriptorIndex: names.count))
            descriptors.append(descriptor)
            bytes += size
        }
        finish()
    }

    /// Tells the slots of peers in as many packets as they need.
    func send(_ places: [PeerPlace]) {
        var part: [PeerPlace] = []
        var bytes = 0
        for place in places {
            if part.count == PeerPlace.perPacketMax || bytes + place.encodedBytesMax > MessageLimits.packetBytesMax - 64 {
                send(.peers(part))
                (part, bytes) = ([], 0)
            }
            part.append(place)
            bytes += place.encodedBytesMax
        }
        if !part.isEmpty { send(.peers(part)) }
    }

    /// The next message of the worker, nil when there is none (or the channel ended).
    func receive() -> Result<WorkerReport, MessageError>? {
        guard let packet = System.receive(from: channel.number, capacity: MessageLimits.packetBytesMax), !packet.isEmpty
        else { return nil }
        do throws(MessageError) {
            return .success(try WorkerReport(decoding: packet))
        } catch {
            return .failure(error)
        }
    }
}
