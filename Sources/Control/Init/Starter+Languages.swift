import Foundation

extension StarterConfiguration {
    /// A Node application.
    static func fromPackage(_ folder: ProjectFolder) -> StarterConfiguration? {
        guard let text = folder.text("package.json") else { return nil }
        let package = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
        let scripts = package["scripts"] as? [String: String] ?? [:]
        let usual = ["server.js", "app.js", "index.js", "server.mjs", "index.mjs"]
        // `npm init` writes a "main" whether it is there or not. Node looks for the same names.
        let named = (package["main"] as? String).map { main in [main, main + ".js", main.dropSuffix("/") + "/index.js"] } ?? []
        let entry = (named + usual).first { folder.isFile(at: $0) }
        var app = StarterApp(name: StarterApp.name(from: package["name"] as? String ?? "", or: "app"), command: [])
        if let start = scripts["start"] {
            let words = start.split(separator: " ").map(String.init)
            if words.first == "node" {
                app.command = StarterApp.command(start, in: folder)
                app.remarks.append("npm's \"start\" without npm between: signals reach the application itself.")
            } else if ["next", "nuxt", "vite", "remix-serve", "react-router-serve", "serve"].contains(words.first ?? "") {
                app.command = StarterApp.command(start, in: folder)
            } else {
                app.command = ["/bin/sh", "-c", "exec \(folder.programOrGuess("npm")) start"]
                app.remarks.append("Better the program itself than npm, which does not pass every signal on: \"start\" is \(start)")
            }
        } else if let entry {
            app.command = [folder.programOrGuess("node"), entry]
        } else {
            return nil
        }
        app.environment = ["NODE_ENV=production"]
        if folder.has(".env") { app.environmentFiles = [".env"] }
        // What npm's script says itself comes first.
        if let port = scripts["start"].flatMap(PortFinder.fixedPort) {
            app.listen = .fixed(port)
            return StarterConfiguration(origin: "package.json", apps: [app])
        }
        let source = app.command.last { $0.hasSuffix(".js") || $0.hasSuffix(".mjs") || $0.hasSuffix(".cjs") } ?? entry
        if let source, let text = folder.text(source.dropPrefix("./")), let port = PortFinder.fixedPort(in: text) {
            app.listen = .fixed(port)
        }
        return StarterConfiguration(origin: "package.json", apps: [app])
    }

    /// A Python application: Django, Flask, FastAPI, or a plain program.
    static func fromPython(_ folder: ProjectFolder) -> StarterConfiguration? {
        if folder.has("manage.py") { return django(folder) }
        let sources = folder.names(endingIn: ".py").sorted { rank($0) < rank($1) }
        for name in sources {
            guard let text = folder.text(name) else { continue }
            let module = String(name.dropLast(3))
            for (marker, framework) in [(" FastAPI(", "fastapi"), (" Starlette(", "fastapi"), (" Flask(", "flask")] {
                for line in text.split(separator: "\n") where line.contains("=" + marker) && line.first?.isWhitespace != true {
                    let variable = line.prefix { $0 != "=" && $0 != ":" }.trimmed
                    return web(folder, module: module, variable: variable, isAsynchronous: framework == "fastapi")
                }
            }
        }
        if let app = fromGatewayInterface(folder, sources) { return app }
        let plain = sources.first { ["app.py", "main.py", "server.py", "wsgi.py"].contains($0) }
        guard let name = plain ?? (sources.count == 1 ? sources.first : nil), let text = folder.text(name) else { return nil }
        var app = StarterApp(
            name: StarterApp.name(from: String(name.dropLast(3)), or: "app"), command: [folder.programOrGuess("python3"), "-u", name])
        if let port = PortFinder.fixedPort(in: text) {
            app.listen = .fixed(port)
        } else if !PortFinder.readsPort(text) {
            app.remarks.append("It has to listen on the port in $PORT. If it has a fixed one, say so: listen 127.0.0.1:8000;")
        }
        return StarterConfiguration(origin: name, apps: [app])
    }

    /// A callable of WSGI or ASGI without a framework that is known. One that also serves itself does that, unless a server is named.
    private static func fromGatewayInterface(_ folder: ProjectFolder, _ sources: [String]) -> StarterConfiguration? {
        for name in sources {
            guard let text = folder.text(name) else { continue }
            // What servers look for by itself comes first, then what stands last: it may be made of those before it.
            let found = interfaces(in: text, name), usual = found.last { ["application", "app"].contains($0.variable) }
            guard let callable = usual ?? found.last else { continue }
            let server = callable.isAsynchronous ? "uvicorn" : "gunicorn"
            let isThere = folder.program(server) != nil || folder.requires(python: server)
            if !isThere, text.contains("__main__") { return nil }
            return web(
                folder, module: String(name.dropLast(3)), variable: callable.variable, isAsynchronous: callable.isAsynchronous,
                isFlask: false)
        }
        return nil
    }

    /// What in a source may be called by a server of WSGI or ASGI, in its order.
    private static func interfaces(in text: String, _ name: String) -> [(variable: String, isAsynchronous: Bool)] {
        text.split(separator: "\n").compactMap { line in
            guard line.first?.isWhitespace != true else { return nil }
            let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
            if words.count > 2, words[0] == "def", ["environ", "env"].contains(words[2]), words.last == "start_response" {
                return (words[1], false)
            }
            if words.count > 3, words[0] == "async", words[1] == "def", words.contains("scope"), words.contains("receive") {
                return (words[2], true)
            }
            guard ["wsgi.py", "asgi.py"].contains(name), let first = words.first, ["application", "app"].contains(first),
                line.dropFirst(first.count).drop(while: \.isWhitespace).first == "="
            else { return nil }
            return (first, name == "asgi.py")
        }
    }

    private static func rank(_ name: String) -> Int {
        ["asgi.py", "wsgi.py", "main.py", "app.py", "server.py"].firstIndex(of: name) ?? 9
    }

    private static func django(_ folder: ProjectFolder) -> StarterConfiguration {
        let project = folder.names.first { folder.has($0 + "/wsgi.py") } ?? "project"
        var result = web(folder, module: project + ".wsgi", variable: "application", isAsynchronous: false)
        result.origin = "manage.py"
        result.apps[0].name = StarterApp.name(from: project, or: "app")
        if folder.program("gunicorn") == nil, !folder.requires(python: "gunicorn") {
            result.apps[0].command = [
                "/bin/sh", "-c", "exec \(folder.programOrGuess("python3")) manage.py runserver --noreload 127.0.0.1:$PORT",
            ]
            result.apps[0].remarks = ["Django's own server is for development: install gunicorn, and run goodgate init again."]
        }
        return result
    }

    /// By gunicorn or uvicorn where they are, else by what the framework has for development.
    private static func web(
        _ folder: ProjectFolder, module: String, variable: String, isAsynchronous: Bool, isFlask: Bool = true
    ) -> StarterConfiguration {
        let target = "\(module):\(variable)"
        var app = StarterApp(name: StarterApp.name(from: module.split(separator: ".").first.map(String.init) ?? "", or: "app"), command: [])
        func has(_ name: String) -> Bool { folder.program(name) != nil || folder.requires(python: name) }
        let server: String
        if isAsynchronous {
            server = "\(folder.programOrGuess("uvicorn")) \(target) --host 127.0.0.1 --port $PORT"
        } else if !isFlask || has("gunicorn") {
            let settings = folder.has("gunicorn.conf.py") ? "-c gunicorn.conf.py " : ""
            server = "\(folder.programOrGuess("gunicorn")) \(settings)-b 127.0.0.1:$PORT \(target)"
        } else {
            server = "\(folder.programOrGuess("python3")) -m flask --app \(target) run --host 127.0.0.1 --port $PORT"
            app.remarks.append("Flask's own server is for development: install gunicorn, and run goodgate init again.")
        }
        let needed = isAsynchronous ? "uvicorn" : "gunicorn"
        if isAsynchronous || !isFlask, folder.program(needed) == nil {
            app.remarks.append("\(needed) has to be installed, here or in a venv.")
        }
        app.command = ["/bin/sh", "-c", "exec " + server]
        app.instances = 2
        if folder.has(".env") { app.environmentFiles = [".env"] }
        return StarterConfiguration(origin: module.replacing(".", with: "/") + ".py", apps: [app])
    }

    /// A Ruby application: unicorn or puma.
    static func fromRuby(_ folder: ProjectFolder) -> StarterConfiguration? {
        guard folder.has("config.ru") else { return nil }
        let gems = (folder.text("Gemfile") ?? "") + (folder.text("Gemfile.lock") ?? "")
        let isUnicorn = gems.contains("unicorn") || folder.has("config/unicorn.rb")
        let bundle = folder.has("Gemfile") ? "\(folder.programOrGuess("bundle")) exec " : ""
        let server: String
        if isUnicorn {
            server = "unicorn \(folder.has("config/unicorn.rb") ? "-c config/unicorn.rb " : "")-l 127.0.0.1:$PORT"
        } else if gems.contains("puma") {
            server = "puma -b tcp://127.0.0.1:$PORT"
        } else {
            server = "rackup -o 127.0.0.1 -p $PORT"
        }
        var app = StarterApp(name: "app", command: ["/bin/sh", "-c", "exec \(bundle)\(server)"])
        app.environment = ["RACK_ENV=production", "RAILS_ENV=production"]
        return StarterConfiguration(origin: "config.ru", apps: [app])
    }
}
