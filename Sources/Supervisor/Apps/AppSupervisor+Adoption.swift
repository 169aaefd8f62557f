internal import Config
internal import Glibc
internal import Machine

/// Taking over instances that a former supervisor started: by their keepers' sockets, checked against the boot, the
/// process identifier and its start time. Nothing is doubled, nothing is restarted without need.
extension AppSupervisor {
    /// A keeper that answered.
    struct FoundKeeper {
        /// As in the name of its socket (`AppDirectories.fileName`).
        var app: Substring
        var key: InstanceKey
        var release: UInt32
        var path: String
        var channel: KeeperChannel
        var state: KeeperState
        var listeners: [Descriptor]
    }

    /// Time for the first words of all keepers together, in milliseconds: no worker starts before it is over.
    private static let answerTime: UInt64 = 4000

    /// Connects to all keepers whose sockets are there, and waits until each has answered or the time is over. Sockets without a keeper
    /// are removed.
    func findKeepers() -> [FoundKeeper] {
        var asked: [(path: String, channel: KeeperChannel)] = []
        for path in System.glob(directories.keepers + "/*") where AppDirectories.parse(socket: path) != nil {
            do throws(SystemError) {
                let channel = try KeeperChannel.connect(path: path)
                // With `listen fd` it has kept the listener, so that this one still outlives the instance.
                channel.send(.listeners)
                asked.append((path, channel))
            } catch {
                // Nobody accepts: the keeper is dead, and its app with it.
                if error.code == ECONNREFUSED { try? System.remove(path) }
            }
        }
        let deadline = System.now + Self.answerTime
        var found: [FoundKeeper] = []
        for (path, channel) in asked {
            guard let name = AppDirectories.parse(socket: path) else { continue }
            guard let (state, listeners) = Self.firstWords(of: channel, until: deadline) else {
                putOff(channel, path: path)
                continue
            }
            found.append(
                FoundKeeper(
                    app: name.app, key: name.key, release: name.release, path: path, channel: channel, state: state, listeners: listeners))
        }
        return found
    }

    /// A keeper that does not answer now. Its instance may run, but nobody can wait for it: another one is started, and
    /// this one is ended when its keeper comes back to its senses.
    private func putOff(_ channel: KeeperChannel, path: String) {
        host.notice(app: "", text: "keeper at \"\(path)\" does not answer: its instance is not taken over", level: .error)
        let tag = makeTag()
        lateKeepers[tag] = channel
        try? poll.add(channel.descriptor, tag: tag)
    }

    /// Something came from a keeper that was not taken over.
    func serveLateKeeper(_ tag: UInt64) {
        guard let channel = lateKeepers.removeValue(forKey: tag) else { return }
        poll.remove(channel.descriptor)
        channel.send(.kill)
        channel.send(.forget)
    }

    /// What a keeper says at first: its state, and the listeners it has kept. nil: it does not answer.
    private static func firstWords(of channel: KeeperChannel, until deadline: UInt64) -> (KeeperState, [Descriptor])? {
        var state: KeeperState?
        while true {
            switch channel.receive() {
            case .state(let told): state = told
            case .listeners(let sockets):
                if let state { return (state, sockets) }
            case .lines: continue
            case .released, .closed: return nil
            case nil:
                let now = System.now
                let time = now < deadline ? Int32(clamping: deadline - now) : 0
                guard System.waitReadable(channel.descriptor.number, milliseconds: time) else { return state.map { ($0, []) } }
            }
        }
    }

    /// What the state file has of a keeper's instance.
    private static func record(of keeper: FoundKeeper, saved: AppState.App?) -> AppState.Instance? {
        saved?.instances.first { $0.serial == keeper.key.serial && $0.process == keeper.state.appProcess }
    }

    /// Of two instances in one slot the first that is taken over stays, the other one goes, unless it is the candidate of a roll that goes
    /// on. What the roll had come to is kept: the active release; if both are of it, one that is ready, the newer of two; if none is, the
    /// older.
    static func inOrder(_ keepers: [FoundKeeper], active: UInt32, saved: AppState.App?) -> [FoundKeeper] {
        func rank(_ keeper: FoundKeeper) -> (Int, Int, Int64) {
            let isEnding = keeper.state.isStopping || keeper.state.isStopOrdered
            let isReady = (record(of: keeper, saved: saved)?.isReady ?? keeper.state.isReady) && !isEnding
            let serial = Int64(keeper.key.serial)
            return (keeper.release == active ? 0 : 1, isReady ? 0 : 1, isReady ? -serial : serial)
        }
        return keepers.map { (rank($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Takes one instance over, or lets its keeper go if there is nothing to take.
    func adopt(_ keeper: FoundKeeper, saved: AppState.App?, app: ManagedApp) {
        let state = keeper.state
        guard state.phase == .running, ProcessFacts.startTicks(of: state.appProcess) == state.appStartTicks else {
            tellEnd(of: keeper, app: app, isExpected: saved?.isRunning == false)
            letGo(keeper)
            return
        }
        let record = Self.record(of: keeper, saved: saved)
        if app.releases[keeper.release] == nil {
            app.add(AppState.Release(number: keeper.release, of: app.block))
        }
        let address = record.flatMap { NetworkAddress(listenKey: $0.address) } ?? place(of: keeper, app: app)
        let instance = AppInstance(key: keeper.key, release: keeper.release, tag: makeTag(), expected: address)
        instance.channel = keeper.channel
        instance.state = state
        instance.user = Self.user(of: app.specification(of: keeper.release))
        instance.cgroups = record?.cgroups ?? []
        if let memoryMax = app.specification(of: keeper.release).memoryMax {
            instance.isLimited = CgroupTree.limit(instance.cgroups, memoryMax: memoryMax)
        }
        if let port = address?.port {
            ports.reserve(port)
            // A listener keeps its port when the instance goes; without one the instance gives it back.
            if !takeListener(of: keeper, app: app, port: port) { instance.port = port }
        }
        app.instances[keeper.key] = instance
        instancesByTag[instance.tag] = (app.name, keeper.key)
        try? poll.add(keeper.channel.descriptor, tag: instance.tag)
        let listens = app.specification(of: keeper.release).listen != .nowhere
        // Without a record it is not known that it listens where it was told to: that is looked at first.
        let isEnding = state.isStopOrdered
        let isReady = !isEnding && (!listens || record?.isReady == true && !state.isStopping && address != nil)
        instance.saidReady = state.isReady
        instance.probe = isEnding ? .idle : isReady ? .confirmed : .waiting(nextAt: host.now, attempts: 0, elsewhereSince: nil)
        let key = keeper.key
        let restarts = record?.restarts ?? 0
        let policy = InstancePolicy(app.specification(of: keeper.release))
        let isCandidate = keeper.release != app.machine.activeRelease && keeper.release == saved?.roll?.release
        act(app) { machine, now, actions in
            machine.adopt(
                key, release: keeper.release, policy: policy, isCandidate: isCandidate, processID: state.appProcess,
                lastExit: record?.lastExit, isReady: isReady, isEnding: isEnding, restarts: restarts,
                runtime: .nanoseconds(Int64(clamping: state.runtimeNanoseconds)), now: now, actions: &actions)
        }
        followHealth(of: instance, app: app, isReady: isReady)
        notice(app, instance, "process \(state.appProcess) was taken over", .notice)
    }

    /// Of a user that is not there any more, nothing is known: no file is his.
    private static func user(of specification: AppSpecification) -> UInt32? {
        guard let account = try? AppAccount.find(user: specification.user, group: nil) else { return .max }
        return account.identity?.user
    }

    /// `listen fd`: what the keeper has kept is the slot's again.
    /// - Returns: false when there is nothing to take.
    private func takeListener(of keeper: FoundKeeper, app: ManagedApp, port: UInt16) -> Bool {
        guard case .descriptor = app.specification(of: keeper.release).listen, let socket = keeper.listeners.first,
            let address = try? System.localAddress(of: socket.number)
        else { return false }
        app.listeners[keeper.key.slot, default: []].append(
            SlotListener(socket: socket, address: address, port: port, user: keeper.key))
        return true
    }

    /// Without a record in the state file: where an instance was told to listen. nil: nowhere, or that is not known.
    private func place(of keeper: FoundKeeper, app: ManagedApp) -> NetworkAddress? {
        switch app.specification(of: keeper.release).listen {
        case .nowhere: nil
        case .fixed(let address): SocketTable.dialable(address)
        case .unix: .unix(Array(directories.appSocket(app: app.name, key: keeper.key).utf8))
        case .descriptor: keeper.listeners.first.flatMap { try? System.localAddress(of: $0.number) }
        case .port:
            (keeper.state.port ?? ProcessFacts.variable("PORT", of: keeper.state.appProcess).flatMap { UInt16($0) })
                .map { .ipv4(0x7F00_0001, port: $0) }
        }
    }

    /// Where an instance listens of which nothing says where it should. nil if it does not yet.
    func listeningPlace(of state: KeeperState) -> NetworkAddress? {
        let family = ProcessFacts.family(app: state.appProcess, keeper: state.keeperProcess)
        let inodes = family.reduce(into: Set<UInt64>()) { $0.formUnion(ProcessFacts.socketInodes(of: $1)) }
        let nowhere = NetworkAddress.ipv4(0x7F00_0001, port: 0)
        if case .elsewhere(let address) = SocketTable.read().verdict(expected: nowhere, own: inodes) { return address }
        return nil
    }

    /// Ends keepers of apps that no block names any more.
    func endStrangers(_ found: [FoundKeeper], known names: Set<String>) {
        let files = Set(names.map { AppDirectories.fileName($0) })
        for keeper in found where !files.contains(String(keeper.app)) {
            host.notice(
                app: "", text: "app \"\(keeper.state.name)\" is in no block any more: process \(keeper.state.appProcess) is stopped",
                level: .notice)
            // It knows the app's own stop_signal and stop_timeout, which this supervisor has never heard of.
            try? System.kill(keeper.state.keeperProcess, signal: SIGTERM)
            keeper.channel.send(.forget)
        }
    }

    /// It ended while there was no supervisor: its end is told, and what it wrote last.
    private func tellEnd(of keeper: FoundKeeper, app: ManagedApp, isExpected: Bool) {
        let state = keeper.state
        guard state.phase == .exited || state.phase == .empty else { return }
        let runtime = Duration.nanoseconds(Int64(clamping: state.runtimeNanoseconds))
        let report = AppReport.exited(state.exit, runtime: runtime, expected: isExpected)
        let (text, level) = report.line(app: app.name, now: host.now)
        tell(app, keeper.key, report, text: text + ", while there was no supervisor", level: level)
        let instance = AppInstance(key: keeper.key, release: keeper.release, tag: makeTag(), expected: nil)
        instance.channel = keeper.channel
        askLastWords(of: instance, app: app.name)
        guard !instance.lineReaders.isEmpty, (try? poll.add(keeper.channel.descriptor, tag: instance.tag)) != nil else { return }
        parting[instance.tag] = instance
    }

    /// The app of this keeper is over, or not yet begun.
    private func letGo(_ keeper: FoundKeeper) {
        keeper.channel.send(.kill)
        keeper.channel.send(.forget)
    }
}
