internal import Config
internal import Glibc
package import Machine

/// What keepers say, and what is done when one is gone.
extension AppSupervisor {
    /// Reads everything that a keeper sent.
    func readKeeper(of instance: AppInstance, app: String) {
        guard let channel = instance.channel else { return }
        while let message = channel.receive() {
            switch message {
            case .state(let state): take(state, instance, app: app)
            case .lines(let memory, let count, let total): takeLines(memory, count, total, instance)
            case .listeners: break
            case .released:
                host.notice(app: "", text: "another supervisor has taken over the apps", level: .notice)
                return letGoOfAll()
            case .closed:
                poll.remove(channel.descriptor)
                instance.channel = nil
                giveUpReaders(of: instance)
                if !instance.isEmptied {
                    instance.isEmptied = true
                    pending.append((app, instance.key, .keeperLost))
                }
                return
            }
        }
    }

    /// Gives all apps up without touching them: they run on, and the next supervisor finds them. For a binary upgrade,
    /// before the new program starts; should that fail, or end, `configure` takes them back.
    package func handOver() {
        save()
        letGoOfAll()
    }

    private func letGoOfAll() {
        for app in apps.values {
            for instance in app.instances.values {
                if let channel = instance.channel { poll.remove(channel.descriptor) }
            }
        }
        for channel in lateKeepers.values { poll.remove(channel.descriptor) }
        for instance in parting.values { if let channel = instance.channel { poll.remove(channel.descriptor) } }
        lateKeepers = [:]
        parting = [:]
        apps = [:]
        instancesByTag = [:]
        pending = []
        spawnQueue = []
        saveAt = nil
        lastLasting = nil
        lostLasting = nil
        sampleAt = nil
        waitingBlocks = nil
        lock = nil
    }

    /// Turns a keeper's state into the events that are new, in the order in which they can have happened.
    private func take(_ state: KeeperState, _ instance: AppInstance, app: String) {
        let before = instance.state
        instance.state = state
        let key = instance.key
        func post(_ event: InstanceEvent) { pending.append((app, key, event)) }
        if state.changes.contains(.failed) {
            instance.isEmptied = true
            post(.startFailed(state.failure))
        }
        if state.changes.contains(.started), before?.appProcess != state.appProcess || before?.phase != .running {
            post(.started(processID: state.appProcess))
        }
        if state.changes.contains(.ready) {
            // Where it listens is not known yet: the notice is passed on when it is.
            if case .confirmed = instance.probe { post(.notified(.ready)) } else { instance.saidReady = true }
            if case .waiting(_, let attempts, let since) = instance.probe {
                instance.probe = .waiting(nextAt: host.now, attempts: attempts, elsewhereSince: since)
            }
        }
        if state.changes.contains(.reloading) { post(.notified(.reloading)) }
        if state.changes.contains(.watchdog) { post(.notified(.watchdog)) }
        if state.changes.contains(.stopping) { post(.notified(.stopping)) }
        if state.changes.contains(.exited) { post(.exited(state.exit)) }
        if state.changes.contains(.emptied) {
            instance.isEmptied = true
            post(.emptied)
        }
        if state.foreignNotices > 0, before?.foreignNotices ?? 0 == 0, let managed = apps[app] {
            let text = """
                a message to its NOTIFY_SOCKET was ignored: \
                it came from a process that it had not started or that had ended, or was longer than 4096 bytes
                """
            notice(managed, instance, text, .warning)
        }
        if state.changes.contains(.log), let managed = apps[app] { tellLogTrouble(state, key, managed) }
        if state.changes.contains(.emptied), state.processesLeft > 0, let managed = apps[app] {
            // One that was killed has left its processes without having forked away.
            let isItsOwnEnd = if case .status = state.exit.cause { true } else { false }
            notice(managed, instance, """
                \(state.processesLeft) processes that it had started were left and killed\
                \(isItsOwnEnd ? ": the command must stay the process it starts as" : "")
                """, .warning)
        }
    }

    private func tellLogTrouble(_ state: KeeperState, _ key: InstanceKey, _ app: ManagedApp) {
        let path = app.specification(of: app.instances[key]?.release ?? 0).log?.path ?? ""
        let subject = "app \(app.name).\(key.slot)#\(key.serial)"
        let text = state.logErrorNumber == 0
            ? "log \"\(path)\" is written again, \(state.linesDropped) lines were lost"
            : "log \"\(path)\" cannot be written \(SystemError(code: state.logErrorNumber).text): lines are dropped"
        host.notice(app: app.name, text: "\(subject): \(text)", level: state.logErrorNumber == 0 ? .notice : .error)
    }

    /// The answer to the question that was asked first.
    private func takeLines(_ memory: Descriptor?, _ count: UInt64, _ total: UInt32, _ instance: AppInstance) {
        guard !instance.lineReaders.isEmpty else { return }
        let bytes = count <= 1 << 20 ? memory.flatMap { System.readChunk($0, byteCount: Int(count)) } ?? [] : []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        instance.lineReaders.removeFirst()(InstanceLines(key: instance.key, release: instance.release, total: total, lines: lines))
    }

    /// The keeper is gone: nobody else will answer.
    private func giveUpReaders(of instance: AppInstance) {
        let readers = instance.lineReaders
        instance.lineReaders = []
        for reader in readers { reader(InstanceLines(key: instance.key, release: instance.release, total: 0, lines: [])) }
    }

    /// The last lines of an instance's output.
    package struct InstanceLines: Equatable, Sendable {
        /// Name of the spawn.
        package var key: InstanceKey
        /// Release it runs, or ran.
        package var release: UInt32
        /// Lines that it ever wrote, modulo 2^32: by the next answer's number one sees which lines are new.
        package var total: UInt32
        /// Oldest first, each with time, instance and stream.
        package var lines: [String]
    }

    /// The last lines of an app's instances: of those that run their keepers are asked.
    ///
    /// - Parameter reader: Called once per instance: at once for those that ended, the last of each slot; later for those that were asked,
    ///   with no lines if the keeper goes away meanwhile.
    /// - Returns: How often it is called.
    @discardableResult
    package func lastLines(app: String, count: UInt32, reader: @escaping (InstanceLines) -> Void) -> Int {
        var asked = 0
        guard let managed = apps[app] else { return 0 }
        for lines in managed.lastWords.values {
            asked += 1
            reader(InstanceLines(key: lines.key, release: lines.release, total: lines.total, lines: Array(lines.lines.suffix(Int(count)))))
        }
        for instance in managed.instances.values {
            guard let channel = instance.channel, channel.send(.lines(count)) else { continue }
            instance.lineReaders.append(reader)
            asked += 1
        }
        return asked
    }

    /// Lines of an instance that ended which are asked for.
    private static let lastWordsMax: UInt32 = 40

    /// An instance ended, whyever: what it wrote last is evidence, and goes with its keeper.
    func askLastWords(of instance: AppInstance, app: String) {
        guard let channel = instance.channel, channel.send(.lines(Self.lastWordsMax)) else { return }
        instance.lineReaders.append { [weak self] lines in
            guard let self, !lines.lines.isEmpty else { return }
            apps[app]?.lastWords[lines.key.slot] = lines
            host.lastLines(app: app, lines)
        }
    }

    /// Reads the last words of an instance that is forgotten already.
    func readParting(_ tag: UInt64) {
        guard let instance = parting[tag], let channel = instance.channel else { return }
        while let message = channel.receive() {
            switch message {
            case .lines(let memory, let count, let total): takeLines(memory, count, total, instance)
            case .closed: giveUpReaders(of: instance)
            default: continue
            }
            guard instance.lineReaders.isEmpty else { continue }
            poll.remove(channel.descriptor)
            parting[tag] = nil
            return
        }
    }

    /// Tells all keepers to open their logs anew (USR1).
    package func reopenLogs() {
        for app in apps.values { for instance in app.instances.values { instance.channel?.send(.reopenLog) } }
    }

    /// Kills what an instance left whose keeper is gone, again and again until nothing is there.
    func killRemains(of instance: AppInstance, app: ManagedApp) {
        instance.killRemainsAt = nil
        var isEmpty = CgroupTree.killAndRemove(instance.cgroups)
        if let state = instance.state, state.appProcess > 0, !isTaken(state) {
            // The session of the app; other descendants, which the keeper would have found, only the cgroup has.
            let family = ProcessFacts.family(app: state.appProcess, keeper: -1)
            for process in family where isOwn(process, app: state) {
                try? System.kill(process, signal: SIGKILL)
                isEmpty = false
            }
        }
        if isEmpty {
            pending.append((app.name, instance.key, .emptied))
        } else {
            instance.killRemainsAt = host.now + instance.killRemainsPause
            instance.killRemainsPause = min(instance.killRemainsPause * 2, .seconds(1))
        }
    }

    /// Whether the number of the app's process is somebody else's by now, whose children are none of ours. A number is not
    /// given away while its session has members, so there are none.
    private func isTaken(_ state: KeeperState) -> Bool {
        ProcessFacts.startTicks(of: state.appProcess).map { $0 != state.appStartTicks } ?? false
    }

    /// Whether a process is of this instance and not a later one with the same number.
    private func isOwn(_ process: Int32, app state: KeeperState) -> Bool {
        guard let ticks = ProcessFacts.startTicks(of: process) else { return false }
        return process == state.appProcess ? ticks == state.appStartTicks : ticks >= state.appStartTicks
    }
}
