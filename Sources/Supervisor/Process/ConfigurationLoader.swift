internal import Config
internal import CLinux
internal import Glibc
internal import Machine
internal import Messages
internal import Pattern

/// Turns configuration files into a `PreparedConfiguration`: at the start, at each reload, and for `-t`.
struct ConfigurationLoader {
    let options: CommandLineOptions
    let identity: Identity
    let paths: ProgramPaths
    let log: ErrorLog

    init(options: CommandLineOptions, identity: Identity, paths: ProgramPaths, log: ErrorLog) {
        self.options = options
        self.identity = identity
        self.paths = paths
        self.log = log
    }

    /// What a parse gave, with every finding in the log.
    struct Parsed {
        var configuration: Configuration
        var bundle: ConfigurationBundle
    }

    /// Reads and checks all files.
    /// - Throws: when there is no configuration; every error is in the log.
    func parse() throws(PreparationError) -> Parsed {
        let request = ConfigurationRequest(
            path: paths.configuration, prefix: paths.prefix, globals: options.globals, errorLogPath: paths.errorLog,
            programName: identity.name, defaults: paths.defaults)
        let outcome = Configuration.parse(request, source: FileConfigurationSource(), patterns: PatternCompiler())
        report(outcome.diagnostics)
        guard let configuration = outcome.configuration else {
            // All that is wrong in one run: what the host lacks as well.
            if options.testsConfiguration { _ = reportMissing(outcome.needs) }
            throw PreparationError()
        }
        return Parsed(configuration: configuration, bundle: outcome.bundle)
    }

    /// Errors that are printed of one parse: nobody reads more, and a file that is no configuration may hold a million.
    static let errorsPrintedMax = 50

    private func report(_ diagnostics: [Diagnostic]) {
        var errorCount = 0
        for diagnostic in diagnostics {
            if diagnostic.severity == .emergency {
                errorCount += 1
                if errorCount > Self.errorsPrintedMax { continue }
            }
            let hint = diagnostic.suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
            let text = identity.isNginx ? diagnostic.text : diagnostic.namedMessage + (diagnostic.location?.suffix ?? "") + hint
            log.write(Self.level(of: diagnostic.severity), text)
        }
        if errorCount > Self.errorsPrintedMax {
            log.write(.emergency, "\(errorCount - Self.errorsPrintedMax) more errors are not printed")
        }
    }

    private static func level(of severity: Diagnostic.Severity) -> LogLevel {
        switch severity {
        case .emergency: .emergency
        case .warning: .warning
        case .notice: .notice
        }
    }

    /// Makes everything that the configuration needs, in nginx's order: directories, logs, sockets.
    /// - Parameters:
    ///   - old: the listeners in force; those with the same address are taken over.
    ///   - isTest: `-t`: nothing is kept, and an address in use is no error.
    ///   - pause: waits so many milliseconds for an address that is in use.
    /// - Throws: when something failed; the reason is in the log, and what was made for it is closed again.
    func prepare(
        _ parsed: Parsed, reusing old: ListenerTable, isTest: Bool, pause: (Int32) -> Void = System.sleep
    ) throws(PreparationError) -> PreparedConfiguration {
        var settings = ProcessSettings(parsed.configuration, paths: paths)
        if options.staysInForeground { settings.isDaemon = false }
        for (option, text) in [("-p", paths.prefix), ("-c", paths.configuration), ("-g", options.globals ?? ""), ("-e", paths.errorLog)]
        where text.utf8.count > MessageLimits.textBytesMax {
            log.write(.emergency, "\(option) is longer than \(MessageLimits.textBytesMax) bytes, which is more than workers can be told")
            throw PreparationError()
        }
        let workers = parsed.configuration.main.workerProcesses
        if settings.hasMasterProcess, workers > settings.workerCount {
            log.write(.warning, "worker_processes \(workers): \(settings.workerCount) are started, which is the most there can be")
        }
        settings.controlSocket = controlSocket(parsed.configuration)
        let needs = ConfigurationNeeds(parsed.configuration)
        if isTest, reportMissing(needs) { throw PreparationError() }
        let worker = try workerIdentity(for: needs.user)
        look(at: settings.apps, parsed.configuration.main.apps.map(\.location), worker)
        if isTest, let path = settings.pidPath { try PidFile.check(path, log: log) }
        for path in settings.temporaryDirectories { try makeDirectory(path, for: worker) }
        var logs: [String: Descriptor] = [:]
        for log in settings.logs { logs[log.path] = try open(log) }
        let listeners = try ListenerTable.open(
            settings.listens, reusing: old, workerCount: settings.workerCount, isTest: isTest, log: log, pause: pause)
        do throws(SystemError) {
            let bundle = try System.sealedMemory(named: "goodgate-configuration", content: parsed.bundle.encode())
            return PreparedConfiguration(settings: settings, bundle: bundle, listeners: listeners, logs: logs, identity: worker)
        } catch {
            log.write(.emergency, "memfd_create() failed", error)
            throw PreparationError()
        }
    }

    /// Tells what will hinder an app.
    private func look(at apps: [AppSpecification], _ locations: [SourceLocation], _ worker: WorkerIdentity) {
        for (app, location) in zip(apps, locations) {
            for warning in AppPreflight(app: app, worker: worker, inherited: System.environment).warnings {
                log.write(.warning, Diagnostic(.warning, "app \"\(app.name)\": \(warning)", at: location).text)
            }
        }
    }

    /// Where the control process listens: as configured, or at the usual place when there are apps. Never unasked under nginx's name.
    private func controlSocket(_ configuration: Configuration) -> String? {
        let control = configuration.main.control
        guard control.isEnabled else { return nil }
        if let path = control.socketPath { return path }
        guard !configuration.main.apps.isEmpty, !identity.isNginx else { return nil }
        let path = ControlPath.standard(
            prefix: options.prefix, user: System.effectiveUser, runtimeDirectory: System.environment("XDG_RUNTIME_DIR"))
        guard path.utf8.count <= NetworkAddress.unixPathLengthMax else {
            log.write(.warning, "no control socket: its path \"\(path)\" is too long, name another one with \"control unix:PATH;\"")
            return nil
        }
        return path
    }

    private func open(_ file: ConfigurationNeeds.Log) throws(PreparationError) -> Descriptor {
        do throws(SystemError) {
            return try System.openLog(file.path)
        } catch {
            reportUnopened(file, error)
            throw PreparationError()
        }
    }

    private func reportUnopened(_ file: ConfigurationNeeds.Log, _ error: SystemError) {
        log.write(.emergency, "open() \"\(file.path)\" failed \(error.text)\(file.location?.suffix ?? "")")
    }

    /// Reports a user that is not known and log files whose folder is not there, all of them, and creates nothing.
    /// - Returns: whether there are any.
    private func reportMissing(_ needs: ConfigurationNeeds) -> Bool {
        var isMissing = (try? workerIdentity(for: needs.user)) == nil
        for file in needs.logs {
            do throws(SystemError) {
                _ = try System.facts(of: file.folder)
            } catch {
                reportUnopened(file, error)
                isMissing = true
            }
        }
        return isMissing
    }

    /// Whom the workers become: the configured user, or `nobody`; only root can change.
    private func workerIdentity(for wanted: ConfigurationNeeds.User?) throws(PreparationError) -> WorkerIdentity {
        let name = wanted?.name ?? "nobody"
        let place = wanted?.location?.suffix ?? ""
        guard System.isRoot else {
            return WorkerIdentity(
                changesUser: false, userName: name, user: System.effectiveUser, group: System.effectiveGroup, groups: [])
        }
        guard let user = System.user(named: name) else {
            log.write(.emergency, "getpwnam(\"\(name)\") failed\(place)")
            throw PreparationError()
        }
        var group = user.group
        if let wanted {
            let groupName = wanted.group ?? name
            guard let found = System.group(named: groupName) else {
                log.write(.emergency, "getgrnam(\"\(groupName)\") failed\(place)")
                throw PreparationError()
            }
            group = found
        }
        return WorkerIdentity(
            changesUser: true, userName: name, user: user.user, group: group, groups: System.groups(ofUser: name, group: group))
    }

    /// Creates a directory for temporary files, with its parents, and gives it to the worker's user.
    private func makeDirectory(_ path: String, for worker: WorkerIdentity) throws(PreparationError) {
        do throws(SystemError) {
            try System.makeDirectories(path, mode: 0o700)
        } catch {
            log.write(.emergency, "mkdir() \"\(path)\" failed", error)
            throw PreparationError()
        }
        guard worker.changesUser else { return }
        do throws(SystemError) {
            let facts = try System.facts(of: path)
            if facts.user != worker.user { try System.changeOwner(path, user: worker.user, group: facts.group) }
            if facts.mode & 0o700 != 0o700 { try System.changeMode(path, to: facts.mode | 0o700) }
        } catch {
            log.write(.emergency, "chown(\"\(path)\", \(worker.user)) failed", error)
            throw PreparationError()
        }
    }
}
