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
        case .lines(let number, let name, let count, let isWhole): tellLines(number, app: name, count: count, isWhole, control)
        case .drain(let number, let upstream, let server, let isDraining):
            control.send(.answer(request: number, drain(server, of: upstream, isDraining: isDraining)))
        case .upgrade(let number): beginUpgrade(number, control)
        case .verdict(let news): relay(news)
        }
        watchControl(control)
    }

    private func tellStatus(_ number: UInt32, _ control: ControlProcess) {
        var isComplete = control.send(.overview(request: number, overview))
        for part in workerOverviews.packets(most: WorkerOverview.perPacketMax) {
            isComplete = isComplete && control.send(.workers(request: number, part))
        }
        for status in apps?.status ?? [] {
            isComplete = isComplete && control.send(.app(request: number, appOverview(status)))
            for part in instanceOverviews(status).packets(most: InstanceOverview.perPacketMax) {
                isComplete = isComplete && control.send(.instances(request: number, app: status.name, part))
            }
        }
        for part in peerOverviews.packets(most: PeerOverview.perPacketMax, size: \.encodedBytesMax) {
            isComplete = isComplete && control.send(.peers(request: number, part))
        }
        let answer = isComplete
            ? ControlAnswer(.done) : ControlAnswer(.failed, text: "the status is too large for the channel to the control process")
        control.send(.answer(request: number, answer))
    }
}
