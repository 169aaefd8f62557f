import Config

/// From systemd.
extension StarterConfiguration {
    /// A systemd service unit.
    static func fromUnit(_ folder: ProjectFolder) -> StarterConfiguration? {
        let units = folder.names(endingIn: ".service")
        var result = StarterConfiguration(origin: units.joined(separator: ", "))
        for unit in units {
            guard let app = app(ofUnit: unit, folder) else { continue }
            result.apps.append(app)
            result.remarks.append("Stop the unit before: systemctl disable --now \(unit)")
        }
        return result.apps.isEmpty ? nil : result
    }

    private static func app(ofUnit name: String, _ folder: ProjectFolder) -> StarterApp? {
        var values: [String: [String]] = [:]
        var isService = false
        let text = (folder.text(name) ?? "").replacing("\\\n", with: " ")
        for line in text.split(separator: "\n").map(\.trimmed) {
            if line.hasPrefix("[") { isService = line == "[Service]" }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmed)
            guard isService, parts.count == 2, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
            values[parts[0], default: []].append(parts[1])
        }
        // An empty value takes back those before it.
        func value(_ name: String) -> String? { values[name]?.last.flatMap { $0.isEmpty ? nil : $0 } }
        // Marks before the path ask systemd for special treatment.
        guard let start = value("ExecStart")?.drop(while: { "@-:+!".contains($0) }), !start.isEmpty else { return nil }
        let socket = StarterApp.withSocketPath(String(start))
        var app = StarterApp(
            name: StarterApp.name(from: String(name.dropLast(".service".count)), or: "app"),
            command: StarterApp.command(socket ?? String(start), in: folder))
        app.directory = value("WorkingDirectory")?.dropPrefix("-")
        app.user = value("User")
        let variables = (values["Environment"] ?? []).split(separator: "", omittingEmptySubsequences: false).last ?? []
        app.environment = variables.flatMap(StarterApp.assignments)
            .filter { $0.contains("=") && !$0.hasPrefix("PORT=") }
        addEnvironmentFiles(of: values["EnvironmentFile"] ?? [], to: &app, folder)
        setStopSignal(value("KillSignal"), of: &app)
        app.stopTimeout = (value("TimeoutStopSec") ?? value("TimeoutSec")).flatMap(seconds)
        app.watchdog = value("WatchdogSec").flatMap(seconds)
        app.filesMax = value("LimitNOFILE").flatMap { $0.split(separator: ":").first }.flatMap { Int($0) }
        app.creationMask = value("UMask")
        if let limit = value("MemoryMax"), limit != "infinity" {
            app.memoryMax = size(limit)
            if app.memoryMax == nil { app.remarks.append("The unit says MemoryMax=\(limit): say it in bytes, such as memory_max 512m;") }
        }
        if value("Type") == "forking" {
            app.remarks.append("The unit says Type=forking: start it in the foreground, it must stay the process it starts as.")
        }
        if socket != nil {
            app.listen = .unix
        } else if let port = PortFinder.fixedPort(in: String(start)) {
            app.listen = .fixed(port)
        }
        if app.command[0].contains("php-fpm") {
            app.isWeb = false
            app.remarks.append("It speaks FastCGI, which Goodgate does not proxy: a web server that does has to stand between.")
        }
        return app
    }

    /// A unit has the signal's name or its number. TERM needs no saying.
    private static func setStopSignal(_ text: String?, of app: inout StarterApp) {
        guard let text else { return }
        var name = text.dropPrefix("SIG")
        if let number = Int32(text) {
            let realTime = AppSettings.signals["RTMIN"].map { number - $0 } ?? -1
            name = AppSettings.signals.first { $0.value == number }?.key ?? (realTime > 0 ? "RTMIN+\(realTime)" : text)
        }
        if AppSettings.signalNumber(name) == nil {
            app.remarks.append("The unit says KillSignal=\(text), by which no program can be asked to end: TERM is sent.")
        } else if name != "TERM" {
            app.stopSignal = name
        }
    }

    /// One that may be missing, and is, stays behind as a comment: a file that cannot be read is a reason not to start.
    private static func addEnvironmentFiles(of values: [String], to app: inout StarterApp, _ folder: ProjectFolder) {
        // An empty value takes back those before it.
        for value in values.split(separator: "", omittingEmptySubsequences: false).last ?? [] {
            let path = StarterApp.assignments(value).first ?? value
            let file = path.dropPrefix("-")
            if file.contains("*") || file.contains("?") {
                app.remarks.append("The unit reads each file of \(path): name them, one env_file each.")
            } else if file != path, !folder.isFile(at: file) {
                app.remarks.append("The unit reads this file if it is there; now it is not:  env_file \(StarterApp.quoted(file));")
            } else {
                app.environmentFiles.append(file)
            }
        }
    }

    /// A span of time as systemd writes it, such as `90`, `5min 20s` or `500ms`, in whole seconds, rounded up.
    /// - Returns: nil for `infinity`, 0 and what is not understood.
    static func seconds(_ text: String) -> Int? {
        let units: [String: Double] = [
            "us": 1e-6, "ms": 1e-3, "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60,
            "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400, "days": 86400,
        ]
        var rest = text[...].drop(while: \.isWhitespace)
        var sum = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest[number.endIndex...].drop(while: \.isWhitespace)
            let unit = rest.prefix(while: \.isLetter)
            rest = rest[unit.endIndex...].drop(while: \.isWhitespace)
            guard let value = Double(number), let scale = units[String(unit)] else { return nil }
            sum += value * scale
        }
        return sum > 0 && sum < 1e8 ? Int(sum.rounded(.up)) : nil
    }

    /// A size as systemd writes it, such as `512M`; nil for a share of the whole and what is not understood.
    static func size(_ text: String) -> String? {
        let digits = text.prefix(while: \.isNumber), unit = text[digits.endIndex...].lowercased()
        guard !digits.isEmpty, ["", "k", "m", "g"].contains(unit) else { return nil }
        return digits + unit
    }
}
