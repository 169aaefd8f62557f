/// An `app` block to be written.
struct StarterApp: Equatable {
    var name: String
    var command: [String]
    /// Relative to the folder, or a full path; nil: the folder.
    var directory: String?
    /// `NAME=VALUE`.
    var environment: [String] = []
    var environmentFiles: [String] = []
    var user: String?
    var instances = 1
    var listen = Listen.port
    var stopSignal: String?
    /// Seconds.
    var stopTimeout: Int?
    /// Seconds.
    var watchdog: Int?
    var memoryMax: String?
    var memoryRecycle: String?
    /// Octal digits.
    var creationMask: String?
    var filesMax: Int?
    /// Gets requests. A worker of a queue does not.
    var isWeb = true
    /// What somebody should know who reads the block.
    var remarks: [String] = []

    enum Listen: Equatable {
        /// The app reads $PORT.
        case port
        /// The app reads $SOCKET_PATH.
        case unix
        /// The app has chosen, on 127.0.0.1.
        case fixed(Int)
    }

    /// The signal on which a program finishes its requests, when it is not TERM.
    static func gracefulSignal(of command: [String]) -> String? {
        let words = command.flatMap { $0.split(separator: " ") }.map { $0.split(separator: "/").last.map(String.init) ?? "" }
        for word in words {
            if word == "unicorn" || word == "unicorn_rails" || word.hasPrefix("php-fpm") || word == "nginx" { return "QUIT" }
            if word == "apache2" || word == "httpd" { return "WINCH" }
        }
        return nil
    }

    /// Names by which people call what works beside a site.
    private static let backgroundWords: Set<Substring> = [
        "worker", "workers", "job", "jobs", "queue", "queues", "cron", "scheduler", "clock", "consumer", "sidekiq", "celery", "beat",
    ]

    /// Whether its name or its command says that it serves no requests.
    var looksLikeBackground: Bool {
        ([name] + command).contains { text in
            text.lowercased().split { !$0.isLetter }.contains { Self.backgroundWords.contains($0) }
        }
    }

    /// The block.
    var text: String {
        var lines = remarks.map { "    # \($0)" }
        func add(_ directive: String, _ values: [String], _ comment: String? = nil) {
            let start = "    " + ([directive] + values.map(Self.quoted)).joined(separator: " ") + ";"
            lines.append(comment.map { start.padding(to: 48) + "# " + $0 } ?? start)
        }
        add("command", command)
        if let directory { add("directory", [directory]) }
        if let user { add("user", [user], "only when Goodgate is started by root") }
        for entry in environment { add("env", [entry]) }
        for file in environmentFiles { add("env_file", [file]) }
        switch listen {
        case _ where !isWeb:
            if instances > 1 { add("instances", [String(instances)]) }
            add("listen", ["none"], "it gets no requests: ready when it runs")
        case .port:
            if instances > 1 { add("instances", [String(instances)]) }
        case .unix:
            if instances > 1 { add("instances", [String(instances)]) }
            add("listen", ["unix"], "at the path in $SOCKET_PATH, a fresh one for each instance")
        case .fixed(let port):
            add("listen", ["127.0.0.1:\(port)"], "it has chosen this port itself: one instance only. Better: let it read $PORT")
        }
        let graceful = Self.gracefulSignal(of: command)
        if let signal = stopSignal ?? graceful {
            add("stop_signal", [signal], signal == graceful ? "finishes its requests on this signal" : nil)
        }
        if let stopTimeout { add("stop_timeout", ["\(stopTimeout)s"]) }
        if let watchdog { add("watchdog", ["\(watchdog)s"], "sends WATCHDOG=1 more often than that") }
        if let memoryMax { add("memory_max", [memoryMax]) }
        if let memoryRecycle { add("memory_recycle", [memoryRecycle], "replaced when it grows beyond; the next one starts first") }
        if let filesMax { add("nofile", [String(filesMax)]) }
        if let creationMask { add("umask", [creationMask]) }
        add("log", ["stderr"], "or a file: log api.log rotate=100m keep=7")
        return "app \(name) {\n" + lines.joined(separator: "\n") + "\n}\n"
    }

    /// The words of a line of assignments as systemd splits it: quotes keep spaces, and go.
    static func assignments(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// A word of the configuration, quoted where it has to be.
    static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || Array("-_./:=@%+,".utf8).contains(byte)
        }
        if isPlain { return word }
        var text = "\""
        for character in word {
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "\""
    }

    /// A name that a block may have: letters, digits, `-` and `_`.
    static func name(from text: String, or other: String) -> String {
        let last = text.split(separator: "/").last ?? ""
        let name = String(last.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" })
        let trimmed = name.drop { $0 == "-" }.prefix(40)
        return trimmed.isEmpty ? other : String(trimmed)
    }

    /// A command line as an argument list: directly when it is plain words, by a shell when it needs one (`$PORT`, `&&`, quotes).
    static func command(_ line: String, in folder: ProjectFolder) -> [String] {
        var words = line.split(separator: " ").map(String.init)
        let needsShell = line.contains { "$&|;<>()`'\"*?~#\\{}".contains($0) } || words.first?.contains("=") ?? true
        guard needsShell else {
            if !words[0].hasPrefix("/") {
                words[0] = words[0].contains("/") ? folder.path + "/" + words[0].dropPrefix("./") : folder.programOrGuess(words[0])
            }
            return words
        }
        // With exec, the shell becomes the program: one process less, and signals reach the right one.
        let isList = line.contains { "&|;".contains($0) }
        if isList || line.hasPrefix("exec ") { return ["/bin/sh", "-c", line] }
        // After exec, an assignment before the program would be taken for the program.
        return ["/bin/sh", "-c", "exec " + (words.first?.contains("=") == true ? "env " : "") + line]
    }
}

extension StarterApp {
    /// Options by which servers are told where to listen: gunicorn and puma take `unix:PATH` or `unix://PATH`, uvicorn and waitress a path.
    private static let bindingOptions = ["-b", "--bind", "--listen", "--uds", "--unix-socket"]

    /// A command line that listens at a Unix-domain socket, with the one that Goodgate chooses in its place; nil: it names none.
    static func withSocketPath(_ line: String) -> String? {
        var option: Substring = ""
        for word in line.split(whereSeparator: { $0.isWhitespace || $0 == "=" || $0 == "'" || $0 == "\"" }) {
            defer { option = word }
            let isAttached = word.hasPrefix("-bunix:")
            guard isAttached || bindingOptions.contains(String(option)) else { continue }
            let value = isAttached ? word.dropFirst(2) : word
            let path = ["unix://", "unix:"].first { value.hasPrefix($0) }.map { value.dropFirst($0.count) } ?? value
            guard path.first == "/", path.startIndex > value.startIndex || option.hasPrefix("--u") else { continue }
            return line[..<path.startIndex] + "$SOCKET_PATH" + line[(path.firstIndex(of: "?") ?? path.endIndex)...]
        }
        return nil
    }
}

extension String {
    func padding(to length: Int) -> String { count < length ? self + String(repeating: " ", count: length - count) : self + "  " }
    func dropSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
    func dropPrefix(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
