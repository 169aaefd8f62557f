extension StarterConfiguration {
    /// PM2's file.
    static func fromProcessManager(_ folder: ProjectFolder) -> StarterConfiguration? {
        let names = ["ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.config.mjs", "ecosystem.json", "pm2.json", "pm2.config.js"]
        guard let name = names.first(where: folder.has), let text = folder.text(name) else { return nil }
        let found = ScriptLiteral.value(of: "apps", in: text)
        var result = StarterConfiguration(origin: name)
        for entry in found?.elements ?? found.map({ [$0] }) ?? [] {
            if let app = app(entry, folder) { result.apps.append(app) }
        }
        guard !result.apps.isEmpty else { return nil }
        if !result.apps.contains(where: \.isWeb) { result.apps[0].isWeb = true }
        result.remarks.append("Stop PM2's copy before: pm2 delete \(name)")
        return result
    }

    private static func app(_ entry: ScriptLiteral, _ folder: ProjectFolder) -> StarterApp? {
        guard let script = entry["script"]?.string, !script.isEmpty else { return nil }
        let arguments = entry["args"]?.string?.split(separator: " ").map(String.init) ?? entry["args"]?.elements?.compactMap(\.text) ?? []
        let options = (entry["node_args"] ?? entry["interpreter_args"])?.string?.split(separator: " ").map(String.init) ?? []
        let file = script.dropPrefix("./")
        var command: [String]
        switch entry["interpreter"]?.string ?? interpreter(of: file) {
        case "none": command = StarterApp.command(([script] + arguments).joined(separator: " "), in: folder)
        case let interpreter:
            let program = interpreter.hasPrefix("/") ? interpreter : folder.programOrGuess(interpreter)
            command = [program] + options + [file] + arguments
        }
        if let last = command.last, last.isEmpty { command.removeLast() }
        var app = StarterApp(
            name: StarterApp.name(from: entry["name"]?.text ?? file.split(separator: ".").first.map(String.init) ?? "", or: "app"),
            command: command)
        app.directory = entry["cwd"]?.string.flatMap { $0 == "." || $0 == "./" ? nil : $0 }
        let variables = (entry["env"]?.members ?? [:]).merging(entry["env_production"]?.members ?? [:]) { $1 }
        app.environment = variables.sorted { $0.key < $1.key }.compactMap { name, value in
            name == "PORT" ? nil : value.text.map { "\(name)=\($0)" }
        }
        if let count = entry["instances"]?.number { app.instances = max(1, min(Int(max(-1, min(count, 64))), 64)) }
        if entry["instances"]?.string == "max" { app.instances = 2 }
        app.memoryRecycle = entry["max_memory_restart"]?.string.map { $0.lowercased() }
        if let timeout = entry["kill_timeout"]?.number, timeout >= 1000, timeout < 1e7 { app.stopTimeout = Int(timeout / 1000) }
        if entry["exec_mode"]?.string == "cluster" || app.instances > 1 {
            app.remarks.append("PM2's cluster mode shares one port; here each instance gets its own in $PORT.")
        }
        let source = folder.text((app.directory.map { $0.dropPrefix("./") + "/" } ?? "") + file) ?? ""
        if let port = PortFinder.fixedPort(in: source) {
            app.listen = .fixed(port)
            app.instances = 1
        } else {
            app.isWeb = variables["PORT"] != nil || !app.looksLikeBackground
        }
        return app
    }

    private static func interpreter(of file: String) -> String {
        for (suffix, program) in [(".py", "python3"), (".rb", "ruby"), (".sh", "bash"), (".js", "node"), (".mjs", "node"), (".cjs", "node")]
        where file.hasSuffix(suffix) { return program }
        return "none"
    }
}
