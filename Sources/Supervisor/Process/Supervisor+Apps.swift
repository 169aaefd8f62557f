internal import Board
internal import Config
internal import CLinux
internal import Machine
internal import Messages

// The apps of the configuration: started before the workers, told to the workers, stopped after them.
extension Supervisor {
    /// Time in which all workers have surely read that an instance gets nothing new, in milliseconds.
    private static let unrouteDelay: UInt64 = 100
    /// How often the board is asked whether an instance on its way out is idle, in milliseconds.
    private static let drainInterval: UInt64 = 50
    /// How often workers that the old binary has started since are looked for, in milliseconds: that one does not know where the apps
    /// are now.
    private static let lookInterval: UInt64 = 200

    /// Puts the apps of the configuration in force: at the start, and after each reload. Unchanged ones are not touched.
    func configureApps() {
        // A new binary has them.
        guard newBinary == nil else { return }
        guard let settings = configurations[current]?.settings else { return }
        guard let directory = stateDirectories?.root else {
            let text = "apps cannot be supervised: there was no place for their state when this process started"
            if !settings.apps.isEmpty { log.write(.emergency, text) }
            return
        }
        // Without apps there may still be some of a former configuration.
        guard apps != nil || !settings.apps.isEmpty || System.exists(directory + "/keepers") else { return }
        do throws(SystemError) {
            if apps == nil {
                let new = try AppSupervisor(
                    host: self, stateDirectory: directory, lastingDirectory: AppDirectories.lastingPath(for: directory),
                    launcher: executables.directory + "goodgate-launch")
                try listen(to: new.poll.descriptor, as: .apps)
                apps = new
            }
            let former = configurations.values.lazy.flatMap(\.settings.appUpstreams).map(\.app)
            apps?.configure(settings.apps, keeping: Set(former))
        } catch {
            log.write(.emergency, "apps cannot be supervised: directory \"\(directory)\" failed", error)
        }
        flushNews()
    }

    /// Lets the apps run on without this supervisor: a new binary takes them over.
    func leaveApps() {
        guard let apps else { return }
        ignore(apps.poll.descriptor)
        apps.handOver()
        self.apps = nil
        for instance in Array(checkedInstances.keys) { uncheck(instance) }
    }

    /// When there is something to do for the apps, in milliseconds.
    var appsDeadline: UInt64? {
        guard let apps else { return nil }
        var next = apps.deadline.map { UInt64(clamping: $0.milliseconds) }
        if oldBinaryLives { next = min(next ?? .max, lookAt) }
        for instance in routes.values.lazy.flatMap(\.instances) where instance.leavingSince != nil {
            next = min(next ?? .max, System.now + Self.drainInterval)
        }
        return next
    }

    /// Does what is due for the apps.
    func serveApps() {
        guard let apps else { return }
        // Before the successor of a dead instance is started: that takes some milliseconds.
        flushNews()
        if let deadline = apps.deadline, deadline <= now { apps.timerFired() }
        checkDrains()
        if oldBinaryLives, System.now >= lookAt {
            lookAt = System.now + Self.lookInterval
            lookForOthers()
        }
        flushNews()
        if let status = statusAfterApps, apps.isGone { exitStatus = status }
    }

    /// The workers are gone: the apps are stopped, unless another binary supervises them from now on.
    func end(_ status: Int32) {
        if !isLast, bond?.resign() == true { hasOutlastedOther = true }
        if hasOutlastedOther, newBinary != nil, !leavesWorkers {
            // It cannot be asked any more to stop the apps, and has them until it is gone.
            statusAfterNewBinary = status
            return post(.newBinaryEnding)
        }
        guard let apps, isLast, !apps.isGone else {
            exitStatus = status
            return
        }
        guard statusAfterApps == nil else { return }
        statusAfterApps = status
        log.write(.notice, "stopping apps")
        apps.stopAll()
        serveApps()
    }

    /// What is left of the apps ends now.
    func killApps() {
        guard let apps, statusAfterApps != nil, !apps.isGone else { return }
        log.write(.notice, "killing apps")
        apps.killAll()
        serveApps()
    }

    /// Tells a new worker of the apps of its configuration.
    func tellApps(to worker: WorkerProcess, _ configuration: PreparedConfiguration, where isWanted: (String) -> Bool = { _ in true }) {
        // Workers of another supervisor have another board.
        let board = worker.generation == 0 ? nil : configuration.board
        for (upstream, app) in configuration.settings.appUpstreams where isWanted(app) {
            for part in news(app: app, upstream: upstream, board).packets { worker.send(.upstream(part)) }
        }
        watch(worker)
    }

    /// Tells the workers what changed. In one message, so that no worker sees a dead instance without what comes after it.
    func flushNews() {
        guard !changedApps.isEmpty else { return }
        let changed = changedApps
        changedApps = []
        for worker in workers.values {
            guard let configuration = configurations[worker.generation] else { continue }
            tellApps(to: worker, configuration) { changed.contains($0) }
        }
        tellFormer(of: changed)
    }

    private func news(app: String, upstream: String, _ board: BoardMemory?) -> UpstreamNews {
        (routes[app] ?? AppRoute()).news(app: app, upstream: upstream, now: System.now) { address in
            board?.place(for: PeerKey(upstream: upstream, address: address.listenKey))
        }
    }

    /// Instances without a request in flight may go.
    private func checkDrains() {
        let time = System.now
        for (app, route) in routes {
            for instance in route.instances {
                guard let since = instance.leavingSince, time >= since + Self.unrouteDelay || workers.isEmpty,
                    connections(to: instance.address, app: app) == 0, !mayServeFormer(since: since, now: time)
                else { continue }
                routes[app]?.instances.removeAll { $0.key == instance.key }
                changedApps.insert(app)
                apps?.drained(app: app, instance: instance.key)
            }
        }
        if !changedApps.isEmpty { freePlaces() }
    }

    /// Requests in flight to an instance, in all workers of all generations.
    private func connections(to address: NetworkAddress, app: String) -> Int64 {
        places(of: address, app: app).reduce(0) { $0 + $1.board.connections(to: $1.peer) }
    }

    /// Where an instance stands: for each upstream, on each board, once.
    private func places(of address: NetworkAddress, app: String) -> [(board: BoardMemory, peer: PeerKey)] {
        let names = configurations.values.flatMap(\.settings.appUpstreams).filter { $0.app == app }.map { $0.upstream }
        let peers = Set(names).map { PeerKey(upstream: $0, address: address.listenKey) }
        return boards.flatMap { board in peers.map { (board: board, peer: $0) } }
    }

    /// The peers of a board that came at run time: instances of apps, and what names stand for.
    func livePeers(on board: BoardMemory?) -> [PeerKey] {
        var peers: [PeerKey] = []
        for configuration in configurations.values where configuration.board === board {
            peers += configuration.foundPeers
            for (upstream, app) in configuration.settings.appUpstreams {
                for instance in routes[app]?.instances ?? [] {
                    peers.append(PeerKey(upstream: upstream, address: instance.address.listenKey))
                }
            }
        }
        return peers
    }

    /// Gives the board's places of gone instances back.
    private func freePlaces() {
        for board in boards { keepPlaces(on: board) }
    }

    /// What no living generation knows leaves a board.
    func keepPlaces(on board: BoardMemory) {
        board.keep(only: configurations.values.filter { $0.board === board }.flatMap(\.settings.peers) + livePeers(on: board))
    }
}

extension Supervisor: AppHost {
    var now: Duration { .milliseconds(System.now) }

    func route(app: String, instance: InstanceKey, address: NetworkAddress, share: RouteShare) {
        routes[app, default: AppRoute()].route(instance, address, share)
        changedApps.insert(app)
    }

    func unroute(app: String, instance: InstanceKey, address: NetworkAddress) {
        routes[app, default: AppRoute()].unroute(instance, address, now: System.now)
        changedApps.insert(app)
    }

    func tookOver(_ instances: [String: Set<InstanceKey>]) {
        for app in Array(routes.keys) where routes[app]?.unroute(except: instances[app] ?? [], now: System.now) == true {
            changedApps.insert(app)
        }
    }

    func outlook(app: String, _ outlook: AppOutlook) {
        routes[app, default: AppRoute()].outlook = outlook
        changedApps.insert(app)
    }

    func rescued(app: String, address: NetworkAddress, peers: [NetworkAddress]) {
        // First that the instance is gone, so that nothing goes back there.
        flushNews()
        let keys = peers.map(\.listenKey)
        for start in stride(from: 0, to: keys.count, by: RescuedConnections.peersMax) {
            let part = Array(keys[start..<min(start + RescuedConnections.peersMax, keys.count)])
            for worker in Array(workers.values) + othersWorkers {
                worker.send(.rescued(RescuedConnections(address: address.listenKey, peers: part)))
                watch(worker)
            }
        }
    }

    func beginHealthCheck(app: String, instance: InstanceKey, address: NetworkAddress, _ health: AppHealth, isReady: Bool) {
        let name = InstanceName(app: app, slot: UInt16(clamping: instance.slot), serial: instance.serial)
        let settings = InstanceCheck.Settings(
            uri: health.uri, interval: UInt64(clamping: health.interval.milliseconds),
            timeout: UInt64(clamping: health.timeout.milliseconds), passes: UInt32(clamping: health.passes),
            fails: UInt32(clamping: health.fails), match: health.match)
        check(name, at: address, isReady ? .healthy : .unproven, settings)
    }

    func endHealthCheck(app: String, instance: InstanceKey) {
        uncheck(InstanceName(app: app, slot: UInt16(clamping: instance.slot), serial: instance.serial))
    }

    func counts(app: String, instance: InstanceKey, address: NetworkAddress) -> SoakComparison.Counts {
        var counts = SoakComparison.Counts()
        for (board, peer) in places(of: address, app: app) {
            let account = board.account(of: peer)
            counts.requests &+= account.attempts
            counts.failures &+= account.broken
        }
        return counts
    }

    func report(app: String, instance: InstanceKey?, _ report: AppReport, text: String, level: LogLevel) {
        log.write(level, text)
        var event = AppEvent(report, app: app, instance: instance, text: text, level: level, time: System.wallClock, now: now)
        if let instance, let known = apps?.apps[app]?.instances[instance] {
            event.release = known.release
            if event.process == 0 { event.process = known.process }
        }
        tell(event)
    }

    func lastLines(app: String, _ lines: AppSupervisor.InstanceLines) {
        tell(AppLines(lines), of: app)
    }

    func notice(app: String, text: String, level: LogLevel) {
        log.write(level, text)
        tell(AppEvent(time: System.wallClock, kind: .notice, app: app, level: level.rawValue, text: text))
    }
}
