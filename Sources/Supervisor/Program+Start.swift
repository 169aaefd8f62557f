internal import Config
internal import CLinux
internal import Glibc

extension Program {
    /// Starts for real: prepares everything, detaches if asked to, and supervises until the end.
    static func start(_ loader: ConfigurationLoader, arguments: [String]) throws(PreparationError) -> Int32 {
        System.raiseDescriptorsMax()
        let supervisor = try makeSupervisor(loader, arguments: arguments)
        let status = supervisor.run()
        supervisor.leave()
        return status
    }

    /// Everything before the first worker. What is prepared belongs to the supervisor alone afterwards.
    private static func makeSupervisor(_ loader: ConfigurationLoader, arguments: [String]) throws(PreparationError) -> Supervisor {
        let log = loader.log
        // Before anybody can see that it starts: a signal that comes early must wait, not kill.
        let signals: SignalSource
        do throws(SystemError) {
            signals = try SignalSource()
        } catch {
            log.write(.emergency, "signalfd() failed", error)
            throw PreparationError()
        }
        let inherited = ListenerTable.inherited(log: log)
        let told = OldBinary.inherited()
        let old = inherited == nil ? nil : told
        let parsed = try loader.parse()
        let pidPath = parsed.configuration.main.pidPath
        let directories = try stateDirectories(
            old, file: pidPath ?? loader.paths.configuration, areNeeded: !parsed.configuration.main.apps.isEmpty, log)
        // Another supervisor may have died: those of its workers that are alone give us their sockets.
        var former = directories.map { FormerWorkers(in: $0) }
        let orphaned = former?.takeListeners(log: log) ?? ListenerTable()
        if inherited == nil { former?.dismissSupervised() }
        let reused = (inherited ?? ListenerTable()).adding(orphaned)
        let prepared = try loader.prepare(parsed, reusing: reused, isTest: false)
        // From here on, lines go to the logs of the configuration.
        log.sinks = prepared.errorLogSinks
        log.write(.notice, loader.identity.startLine)

        do throws(PreparationError) {
            let starter = try inherited == nil && prepared.settings.isDaemon ? detach(log) : nil
            let supervisor: Supervisor
            do throws(SystemError) {
                try prepared.takeBoard(after: nil)
                supervisor = try Supervisor(
                    loader: loader, executables: Executables(), arguments: arguments, old: old,
                    prepared: prepared, isDaemon: inherited != nil || prepared.settings.isDaemon,
                    stateDirectories: directories, formerWorkers: former, inheritedListeners: inherited == nil ? orphaned : nil,
                    signals: signals, poll: try EventPoll())
            } catch {
                log.write(.emergency, "the supervisor cannot start", error)
                throw PreparationError()
            }
            if let path = prepared.settings.pidPath { try PidFile.write(path, process: System.process, log: log) }
            if old != nil { supervisor.aliasState(for: prepared) }
            supervisor.redirectStandardError(to: prepared)
            log.repeatsOnStandardError = false
            if let starter { try? System.write([0], to: starter.number) }
            System.prepareTitle()
            System.setTitle("\(loader.identity.name): master process " + arguments.joined(separator: " "))
            return supervisor
        } catch {
            prepared.listeners.removeSocketFiles(except: reused, log: log, tells: false)
            throw error
        }
    }

    /// Where the state is; nil when that place is somebody else's, which only apps cannot do without.
    private static func stateDirectories(
        _ old: OldBinary?, file: String, areNeeded: Bool, _ log: ErrorLog
    ) throws(PreparationError) -> AppDirectories? {
        if let path = old?.stateDirectory { return AppDirectories(root: path) }
        do throws(AppDirectories.Taken) {
            return AppDirectories(root: try AppDirectories.path(for: file))
        } catch {
            let loss = areNeeded ? "apps cannot be supervised" : "should this process die, the next start cannot take over its workers"
            log.write(areNeeded ? .emergency : .warning, "\(loss): \(error.text)")
            if areNeeded { throw PreparationError() }
            return nil
        }
    }

    /// Becomes a daemon. The process at the prompt ends when the daemon has written its pid file, with status 1 if that never happens: so
    /// whoever starts it knows when it is there.
    /// - Returns: where the daemon says so, with one byte.
    private static func detach(_ log: ErrorLog) throws(PreparationError) -> Descriptor {
        do throws(SystemError) {
            let (reader, writer) = try System.pipe()
            try System.fork { _ in System.endAfterWord(from: reader, closing: writer) }
            log.process = System.process
            System.closeInherited()
            let null = try System.open("/dev/null", flags: O_RDWR)
            try System.replace(0, with: null.number)
            try System.replace(1, with: null.number)
            return writer
        } catch {
            log.write(.emergency, "fork() failed", error)
            throw PreparationError()
        }
    }
}
