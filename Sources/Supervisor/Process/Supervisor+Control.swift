internal import Config
internal import CLinux
internal import Glibc
internal import Messages

// The control process: started beside the workers, told what happens, asked for nothing that traffic or apps depend on.
extension Supervisor {
    /// Starts, changes or ends the control process as the configuration in force says.
    func configureControl() {
        guard let configuration = configurations[current] else { return }
        configureVerdicts()
        controlSettings = configuration.settings.controlSocket.map { ControlProcessSettings(socketPath: $0) }
        let isChanged = control.map { $0.settings != controlSettings } ?? false
        perform(controlMachine.want(controlSettings != nil, isChanged: isChanged, now: System.now))
        if !isChanged, let control { tellConfiguration(to: control) }
    }

    /// When there is something to do for the control process, in milliseconds.
    var controlDeadline: UInt64? { [controlMachine.deadline, controlEndsAt].compactMap { $0 }.min() }

    /// Does what is due for the control process.
    func serveControl() {
        if let deadline = controlMachine.deadline, System.now >= deadline { perform(controlMachine.timer(now: System.now)) }
        if let time = controlEndsAt, System.now >= time {
            controlEndsAt = nil
            perform(controlMachine.want(false, now: System.now))
        }
    }

    /// Something can be read from the channel, or written.
    func serveControl(_ event: EventPoll.Event) {
        guard let control else { return }
        if event.isWritable { control.flush() }
        readControl()
        if event.isHungUp { ignore(control.channel) } else { watchControl(control) }
    }

    /// A child ended.
    /// - Returns: Whether it was the control process.
    func controlEnded(_ ended: System.Ended) -> Bool {
        guard let control, control.process == ended.process else { return false }
        readControl(most: 4096)
        ignore(control.channel)
        attemptsDropped &+= control.dropped
        self.control = nil
        // The next one counts its requests anew.
        upgrade?.request = nil
        forgetVerdicts()
        let isStopping = if case .stopping = controlMachine.state { true } else { false }
        switch ended.end {
        case .code(let code):
            log.write(isStopping && code == 0 ? .notice : .error, "control process \(ended.process) exited with code \(code)")
        case .signal(let number):
            let core = ended.hasDumpedCore ? " (core dumped)" : ""
            log.write(.error, "control process \(ended.process) exited on signal \(number)\(core)")
        }
        perform(controlMachine.exited(now: System.now))
        return true
    }

    /// The last thing: the control process ends with the supervisor, and leaves no socket behind.
    func endControl() {
        let socketPath = controlSettings?.socketPath
        controlSettings = nil
        perform(controlMachine.want(false, now: System.now))
        let deadline = System.now + ControlMachine.killDelay
        while let control {
            if System.now >= deadline {
                try? System.kill(control.process, signal: SIGKILL)
                // It had a socket there, which it cannot take away any more.
                if let socketPath { try? System.remove(socketPath) }
            }
            while let ended = System.reap() { _ = controlEnded(ended) }
            if self.control != nil { System.sleep(milliseconds: 2) }
        }
    }

    /// A worker told of a failed attempt.
    func forward(_ record: AttemptRecord) { keep(.attempt(record), attempts: 1) }

    /// A worker told its counts of failures.
    func forward(_ tally: FailureTally) {
        keep(.failures(tally), attempts: tally.attempts.reduce(0) { $0 &+ UInt64($1.count) })
    }

    /// Their number is bounded by the workers: 100 records and 10 tallies a second each at most.
    private func keep(_ command: ControlCommand, attempts: UInt64) {
        guard let control else { return }
        if !control.send(command) { attemptsDropped &+= attempts }
        if control.isBehind { watchControl(control) }
    }

    /// Something happened in the life of an app.
    func tell(_ event: AppEvent) { offer(.event(event)) }

    /// What an instance wrote last.
    func tell(_ lines: AppLines, of app: String) { offer(.lastLines(app: app, lines)) }

    private func offer(_ command: ControlCommand) {
        guard let control else { return }
        control.offer(command)
        if control.isBehind { watchControl(control) }
    }

    private func perform(_ actions: [ControlMachine.Action]) {
        for action in actions {
            switch action {
            case .spawn: spawnControl()
            // The end of the channel is its order to go.
            case .stop: if let control { System.endSending(control.channel) }
            case .kill:
                guard let control else { continue }
                log.write(.alert, "control process \(control.process) does not end: killing it")
                try? System.kill(control.process, signal: SIGKILL)
            case .tellPause(let pause): log.write(.error, "control process keeps ending: the next start is in \(pause) ms")
            }
        }
    }

    private func spawnControl() {
        guard let settings = controlSettings else { return }
        do throws(SystemError) {
            let (ours, theirs) = try System.packetPair()
            let kept = ["PATH", "HOME", "LANG", "TZ", "XDG_RUNTIME_DIR"]
            let environment = System.environment.filter { entry in kept.contains { entry.hasPrefix($0 + "=") } }
            let process = try System.spawn(
                System.Program(
                    path: executables.controlPath, arguments: ["\(identity.name): control process", "serve"],
                    // Where a Swift toolchain is installed, the run time would hold a crashed process for seconds.
                    environment: environment + ["SWIFT_BACKTRACE=enable=no"], channel: theirs))
            log.write(.notice, "start control process \(process)")
            let control = ControlProcess(settings: settings, process: process, channel: ours)
            self.control = control
            do throws(SystemError) {
                try listen(to: ours, as: .control)
            } catch {
                // Its end is seen all the same, and another one is tried after a pause.
                log.write(.error, "control process \(process) cannot be listened to", error)
                try? System.kill(process, signal: SIGKILL)
            }
            control.send(
                .hello(
                    ControlHello(
                        version: Identity.version, supervisorProcess: System.process, user: System.effectiveUser,
                        startedAt: startedAt, socketPath: settings.socketPath, prefix: loader.paths.prefix,
                        configurationPath: loader.paths.configuration)))
            tellConfiguration(to: control)
        } catch {
            log.write(.error, "starting \"\(executables.controlPath)\" failed", error)
            perform(controlMachine.spawnFailed(now: System.now))
        }
    }

    private func tellConfiguration(to control: ControlProcess) {
        guard let configuration = configurations[current], let board = configuration.board else { return }
        control.send(
            .configuration(generation: UInt32(clamping: current), boardBytes: UInt64(board.size)),
            descriptors: [configuration.bundle, board.descriptor])
        watchControl(control)
    }

    /// - Parameter most: Packets at one time: it reads what strangers wrote, as a worker does (see `readReports`).
    private func readControl(most: Int = 128) {
        for _ in 0..<most {
            guard let control, let request = control.receive() else { return }
            switch request {
            case .success(let request): answer(request, control)
            case .failure(let error):
                guard let others = control.strayMessages.tell(now: System.now) else { continue }
                let more = others > 0 ? ", and \(others) more before it" : ""
                log.write(.alert, "control process \(control.process) sent a message that is not understood (\(error))\(more), ignored")
            }
        }
    }
}
