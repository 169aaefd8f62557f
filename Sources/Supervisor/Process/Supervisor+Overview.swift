internal import Board
internal import Config
internal import Machine
internal import Messages

// What `goodgate status` shows, as messages.
extension Supervisor {
    /// The boards of the living generations, each once.
    var boards: [BoardMemory] {
        var seen: [BoardMemory] = []
        for board in configurations.values.compactMap(\.board) where !seen.contains(where: { $0 === board }) { seen.append(board) }
        return seen
    }

    /// The program as a whole.
    var overview: SupervisorOverview {
        let phase: SupervisorOverview.Phase =
            switch machine.phase {
            case .serving: .serving
            case .paused: .paused
            case .quitting: .quitting
            case .terminating, .ended: .terminating
            }
        var overview = SupervisorOverview(phase: phase, generation: UInt32(clamping: current))
        for board in boards {
            overview.accepted &+= board.total(.accepted)
            overview.requests &+= board.total(.requests)
            overview.activeConnections &+= board.total(.active)
            overview.parkedNow &+= board.total(.parked)
            overview.parked &+= board.total(.parkedTotal)
            overview.retried &+= board.total(.retried)
            overview.rescued &+= board.total(.rescued)
            overview.failed &+= board.total(.failed)
            overview.attemptsDropped &+= board.total(.recordsDropped)
        }
        overview.attemptsDropped &+= attemptsDropped &+ (control?.dropped ?? 0)
        return overview
    }

    /// All workers of all generations, the oldest generation first.
    var workerOverviews: [WorkerOverview] {
        let now = System.now
        return machine.generations.flatMap { generation in
            generation.workers.map { worker in
                let state: WorkerOverview.State =
                    switch worker.state {
                    case .starting: .starting
                    case .ready: .ready
                    case .draining: .draining
                    case .stopping: .stopping
                    case .resting: .resting
                    }
                let board = configurations[generation.number]?.board
                return WorkerOverview(
                    process: workers[worker.id]?.process ?? 0, generation: UInt32(clamping: generation.number),
                    index: UInt32(clamping: worker.place), state: state, age: now - min(worker.startedAt, now),
                    connections: worker.column.flatMap { board?.value(.active, column: $0) } ?? 0,
                    requests: worker.column.flatMap { board?.value(.requests, column: $0) } ?? 0)
            }
        }
    }

    /// One app.
    func appOverview(_ status: AppSupervisor.Status) -> AppOverview {
        var overview: AppOverview
        let time = now
        switch status.outlook {
        case .up: overview = AppOverview(name: status.name, outlook: .up)
        case .coming(let start):
            overview = AppOverview(name: status.name, outlook: .coming)
            overview.nextStart = start.milliseconds(after: time)
        case .implausible(let start):
            overview = AppOverview(name: status.name, outlook: .implausible)
            overview.nextStart = start.milliseconds(after: time)
        case .down: overview = AppOverview(name: status.name, outlook: .down)
        }
        overview.isRunning = status.isRunning
        overview.isRolling = status.isRolling
        overview.release = status.release
        overview.previousRelease = status.previousRelease ?? 0
        overview.count = UInt32(clamping: status.count)
        overview.blockCount = UInt32(clamping: status.blockCount)
        var room = AppOverview.textBytesMax
        func fitting(_ list: [String]) -> [String] {
            Array(
                list.prefix(AppOverview.textsMax).prefix { text in
                    room -= min(text.utf8.count, MessageLimits.textBytesMax)
                    return room >= 0
                })
        }
        overview.command = fitting(status.command)
        let refusal = status.refusedBlock ?? ""
        overview.refusedBlock = String(decoding: refusal.utf8.prefix(AppOverview.refusalBytesMax), as: UTF8.self)
        overview.differences = fitting(status.differences)
        return overview
    }

    /// The instances of one app.
    func instanceOverviews(_ status: AppSupervisor.Status) -> [InstanceOverview] {
        let time = now
        return status.instances.map { instance in
            let snapshot = instance.snapshot
            var overview = InstanceOverview(
                slot: UInt32(clamping: snapshot.key.slot), serial: snapshot.key.serial, release: snapshot.release,
                phase: .init(snapshot.phase), role: .init(snapshot.role))
            overview.isHealthy = snapshot.isHealthy
            overview.process = snapshot.processID ?? 0
            overview.age = snapshot.processID == nil ? 0 : time.milliseconds(after: snapshot.startedAt)
            overview.next = snapshot.deadline?.milliseconds(after: time) ?? 0
            overview.restarts = snapshot.restarts
            overview.failedStarts = UInt32(clamping: snapshot.failedStartsInRow)
            overview.lines = instance.lines
            overview.linesDropped = instance.linesDropped
            overview.address = instance.address
            overview.status = instance.status
            let failure = instance.lastFailure ?? ""
            overview.lastFailure = String(decoding: failure.utf8.prefix(InstanceOverview.failureBytesMax), as: UTF8.self)
            overview.lastExit = snapshot.lastExit?.words ?? ""
            return overview
        }
    }

    /// All servers of all upstreams of the configuration in force.
    var peerOverviews: [PeerOverview] {
        guard let configuration = configurations[current] else { return [] }
        var list: [PeerOverview] = []
        for server in configuration.settings.servers {
            list.append(
                peerOverview(
                    server.peer, name: server.name, weight: server.weight, isBackup: server.isBackup,
                    state: server.isDown ? .down : server.isDraining ? .draining : nil, configuration))
        }
        for (upstream, app) in configuration.settings.appUpstreams {
            let route = routes[app] ?? AppRoute()
            for instance in route.instances {
                let peer = PeerKey(upstream: upstream, address: instance.address.listenKey)
                list.append(
                    peerOverview(
                        peer, name: "\(app).\(instance.key.slot)", weight: Int(route.weight(of: instance)), isBackup: false,
                        state: instance.leavingSince != nil ? .leaving : nil, configuration))
            }
        }
        return list
    }

    private func peerOverview(
        _ peer: PeerKey, name: String, weight: Int, isBackup: Bool, state: PeerOverview.State?,
        _ configuration: PreparedConfiguration
    ) -> PeerOverview {
        let isDrained = drains.contains { $0.upstream == peer.upstream && ($0.server == peer.address || $0.server == name) }
        let totals = configuration.board?.totals(of: peer) ?? PeerTotals()
        let account = configuration.board?.account(of: peer) ?? PeerAccount()
        let checked: PeerOverview.State =
            switch configuration.board?.checkState(of: peer) ?? .none {
            case .none, .healthy: totals.fails > 0 ? .failing : .up
            case .unproven: .unproven
            case .unhealthy, .unresponsive, .refused: .unhealthy
            }
        return PeerOverview(
            upstream: peer.upstream, address: peer.address, name: name, state: state ?? (isDrained ? .draining : checked),
            isBackup: isBackup, weight: UInt32(clamping: weight), connections: UInt64(clamping: totals.connections),
            fails: UInt64(clamping: totals.fails), attempts: account.attempts, broken: account.broken)
    }
}

extension Duration {
    /// Milliseconds from an earlier time to this one; 0 when it is not later.
    fileprivate func milliseconds(after earlier: Duration) -> UInt64 { UInt64(max(0, (self - earlier).milliseconds)) }
}

extension InstanceOverview.Phase {
    fileprivate init(_ phase: InstanceMachine.Phase) {
        self =
            switch phase {
            case .stopped: .stopped
            case .finished: .finished
            case .backingOff: .backingOff
            case .starting: .starting
            case .probing: .probing
            case .ready: .ready
            case .draining: .draining
            case .stopping: .stopping
            case .killing: .killing
            case .emptying: .emptying
            }
    }
}

extension InstanceOverview.Role {
    fileprivate init(_ role: AppMachine.Role) {
        self =
            switch role {
            case .current: .current
            case .candidate: .candidate
            case .outgoing: .outgoing
            }
    }
}
