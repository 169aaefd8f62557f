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
            let socket = parts[0] == "web" ? StarterApp.withSocketPath(parts[1]) : nil
            var app = StarterApp(
                name: StarterApp.name(from: parts[0], or: "app"), command: StarterApp.command(socket ?? parts[1], in: folder))
            if socket != nil { app.listen = .unix }
            app.isWeb = parts[0] == "web"
            if folder.has(".env") { app.environmentFiles = [".env"] }
            result.apps.append(app)
        }
        if !result.apps.contains(where: \.isWeb), !result.apps.isEmpty { result.apps[0].isWeb = true }
        return result.apps.isEmpty ? nil : result
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
