internal import Config
internal import CLinux
internal import Glibc

/// The program `goodgate`: what happens from the command line to the running supervisor.
package enum Program {
    /// Runs the program.
    /// - Parameter arguments: `argv`, the program's name included.
    /// - Returns: the exit status.
    package static func main(_ arguments: [String]) -> Int32 {
        System.reserveStandardDescriptors()
        let identity = Identity(programPath: arguments.first ?? "goodgate")
        var words = Array(arguments.dropFirst())
        var staysInForeground = false
        if !identity.isNginx {
            switch Subcommand(words.first) {
            case .run:
                words.removeFirst()
                staysInForeground = true
            case .version:
                try? System.write(Array((identity.versionLine + "\n").utf8), to: 1)
                return 0
            case .control: return execute(words)
            case .unknown(let suggestion):
                let hint = suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
                say("goodgate: unknown command \"\(words[0])\"\(hint); \"goodgate --help\" lists the commands")
                return 1
            case nil: break
            }
        }
        do throws(CommandLineError) {
            var options = try CommandLineOptions(parsing: words, as: identity)
            options.staysInForeground = staysInForeground
            return run(options, identity: identity, arguments: arguments)
        } catch {
            say("\(identity.name): \(error.message)")
            return 1
        }
    }

    /// A line on standard error.
    private static func say(_ text: String) { try? System.write(Array((text + "\n").utf8), to: 2) }

    /// Hands a subcommand to `goodgate-control`.
    private static func execute(_ words: [String]) -> Int32 {
        let path = Executables().controlPath
        let error = System.execute(path, arguments: [path] + words)
        say("goodgate: execve() \"\(path)\" failed \(error.text)")
        return 1
    }

    private static func run(_ options: CommandLineOptions, identity: Identity, arguments: [String]) -> Int32 {
        if options.showsVersion {
            showVersion(options, identity)
            if !options.testsConfiguration { return 0 }
        }
        let paths = ProgramPaths(
            options, identity: identity, workingDirectory: System.linkTarget("/proc/self/cwd"), home: AppDirectories.userFolder,
            exists: System.exists)
        // What fails here is said by who needs it.
        for folder in paths.ownFolders { try? System.makeDirectories(folder, mode: 0o755) }
        let log = openBuiltInLog(paths, identity: identity, isTest: options.testsConfiguration)
        let loader = ConfigurationLoader(options: options, identity: identity, paths: paths, log: log)
        do throws(PreparationError) {
            if options.testsConfiguration { return try test(loader) }
            if let signal = options.signal { return try send(signal, loader) }
            return try start(loader, arguments: arguments)
        } catch {
            if options.testsConfiguration { say("\(identity.name): configuration file \(paths.configuration) test failed") }
            return 1
        }
    }

    private static func showVersion(_ options: CommandLineOptions, _ identity: Identity) {
        var text = identity.versionLine + "\n"
        if options.showsHelp { text += HelpText.text(for: identity, isRun: options.staysInForeground) + "\n" }
        if options.showsConfigureArguments { text += "configure arguments: \(identity.configureArguments)\n" }
        try? System.write(Array(text.utf8), to: options.printsToOutput ? 1 : 2)
    }

    /// The log until the configuration names another: `-e`, or the built-in one. nginx's own complaint when it cannot be opened.
    private static func openBuiltInLog(_ paths: ProgramPaths, identity: Identity, isTest: Bool) -> ErrorLog {
        let log = ErrorLog(programName: identity.name)
        let level: LogLevel = isTest ? .info : .notice
        guard !paths.errorLog.isEmpty else {
            log.sinks = [ErrorLog.Sink(descriptor: nil, level: level)]
            return log
        }
        do throws(SystemError) {
            log.sinks = [ErrorLog.Sink(descriptor: try System.openLog(paths.errorLog), level: level)]
        } catch {
            if identity.isNginx {
                say("nginx: [alert] could not open error log file: open() \"\(paths.errorLog)\" failed \(error.text)")
                log.sinks = [ErrorLog.Sink(descriptor: nil, level: level)]
            }
        }
        return log
    }

    // MARK: - -t and -T

    private static func test(_ loader: ConfigurationLoader) throws(PreparationError) -> Int32 {
        let name = loader.identity.name
        let parsed = try loader.parse()
        if !loader.options.isQuiet { say("\(name): the configuration file \(loader.paths.configuration) syntax is ok") }
        _ = try loader.prepare(parsed, reusing: ListenerTable(), isTest: true)
        if !loader.options.isQuiet { say("\(name): configuration file \(loader.paths.configuration) test is successful") }
        guard loader.options.dumpsConfiguration else { return 0 }
        for file in parsed.configuration.files {
            try? System.write(Array("# configuration file \(file.path):\n".utf8) + file.bytes + [UInt8(ascii: "\n")], to: 1)
        }
        return 0
    }

    // MARK: - -s

    private static func send(_ signal: CommandLineOptions.Signal, _ loader: ConfigurationLoader) throws(PreparationError) -> Int32 {
        let parsed = try loader.parse()
        loader.log.write(.notice, "signal process started")
        guard let path = parsed.configuration.main.pidPath else {
            loader.log.write(.error, "there is no pid file to read: \"pid off\"")
            throw PreparationError()
        }
        let process = try PidFile.read(path, log: loader.log)
        let number =
            switch signal {
            case .stop: SIGTERM
            case .quit: SIGQUIT
            case .reopen: SIGUSR1
            case .reload: SIGHUP
            }
        do throws(SystemError) {
            try System.kill(process, signal: number)
            return 0
        } catch {
            loader.log.write(.alert, "kill(\(process), \(number)) failed", error)
            throw PreparationError()
        }
    }
}
