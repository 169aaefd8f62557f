internal import Config
internal import CLinux
internal import Glibc
internal import Messages

extension Supervisor {
    /// Does what the machine decided, in order.
    func perform(_ actions: [SupervisorAction]) {
        for action in actions {
            switch action {
            case .log(let level, let text): log.write(level, text)
            case .spawn(let id, let generation, let place, let column): spawn(id, generation: generation, place: place, column: column)
            case .drain(let id, let deadline): send(.drain(deadlineMilliseconds: deadline), to: id)
            case .stop(let id): send(.stop, to: id)
            case .kill(let id): kill(id)
            case .beginChecks(let id, let term): beginChecks(id, term: term)
            case .endChecks(let id): send(.endChecks, to: id)
            case .releaseColumn(let column): releaseColumn(column)
            case .loadConfiguration: loadConfiguration()
            case .commitConfiguration(let generation): commit(generation)
            case .discardConfiguration(let generation): discard(generation)
            case .releaseGeneration(let generation): release(generation)
            case .reopenLogs: reopenLogs()
            case .startNewBinary: startNewBinary()
            case .drainNewBinary: drainNewBinary()
            case .stopNewBinary: signalNewBinary(SIGTERM)
            case .killNewBinary: signalNewBinary(SIGKILL)
            case .restorePidFile: restorePidFile()
            case .closeListeners: closeListeners()
            case .killApps: killApps()
            case .exit(let status): end(status)
            }
        }
    }

    // MARK: - Workers

    private func spawn(_ id: WorkerID, generation: Int, place: Int, column: Int) {
        if configurations[generation] == nil, let loaded {
            configurations[generation] = loaded
            self.loaded = nil
        }
        guard let configuration = configurations[generation], let board = configuration.board else { return post(.spawnFailed(id)) }
        do throws(SystemError) {
            let (ours, theirs) = try System.packetPair()
            let process = try System.spawn(
                System.Program(
                    executable: executables.worker, path: executables.workerPath, arguments: ["\(identity.name): worker process"],
                    environment: configuration.settings.workerEnvironment(from: System.environment),
                    directory: configuration.settings.workingDirectory, channel: theirs,
                    descriptorsMax: configuration.settings.workerFileLimit, coreBytesMax: configuration.settings.workerCoreSizeLimit))
            log.write(.notice, "start worker process \(process)")
            let worker = WorkerProcess(
                id: id, generation: generation, place: place, column: column, process: process, channel: ours)
            add(worker)
            instruct(worker, configuration, board)
        } catch {
            log.write(.alert, "starting \"\(executables.workerPath)\" failed", error)
            post(.spawnFailed(id))
        }
    }

    /// Tells a new worker all it needs.
    private func instruct(_ worker: WorkerProcess, _ configuration: PreparedConfiguration, _ board: BoardMemory) {
        let count = configuration.settings.workerCount
        worker.send(
            .hello(
                WorkerHello(
                    workerIndex: UInt16(clamping: worker.place), workerCount: UInt16(clamping: count),
                    boardColumn: UInt16(clamping: BoardMemory.boardColumn(worker.column)), boardBytes: UInt64(board.size),
                    generation: UInt32(clamping: worker.generation), supervisorProcess: System.process,
                    startedAsNginx: identity.isNginx, prefix: loader.paths.prefix, configurationPath: loader.paths.configuration,
                    globals: loader.options.globals ?? "", errorLogPath: loader.paths.errorLog.isEmpty ? "stderr" : loader.paths.errorLog)),
            descriptors: [configuration.bundle, board.descriptor])
        var sockets: [(name: String, descriptor: Descriptor)] = []
        for listener in configuration.listeners.listeners {
            for (index, socket) in listener.sockets.enumerated()
            where listener.sockets.count == 1 || index % count == worker.place {
                sockets.append((listener.key, socket))
            }
        }
        worker.send(sockets) { .listeners($0) }
        sendLogs(to: worker, configuration)
        sendZones(to: worker, configuration)
        worker.send(configuration.peerPlaces)
        tellApps(to: worker, configuration)
        for drain in drains { worker.send(.drainServer(drain)) }
        tellVerdicts(to: worker)
        sessions.prepare(configuration.settings.sessionZones, now: System.now)
        sessions.forEachPart(of: configuration.settings.sessionZones, now: System.now) { worker.send(.sessions($0)) }
        giveSuccessorSocket(to: worker)
        worker.send(.run(configuration.identity))
        watch(worker)
    }

    /// Without its memory a zone counts in each worker alone: better than not to start.
    private func sendZones(to worker: WorkerProcess, _ configuration: PreparedConfiguration) {
        do throws(SystemError) {
            let zones = try limitZones.memories(for: configuration.settings.limitZones)
            worker.send(zones.map { (name: $0.zone.label, descriptor: $0.descriptor) }) { .zones($0) }
        } catch {
            log.write(.alert, "memfd_create() failed: zones of limit_req and limit_conn are not shared", error)
        }
    }

    private func sendLogs(to worker: WorkerProcess, _ configuration: PreparedConfiguration) {
        let logs = configuration.settings.logPaths.compactMap { path in configuration.logs[path].map { (name: path, descriptor: $0) } }
        worker.send(logs) { .logs($0) }
    }

    /// Tells the other workers of a session. News for a worker that does not keep up are dropped: they are told again after a while.
    func relay(_ session: StickySession, from teller: WorkerProcess) {
        guard sessions.learn(session, now: System.now) else { return }
        for worker in workers.values where worker !== teller && !worker.isFarBehind {
            worker.send(.sessions([session]))
            watch(worker)
        }
    }

    func send(_ command: WorkerCommand, to id: WorkerID) {
        guard let worker = workers[id] else { return }
        worker.send(command)
        watch(worker)
    }

    private func kill(_ id: WorkerID) {
        if let worker = workers[id] { kill(worker, because: "does not end") }
    }

    func kill(_ worker: WorkerProcess, because reason: String) {
        log.write(.alert, "worker process \(worker.process) \(reason): killing it")
        if let former = formerWorkers?.list.first(where: { $0.worker.id == worker.id }) { return former.kill() }
        try? System.kill(worker.process, signal: SIGKILL)
    }

    // MARK: - Configurations

    private func loadConfiguration() {
        guard let now = configurations[current] else { return post(.configurationRejected) }
        tellReloading()
        do throws(PreparationError) {
            let parsed = try loader.parse()
            let prepared = try loader.prepare(parsed, reusing: now.listeners, isTest: false, pause: sleepServingApps)
            do throws(SystemError) {
                try prepared.takeBoard(after: now)
            } catch {
                log.write(.emergency, "memfd_create() failed", error)
                undo(prepared, hasPidFile: false)
                throw PreparationError()
            }
            if let path = prepared.settings.pidPath, path != now.settings.pidPath {
                do throws(PreparationError) {
                    try PidFile.write(path, process: System.process, log: log)
                } catch {
                    undo(prepared, hasPidFile: false)
                    throw error
                }
            }
            loaded = prepared
            post(.configurationLoaded(prepared.settings.plan))
        } catch {
            tellReady("; the new configuration was rejected, see the error log")
            post(.configurationRejected)
        }
    }

    /// The new generation serves: the supervisor's logs and sockets become those of its configuration.
    private func commit(_ generation: Int) {
        guard let new = configurations[generation] else { return }
        let old = generation == current ? nil : configurations[current]
        current = generation
        log.sinks = new.errorLogSinks
        redirectStandardError(to: new)
        closeFormerListeners(except: new.listeners)
        defer { tellReady() }
        defer {
            if old != nil {
                configureApps()
                configureControl()
            }
        }
        guard let old else { return }
        old.listeners.removeSocketFiles(except: new.listeners, log: log, tells: true)
        // What is not listened on any more is refused from now on; sockets that stay are the new configuration's as well.
        old.closeListeners()
        if let path = old.settings.pidPath, path != new.settings.pidPath { PidFile.remove(path, log: log) }
        if old.settings.pidPath != new.settings.pidPath { aliasState(for: new) }
    }

    /// A worker ended: its share of the board is closed. Its board is found by the generations that live; an unknown one is gone already.
    private func releaseColumn(_ column: Int) {
        for board in boards { board.release(column: column, checkTerm: machine.checkTerm) }
        limitZones.release(column: BoardMemory.boardColumn(column), log: log)
    }

    /// Nobody of a generation is left: peers that only it knew leave the board.
    private func release(_ generation: Int) {
        // The last configuration in force knows the pid file and the sockets until the end.
        guard generation != current, let gone = configurations.removeValue(forKey: generation) else { return }
        if gone.settings.appUpstreams.contains(where: { apps?.apps[$0.app]?.isKept == true }) { configureApps() }
        if let board = gone.board, boards.contains(where: { $0 === board }) { keepPlaces(on: board) }
        sessions.keep(only: configurations.values.flatMap(\.settings.sessionZones))
        limitZones.keep(only: configurations.values.flatMap(\.settings.limitZones))
    }

    /// A configuration does not come into force. Workers that have requests need what it says of apps, logs and peers until they go.
    private func discard(_ generation: Int) {
        let given = configurations[generation] ?? loaded
        loaded = nil
        if !machine.isEnding { tellReady("; the workers of the new configuration did not start, see the error log") }
        guard let given else { return }
        undo(given)
        given.closeListeners()
    }

    /// Removes the files of a configuration that does not come into force.
    private func undo(_ given: PreparedConfiguration, hasPidFile: Bool = true) {
        guard let now = configurations[current] else { return }
        given.listeners.removeSocketFiles(except: now.listeners, log: log, tells: false)
        guard hasPidFile, let path = given.settings.pidPath, path != now.settings.pidPath else { return }
        PidFile.remove(path, log: log)
    }

    /// Waits for an address to become free, and serves the apps meanwhile: nothing may be sent to a dead instance for seconds.
    private func sleepServingApps(milliseconds: Int32) {
        let end = System.now + UInt64(milliseconds)
        while let apps {
            let now = System.now
            guard now < end else { return }
            let due = max(now, min(end, appsDeadline ?? end))
            if System.waitReadable(apps.descriptor, milliseconds: Int32(clamping: due - now)) { apps.serve() }
            serveApps()
        }
        let now = System.now
        if now < end { System.sleep(milliseconds: Int32(clamping: end - now)) }
    }

    /// Standard error goes where the error log goes.
    func redirectStandardError(to configuration: PreparedConfiguration) {
        guard let file = configuration.standardError else { return }
        do throws(SystemError) {
            try System.replace(2, with: file.number)
        } catch {
            log.write(.alert, "dup2(STDERR) failed", error)
        }
    }

    private func reopenLogs() {
        var opened: [String: Descriptor] = [:]
        for configuration in configurations.values {
            for path in configuration.settings.logPaths where opened[path] == nil {
                do throws(SystemError) {
                    opened[path] = try System.openLog(path)
                } catch {
                    // The old file stays open: its lines are not lost.
                    log.write(.emergency, "open() \"\(path)\" failed", error)
                }
            }
        }
        for configuration in configurations.values {
            for path in configuration.settings.logPaths { if let file = opened[path] { configuration.logs[path] = file } }
        }
        if let now = configurations[current] {
            log.sinks = now.errorLogSinks
            redirectStandardError(to: now)
        }
        apps?.reopenLogs()
        for worker in workers.values {
            guard let configuration = configurations[worker.generation == 0 ? current : worker.generation] else { continue }
            worker.send(.reopenLogs)
            sendLogs(to: worker, configuration)
            watch(worker)
        }
    }

    // MARK: - The end

    /// Nothing more is accepted by this program. The workers close their sockets when they are told to drain, and another binary has its
    /// own, so whoever of the two goes first, clients are refused from the moment when nobody accepts. The files are the last one's.
    private func closeListeners() {
        for configuration in configurations.values { configuration.closeSockets() }
        guard !hasRemovedSocketFiles, isLast else { return }
        hasRemovedSocketFiles = true
        // One that was loaded just before the end, while it can still be told which files are its own.
        if let loaded { undo(loaded) }
        loaded = nil
        configurations[current]?.listeners.removeSocketFiles(except: ListenerTable(), log: log, tells: false)
    }

    /// The last things: the pid file and the socket files go.
    func leave() {
        endControl()
        if let path = configurations[current]?.settings.pidPath {
            PidFile.remove(hasOldPidName ? path + PidFile.oldSuffix : path, log: log)
        }
        log.write(.notice, "exit")
        closeListeners()
        if isLast { stateDirectories?.removeIfEmpty() }
    }
}
