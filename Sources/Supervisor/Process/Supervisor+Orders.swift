internal import Config
internal import Machine
internal import Messages

// What the commands order for apps.
extension Supervisor {
    /// Most instances, as in the configuration.
    private static let instancesMax: UInt32 = 1000

    /// Why there is nothing to do it with; nil when the app is there.
    private func absence(of app: String) -> ControlAnswer? {
        let names = apps?.status.map(\.name) ?? []
        guard !names.contains(app) else { return nil }
        let known = names.isEmpty ? "the configuration has none" : "there are " + names.joined(separator: ", ")
        return ControlAnswer(.unknown, text: "there is no app \"\(app)\": \(known)")
    }

    /// Does what is ordered for an app.
    func obey(_ order: AppOrder, app: String) -> ControlAnswer {
        if let absence = absence(of: app) { return absence }
        guard let apps, let status = apps.status.first(where: { $0.name == app }) else { return ControlAnswer(.refused) }
        defer { flushNews() }
        switch order {
        case .start: return answer(apps.start(app: app), app, refusal: "")
        case .stop: return answer(apps.stop(app: app), app, refusal: "")
        case .restart:
            return answer(
                apps.restart(app: app), app,
                refusal: "app \"\(app)\" is stopped: start it with \"goodgate app start \(app)\"")
        case .rollback:
            let (answer, release) = apps.rollback(app: app)
            return self.answer(
                answer, app, release: release,
                refusal: "app \"\(app)\" has no release before this one since its block was edited")
        case .scale(let count):
            guard (1...Self.instancesMax).contains(count) else {
                return ControlAnswer(
                    .refused,
                    text: "the number of instances must be between 1 and \(Self.instancesMax)"
                        + (count == 0 ? "; to have none, stop the app: goodgate app stop \(app)" : ""))
            }
            let address = status.fixedAddress.map { " at \($0)" } ?? ""
            return answer(
                apps.scale(app: app, to: Int(count)), app,
                refusal: "app \"\(app)\" listens at a fixed address\(address), so there can be only one instance")
        }
    }

    /// Begins a deploy.
    func deploy(_ order: DeployOrder, app: String) -> ControlAnswer {
        if let absence = absence(of: app) { return absence }
        guard let apps else { return ControlAnswer(.refused) }
        defer { flushNews() }
        let (answer, release) = apps.deploy(app: app, order)
        return self.answer(answer, app, release: release, refusal: "the deploy cannot begin")
    }

    private func answer(
        _ answer: AppMachine.Answer, _ app: String, release: UInt32 = 0, refusal: String
    ) -> ControlAnswer {
        switch answer {
        case .accepted: ControlAnswer(.accepted, release: release)
        case .busy:
            ControlAnswer(.busy, text: """
                another deploy or restart of this app is under way\
                \(apps?.status.first { $0.name == app }?.waitingText(now: now) ?? ""): \
                wait for its end, or give it up with "goodgate app stop \(app)", which stops the app as well
                """)
        case .refused: ControlAnswer(.refused, text: refusal)
        }
    }

    /// The last lines of an app's instances, as their keepers answer.
    func tellLines(_ number: UInt32, app: String, count: UInt32, _ isWhole: Bool, _ control: ControlProcess) {
        if let absence = absence(of: app) {
            control.send(.answer(request: number, absence))
            return
        }
        var missing = 0
        var isAsking = true
        func finish() {
            if missing == 0, !isAsking { control.send(.answer(request: number, ControlAnswer(.done))) }
            self.watchControl(control)
        }
        missing += apps?.lastLines(app: app, count: count) { lines in
            for packet in AppLines.packets(lines, isWhole: isWhole && !control.isFarBehind) {
                control.send(.lines(request: number, packet))
            }
            missing -= 1
            finish()
        } ?? 0
        isAsking = false
        finish()
    }
}

extension AppLines {
    /// The newest lines that fit into a packet.
    init(_ lines: AppSupervisor.InstanceLines) { self = Self.packets(lines, isWhole: false)[0] }

    /// All lines in as many packets as they take, the oldest first, or the newest that fit into one. The writer cuts what is too long for a
    /// text.
    static func packets(_ lines: AppSupervisor.InstanceLines, isWhole: Bool) -> [AppLines] {
        var packets: [AppLines] = []
        var rest = lines.lines[...]
        repeat {
            var packet = AppLines(
                slot: UInt32(clamping: lines.key.slot), serial: lines.key.serial, release: lines.release,
                total: lines.total &- UInt32(lines.lines.count - rest.count), lines: [])
            var bytes = 0
            while let line = rest.last, packet.lines.count < linesMax {
                bytes += min(line.utf8.count, MessageLimits.textBytesMax) + 2
                guard bytes <= bytesMax else { break }
                packet.lines.append(line)
                rest.removeLast()
            }
            packet.lines.reverse()
            packets.append(packet)
        } while isWhole && !rest.isEmpty
        return packets.reversed()
    }
}
