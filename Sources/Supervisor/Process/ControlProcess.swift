internal import CLinux
internal import Glibc
internal import Messages

/// The control process as the supervisor sees it: a process, and the channel to it.
final class ControlProcess {
    /// What it was started with.
    let settings: ControlProcessSettings
    let process: Int32
    let channel: Descriptor
    /// Attempts and events that were dropped because the channel was full.
    private(set) var dropped: UInt64 = 0
    /// Packets that did not fit into the channel, oldest first.
    private var backlog: [(packet: [UInt8], descriptors: [Descriptor])] = []

    /// Packets that may wait. An answer for a thousand instances and upstreams takes a few dozen.
    private static let backlogMax = 2_000

    init(settings: ControlProcessSettings, process: Int32, channel: Descriptor) {
        self.settings = settings
        self.process = process
        self.channel = channel
    }

    /// Whether something waits for room in the channel.
    var isBehind: Bool { !backlog.isEmpty }

    /// Sends a message, or keeps it until the channel has room. Never blocks.
    /// - Returns: false when the control process is so far behind that the message was not taken.
    @discardableResult
    func send(_ command: ControlCommand, descriptors: [Descriptor] = []) -> Bool {
        guard backlog.count < Self.backlogMax, let packet = try? command.encode() else { return false }
        backlog.append((packet, descriptors))
        flush()
        return true
    }

    /// Sends what may be lost: nothing is kept, what does not fit is counted.
    func offer(_ command: ControlCommand) {
        guard backlog.isEmpty, let packet = try? command.encode() else {
            dropped &+= 1
            return
        }
        do throws(SystemError) {
            try System.send(packet, descriptors: [], over: channel.number)
        } catch { dropped &+= 1 }
    }

    /// Sends what waits.
    func flush() {
        var sent = 0
        defer { backlog.removeFirst(sent) }
        while sent < backlog.count {
            do throws(SystemError) {
                try System.send(backlog[sent].packet, descriptors: backlog[sent].descriptors.map(\.number), over: channel.number)
            } catch {
                // One that is gone is reported by its exit.
                if error.code != EAGAIN { sent = backlog.count }
                return
            }
            sent += 1
        }
    }

    /// The next message, nil when there is none (or the channel ended).
    func receive() -> Result<ControlRequest, MessageError>? {
        guard let packet = System.receive(from: channel.number, capacity: MessageLimits.packetBytesMax), !packet.isEmpty
        else { return nil }
        do throws(MessageError) {
            return .success(try ControlRequest(decoding: packet))
        } catch {
            return .failure(error)
        }
    }
}

/// What of the settings makes another control process necessary when it changes.
struct ControlProcessSettings: Equatable {
    var socketPath: String
}
