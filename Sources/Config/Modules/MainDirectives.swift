extension DirectiveTableBuilder {
    /// Directives of the main context.
    mutating func addMain() {
        module = "core"
        add("user", .main, .between(1, 2)) { (reader, directive) throws(DirectiveError) in
            guard reader.facts.isRoot else {
                let text = "the \"user\" directive makes sense only if the master process runs with super-user privileges"
                reader.warn(text + ", ignored", directive)
                return
            }
            reader.configuration.main.user = directive.text(1)
            reader.configuration.main.userLocation = directive.location
            reader.configuration.main.group = directive.argumentCount == 2 ? directive.text(2) : nil
        }
        add("daemon", .main, .flag) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.isDaemon = try directive.flag()
        }
        add("master_process", .main, .flag) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.hasMasterProcess = try directive.flag()
        }
        add("pid", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            // Older packages say `pid off;`, which nginx takes as a file name; nobody wants that file.
            reader.configuration.main.pidPath = directive.isWord(1, "off") ? nil : reader.prefixed(directive.text(1))
        }
        add("worker_processes", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            if directive.isWord(1, "auto") {
                reader.configuration.main.workerProcesses = max(1, reader.facts.processorCount)
                return
            }
            guard let count = ValueParsing.integer(directive[1]) else { throw DirectiveError(directive, "invalid value") }
            reader.configuration.main.workerProcesses = count
        }
        add("worker_rlimit_nofile", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.workerFileLimit = try directive.number()
        }
        add("worker_rlimit_core", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.workerCoreSizeLimit = try directive.size(allowsGiga: true)
        }
        add("worker_shutdown_timeout", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.workerShutdownTimeout = try directive.milliseconds()
        }
        add("working_directory", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.workingDirectory = directive.text(1)
        }
        add("env", .main, .exactly(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.environment.append(EnvironmentVariable(word: directive[1]))
        }
        add("error_log", .main, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.errorLogs.append(try reader.errorLog(directive))
        }
        add("events", .main, .exactly(0), isBlock: true) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.events.isPresent = true
            let child = BlockScope(context: .events, location: directive.location)
            reader.read(directive.children ?? [], in: child)
        }
        add("http", .main, .exactly(0), isBlock: true) { (reader, directive) throws(DirectiveError) in
            reader.readHTTP(directive)
        }
        addIgnoredMain()
    }

    private mutating func addIgnoredMain() {
        let number: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.number() }
        let flag: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.flag() }
        let time: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.milliseconds() }
        accept("lock_file", .main, .exactly(1), "there is no accept lock")
        accept("timer_resolution", .main, .exactly(1), "the clock is read once per event-loop tick", check: time)
        accept("debug_points", .main, .exactly(1), "it is for debugging nginx itself")
        accept("worker_priority", .main, .exactly(1), "workers keep the priority that the supervisor was started with") {
            (_, directive) throws(DirectiveError) in
            let hasSign = directive[1].first == UInt8(ascii: "-") || directive[1].first == UInt8(ascii: "+")
            guard ValueParsing.integer(directive[1].dropFirst(hasSign ? 1 : 0)) != nil else {
                throw DirectiveError(directive, "invalid number")
            }
        }
        accept("worker_cpu_affinity", .main, .atLeast(1), "the kernel places the workers") {
            (_, directive) throws(DirectiveError) in
            for word in directive.arguments.dropFirst(directive.isWord(1, "auto") ? 1 : 0) {
                let isMask = { (byte: UInt8) in byte == 0x20 || byte == 0x30 || byte == 0x31 }
                guard let wrong = word.last(where: { !isMask($0) }) else { continue }
                throw DirectiveError(
                    "invalid character \"\(String(decoding: [wrong], as: UTF8.self))\" in \"worker_cpu_affinity\"")
            }
        }
        accept("pcre_jit", .main, .flag, "expressions are always compiled to machine code where PCRE2 can", check: flag)
        accept("thread_pool", .main, .between(2, 3), "files are not read by threads", isRepeatable: true) {
            (_, directive) throws(DirectiveError) in
            for index in 2...directive.argumentCount {
                let known = ["threads=", "max_queue="]
                guard let name = known.first(where: { directive.value(index, after: $0) != nil }) else {
                    throw directive.invalidParameter(index, known: known)
                }
                let number = directive.value(index, after: name).flatMap { ValueParsing.integer($0) }
                guard let number, number > 0 || name != "threads=" else {
                    throw DirectiveError("invalid \(name.dropLast()) value", quoting: directive[index])
                }
            }
        }
        accept(
            "load_module", .main, .exactly(1), "modules are built in; their directives are known or refused one by one",
            isRepeatable: true)
        accept("ssl_engine", .main, .exactly(1), "OpenSSL engines are not used")
        accept("ssl_object_cache_inheritable", .main, .flag, "there is no TLS yet", check: flag)
        accept("quic_bpf", .main, .flag, "there is no QUIC yet", check: flag)
        accept("google_perftools_profiles", .main, .exactly(1), "it is for profiling nginx itself")
        module = "events"
        accept("use", .events, .exactly(1), "the event loop is always epoll") {
            (_, directive) throws(DirectiveError) in
            let known = ["epoll", "poll", "select", "kqueue", "eventport", "/dev/poll", "rtsig"]
            guard known.contains(directive.text(1)) else {
                throw DirectiveError("invalid event type", quoting: directive[1])
            }
        }
        accept("multi_accept", .events, .flag, "how many connections are taken at once is chosen by load", check: flag)
        accept("accept_mutex", .events, .flag, "workers do not take turns in accepting", check: flag)
        accept("accept_mutex_delay", .events, .exactly(1), "workers do not take turns in accepting", check: time)
        accept("epoll_events", .events, .exactly(1), "the number of events per call is fixed", check: number)
        accept("worker_aio_requests", .events, .exactly(1), "kernel AIO is not used", check: number)
        for name in [
            "devpoll_changes", "devpoll_events", "eventport_events", "iocp_threads", "post_acceptex", "kqueue_changes",
            "kqueue_events",
        ] { accept(name, .events, .exactly(1), "it is for another operating system", check: number) }
        accept("acceptex_read", .events, .flag, "it is for another operating system", check: flag)
    }

    /// Directives of `events`.
    mutating func addEvents() {
        module = "events"
        add("worker_connections", .events, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            guard let count = ValueParsing.integer(directive[1]) else {
                throw DirectiveError("invalid number", quoting: directive[1])
            }
            reader.configuration.main.events.workerConnections = count
            reader.configuration.main.events.workerConnectionsLocation = directive.location
        }
        add("debug_connection", .events, .exactly(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            // Read, and not acted on: no line is of the level "debug".
            if directive.isWord(1, "unix:") { return }
            if let (_, hasLowBits) = AddressRange.parse(directive[1]) {
                if hasLowBits { reader.warn("low address bits of \(directive.text(1)) are meaningless", directive) }
                return
            }
            let host = try reader.address(directive[1], HostPort.Rules(), in: "debug_connection \"\(directive.text(1))\"")
            guard reader.addresses(of: host.address) != nil else {
                throw DirectiveError("host not found in debug_connection \"\(directive.text(1))\"")
            }
        }
    }
}

extension AddressRange {
    /// The network of one address; nil for Unix-domain sockets.
    init?(exactly address: NetworkAddress) {
        switch address {
        case .ipv4(let value, _): self = .ipv4(address: value, mask: .max)
        case .ipv6(let high, let low, _): self = .ipv6(high: high, low: low, maskHigh: .max, maskLow: .max)
        case .unix: return nil
        }
    }
}

extension EnvironmentVariable {
    /// `NAME` or `NAME=VALUE`.
    init(word: Bytes) {
        let equals = word.firstIndex(of: UInt8(ascii: "="))
        name = String(decoding: word[..<(equals ?? word.count)], as: UTF8.self)
        value = equals.map { String(decoding: word[($0 + 1)...], as: UTF8.self) }
    }
}
