internal import Config
internal import Machine
internal import Messages

// What the control process asks for.
extension Supervisor {
    /// Answers one request: with parts, and then with one `answer`.
    func answer(_ request: ControlRequest, _ control: ControlProcess) {
        switch request {
        case .ready(let process): log.write(.notice, "control process \(process) listens at \"\(control.settings.socketPath)\"")
        case .failed(let text): log.write(.error, "control process \(control.process): \(text)")
        case .status(let number): tellStatus(number, control)
        case .app(let number, let name, let order): control.send(.answer(request: number, obey(order, app: name)))
        case .deploy(let number, let name, let order): control.send(.answer(request: number, deploy(order, app: name)))
        case .lines(let number, let name, let count): tellLines(number, app: name, count: count, control)
        case .drain(let number, let upstream, let server, let isDraining):
            control.send(.answer(request: number, drain(server, of: upstream, isDraining: isDraining)))
        case .upgrade(let number): beginUpgrade(number, control)
        }
        watchControl(control)
    }

    private func tellStatus(_ number: UInt32, _ control: ControlProcess) {
        var isComplete = control.send(.overview(request: number, overview))
        for part in parts(of: workerOverviews, count: WorkerOverview.perPacketMax) {
            isComplete = isComplete && control.send(.workers(request: number, part))
        }
        for status in apps?.status ?? [] {
            isComplete = isComplete && control.send(.app(request: number, appOverview(status)))
            for part in parts(of: instanceOverviews(status), count: InstanceOverview.perPacketMax) {
                isComplete = isComplete && control.send(.instances(request: number, app: status.name, part))
            }
        }
        for part in PeerOverview.packets(peerOverviews) {
            isComplete = isComplete && control.send(.peers(request: number, part))
        }
        let answer = isComplete
            ? ControlAnswer(.done) : ControlAnswer(.failed, text: "the status is too large for the channel to the control process")
        control.send(.answer(request: number, answer))
    }

    private func parts<Element>(of list: [Element], count: Int) -> [[Element]] {
        stride(from: 0, to: list.count, by: count).map { Array(list[$0..<min($0 + count, list.count)]) }
    }
}

extension PeerOverview {
    /// The list in parts that fit into a packet.
    static func packets(_ list: [PeerOverview]) -> [[PeerOverview]] {
        var result: [[PeerOverview]] = []
        var part: [PeerOverview] = []
        var bytes = 0
        for peer in list {
            if part.count == perPacketMax || bytes + peer.encodedBytesMax > MessageLimits.packetBytesMax - 64 {
                result.append(part)
                (part, bytes) = ([], 0)
            }
            part.append(peer)
            bytes += peer.encodedBytesMax
        }
        return part.isEmpty ? result : result + [part]
    }
}
