extension Configuration {
    /// What a parse gives.
    package struct Outcome: Sendable {
        /// nil when any diagnostic is an emergency.
        package var configuration: Configuration?
        /// Who must exist and which files must be openable for it, as far as it was read: known of a configuration with errors as well.
        package var needs: ConfigurationNeeds
        /// By file in the order of reading, then by line.
        package var diagnostics: [Diagnostic]
        /// What was read, for the workers.
        package var bundle: ConfigurationBundle

        /// Whether anything is an error.
        package var hasErrors: Bool { diagnostics.contains { $0.severity == .emergency } }
    }

    /// Reads and checks a configuration with all its includes.
    ///
    /// All errors of all files are collected. O(size of the files).
    package static func parse(
        _ request: ConfigurationRequest, source: any ConfigurationSource, patterns: any PatternChecker
    ) -> Outcome {
        let prefix = ConfigurationPath.withSlash(request.prefix)
        let path = ConfigurationPath.absolute(request.path, in: prefix)
        let directory = ConfigurationPath.directory(of: path)
        var builder = TreeBuilder(request: request, directory: directory, source: source)
        var directives = request.globals.map { builder.read(globals: $0) } ?? []
        directives += builder.read(path: path, includedFrom: nil)

        let reader = ConfigurationReader(request: request, directory: directory, source: source, patterns: patterns)
        reader.diagnostics = builder.diagnostics
        reader.unbalanced = builder.unbalanced
        reader.hasLostStatements = builder.hasLostStatements
        // Without the main file nothing can be said of what it lacks.
        if builder.bundle.failures[path] == nil { reader.readMain(directives) }

        var bundle = builder.bundle
        bundle.resolutions = reader.resolutions
        var configuration = reader.configuration
        configuration.http = reader.hasHTTP ? reader.http : nil
        configuration.files = bundle.files
        let diagnostics = sorted(reader.diagnostics, files: bundle.files.map(\.path))
        let hasErrors = diagnostics.contains { $0.severity == .emergency }
        return Outcome(
            configuration: hasErrors ? nil : configuration, needs: ConfigurationNeeds(configuration), diagnostics: diagnostics,
            bundle: bundle)
    }

    /// Parses what a supervisor read.
    package static func parse(_ bundle: ConfigurationBundle, patterns: any PatternChecker) -> Outcome {
        parse(bundle.request, source: bundle, patterns: patterns)
    }

    /// Without a place first, then by file and line; the order of equals is kept.
    private static func sorted(_ diagnostics: [Diagnostic], files: [String]) -> [Diagnostic] {
        var order: [String: Int] = [:]
        for (index, file) in files.enumerated() { order[file] = index }
        let keyed = diagnostics.enumerated().map { index, diagnostic in
            (file: diagnostic.location.map { order[$0.file] ?? -1 } ?? -2, line: diagnostic.location?.line ?? 0, index: index)
        }
        return keyed.sorted { ($0.file, $0.line, $0.index) < ($1.file, $1.line, $1.index) }.map { diagnostics[$0.index] }
    }
}

extension ConfigurationReader {
    /// nginx's check: each listening socket takes a connection, and one is needed to serve anybody.
    private func checkConnections() {
        let events = configuration.main.events
        let sockets = http.listeners.count { $0.arrivesAt == nil }
        guard events.isPresent, events.workerConnections <= sockets else { return }
        diagnostics.append(
            Diagnostic(
                .emergency, "\(events.workerConnections) worker_connections are not enough for \(sockets) listening sockets",
                at: events.workerConnectionsLocation, directive: "worker_connections"))
    }

    /// The main context, and what can be said only at the end.
    func readMain(_ directives: [Directive]) {
        process(directives)
        for work in deferredToEnd { work(self) }
        settleUnusedApps()
        checkAppAddresses()
        if !configuration.main.events.isPresent, !hasLostStatements {
            diagnostics.append(Diagnostic(.emergency, "no \"events\" section in configuration", at: nil))
        }
        checkConnections()
        if scope.isFirst("pid") { configuration.main.pidPath = defaults.pid }
        let hasPlainLog = configuration.main.errorLogs.contains { if case .syslog = $0.destination { false } else { true } }
        if !hasPlainLog {
            let path = request.errorLogPath
            let isStandardError = path.isEmpty || path == "stderr"
            configuration.main.errorLogs.append(
                ErrorLogSettings(destination: isStandardError ? .standardError : .file(prefixed(path))))
        }
        if !hasLostStatements { reportUnknownVariables() }
    }
}
