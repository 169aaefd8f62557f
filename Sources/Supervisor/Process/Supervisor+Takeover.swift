internal import Config
internal import CLinux
internal import Messages

// Outliving the supervisor: each worker gets a socket on which it waits for the next one, and the next one takes over whom it finds.
extension Supervisor {
    /// Instances on their way out wait so long, in milliseconds, for workers whose requests this supervisor cannot count.
    static let formerDrainMax: UInt64 = 30_000

    /// Gives a new worker the socket by which it can be found when this process is gone.
    func giveSuccessorSocket(to worker: WorkerProcess) {
        guard let directories = stateDirectories else { return }
        let ticks = ProcessFacts.startTicks(of: worker.process) ?? 0
        let path = directories.workerSocket(process: worker.process, startTicks: ticks)
        do throws(SystemError) {
            try directories.prepareWorkers()
            let socket = try System.packetListener(at: path)
            worker.successorSocket = path
            worker.send(.successor, descriptors: [socket])
        } catch {
            guard !hasToldNoTakeover else { return }
            hasToldNoTakeover = true
            log.write(.warning, "should this process die, the next start cannot take over its workers: \"\(path)\" failed", error)
        }
    }

    /// Takes in those that the start found: orphans serve until our own workers do, the others are told of apps.
    /// - Returns: the orphans.
    func adoptFormerWorkers() -> [WorkerID] {
        for former in formerWorkers?.list ?? [] { add(former) }
        let orphans = (formerWorkers?.orphans ?? []).map(\.worker)
        if !orphans.isEmpty {
            let processes = orphans.map { String($0.process) }.joined(separator: " ")
            log.write(.notice, "taking over from a supervisor that is gone: worker processes \(processes)")
        }
        for worker in orphans { workers[worker.id] = worker }
        return orphans.map(\.id)
    }

    private func add(_ former: FormerWorker) {
        do throws(SystemError) {
            try listen(to: former.worker.channel, as: .worker(former.worker.id))
            tellApps(toFormer: former.worker)
        } catch {
            formerWorkers?.remove(former)
            // It is found again with the next look, five times a second.
            guard let others = failedTakeovers.tell(now: System.now) else { return }
            let more = others > 0 ? ", and \(others) more times before" : ""
            log.write(.alert, "worker process \(former.worker.process) cannot be taken over\(more)", error)
        }
    }

    /// Something came from a worker that another supervisor started.
    /// - Returns: false when it is none.
    func serveFormer(_ id: WorkerID, isHungUp: Bool) -> Bool {
        guard let former = formerWorkers?.list.first(where: { $0.worker.id == id }) else { return false }
        former.worker.flush()
        // Without this, the room that was asked for once would be reported for ever.
        watch(former.worker)
        if former.standing != .orphan {
            let wasSupervised = former.standing == .supervised
            let isThere = former.read()
            if former.standing == .orphan, wasSupervised, machine.isEnding {
                // The old binary died while this one was on its way out: the site is theirs until the next start.
                forget(former, isEnded: false)
            } else if former.standing == .orphan {
                log.write(.notice, "taking over worker process \(former.worker.process): its supervisor is gone")
                // What they listen on, this supervisor has already, or does not want.
                _ = former.takeSockets()
                workers[id] = former.worker
                post(.workerInherited(id))
            } else if !isThere {
                forget(former, isEnded: false)
            }
            return true
        }
        readReports(of: former.worker, most: isHungUp ? 4096 : 128)
        if isHungUp { forget(former, isEnded: true) }
        return true
    }

    private func forget(_ former: FormerWorker, isEnded: Bool) {
        ignore(former.worker.channel)
        formerWorkers?.remove(former)
        guard isEnded else { return }
        log.write(.notice, "worker process \(former.worker.process), which was taken over, exited")
        workerEnded(former.worker)
        post(.workerExited(former.worker.id, .code(0)))
    }

    /// A worker is gone: its place in our books, and its socket.
    func workerEnded(_ worker: WorkerProcess) {
        workers[worker.id] = nil
        if let path = worker.successorSocket { try? System.remove(path) }
    }

    /// Tells workers of the former generation, and those of the old binary, of all apps that are known.
    private func tellApps(toFormer worker: WorkerProcess) {
        guard let configuration = configurations[current] else { return }
        tellApps(to: worker, configuration) { self.routes[$0] != nil }
    }

    /// The workers of another binary that lives: this program is a guest of theirs.
    var othersWorkers: [WorkerProcess] { formerWorkers?.list.filter { $0.standing != .orphan }.map(\.worker) ?? [] }

    /// Finds the workers that another binary has started since the last look.
    func lookForOthers() {
        let known = Set((formerWorkers?.list ?? []).map(\.worker.process) + workers.values.map(\.process))
        for former in formerWorkers?.look(except: known) ?? [] { add(former) }
    }

    /// The other binary is gone. If it died, its workers serve on; each says so itself, and drains then as an older generation does.
    func otherBinaryIsGone() {
        guard machine.isEnding else { return lookForOthers() }
        guard leavesWorkers else { return }
        log.write(.warning, "the other binary died, its workers serve on: they and the apps are left to the next start")
    }

    /// An old binary that was killed left the file that says where it is.
    func removeOldPidFile() {
        guard let upgradedFrom, let path = oldPidFile, System.exists(path) else { return }
        PidFile.remove(path, of: upgradedFrom, log: log)
    }

    /// Tells the workers that other supervisors started what changed. Workers that the old binary has started since are found first.
    func tellFormer(of changed: Set<String>) {
        guard formerWorkers != nil, let configuration = configurations[current] else { return }
        if oldBinaryLives { lookForOthers() }
        for former in formerWorkers?.list ?? [] {
            tellApps(to: former.worker, configuration) { changed.contains($0) }
        }
    }

    /// The pid file is another one now, and the next start looks for our state by it.
    func aliasState(for configuration: PreparedConfiguration) {
        guard let directories = stateDirectories,
            let path = try? AppDirectories.path(for: configuration.settings.pidPath ?? loader.paths.configuration)
        else { return }
        do throws(SystemError) {
            try directories.alias(path)
        } catch {
            log.write(.warning, "after another start, workers and apps would not be found: symlink() \"\(path)\" failed", error)
        }
    }

    /// Whether the requests of other supervisors' workers may still run on an instance.
    func mayServeFormer(since: UInt64, now: UInt64) -> Bool {
        !(formerWorkers?.list.isEmpty ?? true) && now < since + Self.formerDrainMax
    }

    /// This supervisor ends, and others' workers serve on: those that it took over, because its own never came to it, or those of another
    /// binary. The apps are theirs and the next supervisor's, as if this one had been killed.
    var leavesWorkers: Bool {
        guard let formerWorkers else { return false }
        if machine.isRefused, !formerWorkers.orphans.isEmpty { return true }
        return machine.isEnding && formerWorkers.othersLive(besides: Set(workers.values.map(\.process)))
    }

    /// The first own generation serves: what only the former one listened on is closed.
    func closeFormerListeners(except kept: ListenerTable) {
        inheritedListeners?.removeSocketFiles(except: kept, log: log, tells: true)
        inheritedListeners = nil
    }
}
