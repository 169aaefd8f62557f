internal import Config
internal import CLinux
internal import Glibc
internal import Machine

extension AppSupervisor {
    /// Executes one action of a machine.
    func perform(_ action: AppAction, app: ManagedApp) {
        switch action {
        case .spawn(let key, let release):
            guard spawnsLeft > 0 else { return spawnQueue.append((app.name, key, release)) }
            trySpawn(key, release: release, app: app)
        case .route(let key, let share):
            guard let instance = app.instances[key], let address = instance.address else { return }
            host.route(app: app.name, instance: key, address: address, share: share)
        case .unroute(let key):
            guard let instance = app.instances[key] else { return }
            guard let address = instance.address else {
                // It listens nowhere: no request is in flight.
                pending.append((app.name, key, .drained))
                return
            }
            host.unroute(app: app.name, instance: key, address: address)
        case .stop(let key, let signal, let killAfter):
            // The machine kills in time, and tells; the keeper only if nobody does.
            let time = UInt32(clamping: (killAfter + Self.keeperDelay).milliseconds)
            app.instances[key]?.channel?.send(.stop(signal: signal, killAfterMilliseconds: time))
        case .kill(let key):
            if let index = spawnQueue.firstIndex(where: { $0.app == app.name && $0.key == key }) {
                spawnQueue.remove(at: index)
                pending.append((app.name, key, .startFailed(StartFailure(step: .prepare, errorNumber: ECANCELED))))
                return
            }
            guard let instance = app.instances[key] else { return }
            if instance.channel?.send(.kill) != true { killRemains(of: instance, app: app) }
        case .forget(let key): forget(key, app: app)
        case .outlook(let outlook): host.outlook(app: app.name, outlook)
        case .report(let key, let report):
            follow(report, key, app: app)
            var (text, level) = report.line(app: app.name, now: host.now)
            if case .startFailed(let failure, _) = report, let key { text += culprit(of: failure, key, app) }
            if case .startTimedOut = report, let instance = key.flatMap({ app.instances[$0] }) {
                text += reasonUnready(of: instance, app).map { ": " + $0 } ?? ""
            }
            // Nothing was started: nothing is proven.
            if case .rollEnded(let release, .completed) = report, !app.machine.isRunning {
                text = "release \(release) is taken at the next start, unproven: the app is stopped"
            }
            switch (report, key) {
            case (.startFailed, let key?), (.startTimedOut, let key?): app.lastFailures[key.slot] = text
            case (.rollEnded(let number, _), nil):
                if app.runs(app.block) { app.refusedBlock = nil } else if number != app.machine.activeRelease { app.refusedBlock = text }
            case (.ready, let key?): app.lastFailures[key.slot] = nil
            default: break
            }
            tell(app, key, report, text: text, level: level)
        }
    }

    /// What a failed start was about: what the machine does not know.
    private func culprit(of failure: StartFailure, _ key: InstanceKey, _ app: ManagedApp) -> String {
        if let text = app.refusals.removeValue(forKey: key) { return ": " + text }
        let specification = app.instances[key].map { app.specification(of: $0.release) } ?? app.block
        let user = specification.user.map { " as user \"\($0)\"" } ?? ""
        switch failure.step {
        case .execute: return ": command \"\(specification.command.first ?? "")\"\(user)"
        case .directory: return ": directory \"\(specification.directory ?? "")\"\(user)"
        case .limits: return ": \(specification.openFilesTrouble ?? "nofile \(specification.openFilesMax ?? 0)")"
        case .user, .group, .groups: return specification.user.map { ": user \"\($0)\"" } ?? ""
        default: return ""
        }
    }

    /// Passes a line of history on.
    func tell(_ app: ManagedApp, _ key: InstanceKey?, _ report: AppReport, text: String, level: LogLevel) {
        let subject = key.map { "app \(app.name).\($0.slot)#\($0.serial)" } ?? "app \(app.name)"
        host.report(app: app.name, instance: key, report, text: "\(subject): \(text)", level: level)
    }

    /// What the driver itself has to do when something is reported.
    private func follow(_ report: AppReport, _ key: InstanceKey?, app: ManagedApp) {
        switch report {
        case .started:
            guard let key, let instance = app.instances[key] else { return }
            beginProbe(instance, app: app)
            changed()
        case .exited, .keeperLost:
            guard let key, let instance = app.instances[key] else { return }
            endProbe(instance, app: app)
            changed()
        case .ready:
            // READY=1 may have been quicker than the check, which starts from there.
            if let key, let instance = app.instances[key], let health = instance.healthCheck, let address = instance.address {
                host.beginHealthCheck(app: app.name, instance: key, address: address, health, isReady: true)
            }
            changed()
        case .soaking(let until): beginSoak(app, until: until)
        case .rollEnded(let release, let result):
            app.soak = nil
            rollEnded(app, release: release, result)
        default: break
        }
    }

    /// Why an instance could not be started, with words for it.
    struct Refusal: Error {
        var failure: StartFailure
        var text: String

        init(_ errorNumber: Int32, _ text: String) {
            failure = StartFailure(step: .prepare, errorNumber: errorNumber)
            self.text = text
        }
    }

    /// Starts those that wait, as many as fit in a turn of the loop.
    func spawnWaiting() {
        spawnsLeft = Self.spawnsPerTurn
        while spawnsLeft > 0, !spawnQueue.isEmpty {
            let (name, key, release) = spawnQueue.removeFirst()
            if let app = apps[name] { trySpawn(key, release: release, app: app) }
        }
    }

    private func trySpawn(_ key: InstanceKey, release: UInt32, app: ManagedApp) {
        spawnsLeft -= 1
        do throws(Refusal) {
            try spawn(key, release: release, app: app)
        } catch {
            app.refusals[key] = error.text
            pending.append((app.name, key, .startFailed(error.failure)))
        }
        changed()
    }

    /// Starts a keeper for an instance.
    private func spawn(_ key: InstanceKey, release: UInt32, app: ManagedApp) throws(Refusal) {
        let specification = app.specification(of: release)
        let account: AppAccount
        do throws(AppAccount.Unknown) {
            account = try AppAccount.find(user: specification.user, group: specification.group)
        } catch { throw Refusal(EINVAL, "unknown user or group \"\(error.name)\"") }
        let place = try place(for: key, specification, app: app, account: account)
        let instance = AppInstance(key: key, release: release, tag: makeTag(), expected: place.address)
        instance.port = place.port
        instance.user = account.identity?.user
        let environment: [String]
        do throws(AppEnvironment.Failure) {
            environment = try AppEnvironment.make(
                specification, account: account, address: place.environment, inherited: inherited,
                readFile: EnvironmentFileReader(account: account).read)
        } catch {
            giveBack(place: instance, app: app)
            throw Self.refusal(error)
        }
        // Two supervisors in one cgroup may have apps of one name: what one kills must not be the other's.
        let group = "goodgate-\(directories.name)-\(AppDirectories.fileName(app.name))-\(key.slot)-\(key.serial)"
        (instance.cgroups, instance.isLimited) = cgroups.make(name: group, memoryMax: specification.memoryMax)
        var instructions = instructions(specification, key: key, release: release, account: account)
        instructions.environment = environment
        instructions.cgroups = instance.cgroups
        instructions.listenerNames = place.listener == nil ? [] : ["http"]
        do throws(SystemError) {
            let log = specification.log?.path == AppSettings.Log.standardError ? standardError : nil
            let (channel, process) = try KeeperChannel.launch(
                executable: launcher, key: Self.random(), instructions: instructions,
                listeners: place.listener.map { [$0] } ?? [], log: log)
            instance.channel = channel
            instance.keeperProcess = process
        } catch {
            _ = CgroupTree.killAndRemove(instance.cgroups)
            giveBack(place: instance, app: app)
            throw Refusal(error.code, "its keeper \"\(launcher)\" could not be started \(error.text)")
        }
        app.instances[key] = instance
        instancesByTag[instance.tag] = (app.name, key)
        try watch(instance)
    }

    /// Listens to a keeper that was just started. One that cannot be heard must not start an app that nobody would know of; what it was
    /// given comes back when the machine forgets the instance.
    private func watch(_ instance: AppInstance) throws(Refusal) {
        guard let channel = instance.channel else { return }
        do throws(SystemError) {
            try poll.add(channel.descriptor, tag: instance.tag)
        } catch {
            channel.send(.kill)
            throw Refusal(error.code, "its keeper cannot be listened to \(error.text)")
        }
    }

    static func refusal(_ failure: AppEnvironment.Failure) -> Refusal {
        switch failure {
        case .unreadable(let path, let error):
            Refusal(error.code, "env_file \"\(path)\" cannot be read \(error.text)")
        case .unsuitable(let path, let reason): Refusal(EPERM, "env_file \"\(path)\" \(reason)")
        case .malformed(let path, let trouble): Refusal(EINVAL, "env_file \"\(path)\" \(trouble.text)")
        }
    }

    private static func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    private func instructions(
        _ specification: AppSpecification, key: InstanceKey, release: UInt32, account: AppAccount
    ) -> KeeperInstructions {
        var result = KeeperInstructions(
            name: specification.name, slot: UInt32(key.slot), arguments: specification.command,
            socketPath: directories.keeperSocket(app: specification.name, key: key, release: release))
        result.directory = specification.directory
        result.identity = account.identity
        result.creationMask = specification.creationMask
        if let files = specification.openFilesMax {
            result.limits.append(KeeperInstructions.Limit(resource: 7, soft: files, hard: files))
        }
        if let log = specification.log, log.path != AppSettings.Log.standardError {
            result.logPath = log.path
            result.logRotateBytes = log.rotateBytes
            result.logKeep = UInt64(log.keep)
        }
        if let watchdog = specification.watchdog {
            // The largest number of all means "never" to the app's side.
            let (time, isOver) = max(watchdog.milliseconds, 1).multipliedReportingOverflow(by: 1000)
            result.watchdogMicroseconds = UInt64(isOver ? .max : time)
        }
        result.stopSignal = specification.stopSignal
        result.stopTimeoutMilliseconds = UInt32(clamping: specification.stopTimeout.milliseconds)
        return result
    }

    /// Everything about an instance is known: its keeper may go, and what it had is free again.
    private func forget(_ key: InstanceKey, app: ManagedApp) {
        guard let instance = app.instances.removeValue(forKey: key) else { return }
        endProbe(instance, app: app)
        if let keeper = instance.keeperProcess { partingKeepers.insert(keeper) }
        // A keeper that never came to start the app leaves the groups that were made for it.
        if instance.process == 0 { _ = CgroupTree.killAndRemove(instance.cgroups) }
        if let channel = instance.channel {
            // Only now: what it wrote last is to be told after its end, and the keeper may answer at once.
            if instance.isEmptied, !isEnding { askLastWords(of: instance, app: app.name) }
            channel.send(.forget)
            if instance.lineReaders.isEmpty { poll.remove(channel.descriptor) } else { parting[instance.tag] = instance }
        } else {
            // A keeper that was killed leaves its socket.
            try? System.remove(directories.keeperSocket(app: app.name, key: key, release: instance.release))
        }
        instancesByTag[instance.tag] = nil
        rescueQueue(of: instance, app: app)
        giveBack(place: instance, app: app)
        changed()
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that a timer never comes too early.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, isOver) = product.addingReportingOverflow((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        return overflow || isOver ? .max : sum
    }
}
