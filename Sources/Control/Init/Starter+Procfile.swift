extension StarterConfiguration {
    /// `web: command` on each line (Heroku, foreman, honcho).
    static func fromProcfile(_ folder: ProjectFolder) -> StarterConfiguration? {
        guard let text = folder.text("Procfile") else { return nil }
        var result = StarterConfiguration(origin: "Procfile")
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmed }
            guard parts.count == 2, !parts[0].hasPrefix("#"), !parts[0].contains(" "), !parts[1].isEmpty else { continue }
            if parts[0] == "release" {
                result.remarks.append("Procfile's \"release\" is a step of a deployment, not a process: \(parts[1])")
                continue
            }
            var app = StarterApp(name: StarterApp.name(from: parts[0], or: "app"), command: StarterApp.command(parts[1], in: folder))
            app.isWeb = parts[0] == "web"
            if folder.has(".env") { app.environmentFiles = [".env"] }
            result.apps.append(app)
        }
        if !result.apps.contains(where: \.isWeb), !result.apps.isEmpty { result.apps[0].isWeb = true }
        return result.apps.isEmpty ? nil : result
    }

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
        // Marks before the path ask systemd for special treatment.
        guard let start = values["ExecStart"]?.last?.drop(while: { "@-:+!".contains($0) }), !start.isEmpty else { return nil }
        var app = StarterApp(
            name: StarterApp.name(from: String(name.dropLast(".service".count)), or: "app"),
            command: StarterApp.command(String(start), in: folder))
        app.directory = values["WorkingDirectory"]?.last?.dropPrefix("-")
        app.user = values["User"]?.last
        app.environment = (values["Environment"] ?? []).flatMap(StarterApp.assignments)
            .filter { $0.contains("=") && !$0.hasPrefix("PORT=") }
        addEnvironmentFiles(of: values["EnvironmentFile"] ?? [], to: &app, folder)
        app.stopSignal = values["KillSignal"]?.last.map { $0.dropPrefix("SIG") }.flatMap { $0 == "TERM" ? nil : $0 }
        app.stopTimeout = values["TimeoutStopSec"]?.last.flatMap { Int($0.hasSuffix("s") ? String($0.dropLast()) : $0) }
        app.filesMax = values["LimitNOFILE"]?.last.flatMap { Int($0) }
        if values["Type"]?.last == "forking" {
            app.remarks.append("The unit says Type=forking: start it in the foreground, it must stay the process it starts as.")
        }
        if let port = PortFinder.fixedPort(in: String(start)) { app.listen = .fixed(port) }
        if app.command[0].contains("php-fpm") {
            app.isWeb = false
            app.remarks.append("It speaks FastCGI, which Goodgate does not proxy: a web server that does has to stand between.")
        }
        return app
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

    /// A site of nginx, which runs as it is.
    static func fromSite(_ folder: ProjectFolder) -> StarterConfiguration? {
        let sites = folder.names.filter { $0.hasSuffix(".conf") || !$0.contains(".") }
        for name in sites where name != "goodgate.conf" {
            guard let text = folder.text(name), text.contains("server {") || text.contains("server{") else { continue }
            if text.contains("events {") || text.contains("events{") {
                return StarterConfiguration(origin: name, isComplete: true)
            }
            let report = CheckReport.make(folder.path + "/" + name)
            let errors = report.starts ? [] : report.findings.filter { $0.kind == .error }.map { "\($0.place): \($0.message)" }
            return StarterConfiguration(
                origin: name, site: name, siteErrors: errors,
                remarks: !errors.isEmpty ? [] : [
                    "The site runs as it is. To let Goodgate run the application behind it, too, write `app NAME { command …; }` here,",
                    "and in its upstream `app NAME;` in the place of `server`.",
                ])
        }
        return nil
    }

    /// One executable program, such as `go build` and `cargo build` leave.
    static func fromBinary(_ folder: ProjectFolder) -> StarterConfiguration? {
        let programs = folder.names.filter { folder.isProgram($0) }
        guard programs.count == 1, let name = programs.first else { return nil }
        var app = StarterApp(name: StarterApp.name(from: name, or: "app"), command: ["\(folder.path)/\(name)"])
        app.remarks = ["It has to listen on the port in $PORT. If it has a fixed one, say so: listen 127.0.0.1:3000;"]
        return StarterConfiguration(origin: name, apps: [app])
    }

    /// A folder of files.
    static func fromFiles(_ folder: ProjectFolder) -> StarterConfiguration? {
        let roots = [".", "public", "dist", "build", "_site", "www"]
        guard let root = roots.first(where: { folder.has($0 + "/index.html") }) else { return nil }
        return StarterConfiguration(origin: (root == "." ? "" : root + "/") + "index.html", files: root)
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
