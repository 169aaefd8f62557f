/// Recognises messages of systemd, the kernel, supervisors and application servers. Pure; linear in the message.
package enum EventReader {
    /// Where a message comes from, as far as its transport tells.
    package struct Origin: Sendable {
        /// What the transport says of a message; empty or nil where it says nothing.
        package var time: Timestamp
        package var isKernel = false
        package var identifier = ""
        package var unit: String?
        package var pid: Int32?
        package var source: String
        /// Only process 1 speaks for units: anybody may call himself systemd, and each user has a manager of that name.
        var isManager: Bool { identifier == "systemd" && pid == 1 }
        package init(
            time: Timestamp, isKernel: Bool = false, identifier: String = "", unit: String? = nil, pid: Int32? = nil,
            source: String
        ) {
            self.time = time; self.isKernel = isKernel; self.identifier = identifier; self.unit = unit; self.pid = pid;
            self.source = source
        }
    }

    /// The event a message tells; nil for all that says nothing of use.
    package static func read(_ message: LineText, _ origin: Origin) -> LifeEvent? {
        var event = LifeEvent(
            time: origin.time, kind: .started, pid: origin.pid,
            process: origin.identifier.isEmpty ? nil : origin.identifier,
            unit: origin.unit, line: String(message.string.prefix(400)), source: origin.source)
        if origin.isKernel { return kernel(message, &event) ? event : nil }
        if origin.isManager { return systemd(message, &event) ? event : nil }
        return application(message, &event) ? event : nil
    }

    // MARK: the kernel

    static func kernel(_ m: LineText, _ event: inout LifeEvent) -> Bool {
        event.process = nil
        event.pid = nil
        if let rest = m.after("oom-kill:constraint=CONSTRAINT_") {
            event.kind = .outOfMemory(constraint: rest.word.string)
            event.cgroup = rest.after("task_memcg=")?.upTo(",").string
            event.process = rest.after(",task=")?.upTo(",").string
            event.pid = rest.after(",pid=")?.number.map { Int32(truncatingIfNeeded: $0) }
            event.unit = nil
            // The kernel's line without its masks, which nobody reads.
            event.line =
                "oom-kill:constraint=CONSTRAINT_\(rest.word.string)" + (event.cgroup.map { ",task_memcg=\($0)" } ?? "")
                + ",task=\(event.process ?? "?"),pid=\(event.pid ?? 0)"
            return true
        }
        if let rest = m.after("ut of memory: Killed process ") {
            event.kind = .outOfMemory(constraint: m.contains("Memory cgroup out") ? "MEMCG" : "NONE")
            event.pid = rest.number.map { Int32(truncatingIfNeeded: $0) }
            event.process = rest.between("(", ")")?.string
            return true
        }
        if m.contains(": segfault at ") || m.contains("general protection") && m.contains("[")
            || m.contains("traps: ") && m.contains("] trap ")
        {
            event.kind = .segfault
            let named = m.after("traps: ") ?? m
            event.process = named.upTo("[").trimmed.string
            event.pid = named.after("[")?.number.map { Int32(truncatingIfNeeded: $0) }
            return true
        }
        if let rest = m.after("ossible SYN flooding on port ") {
            let text = rest.word.string
            let port = text.split(separator: ":").last.map { $0.prefix { $0.isNumber } }.flatMap { UInt16($0) } ?? 0
            event.kind = .synFlood(port: port)
            return true
        }
        if m.contains("nf_conntrack"), m.contains("table full, dropping packet") {
            event.kind = .conntrackFull
            return true
        }
        return denial(m, &event)
    }

    /// SELinux and AppArmor: from the kernel log or from auditd's.
    static func denial(_ m: LineText, _ event: inout LifeEvent) -> Bool {
        let isSELinux = m.contains("avc:") && m.contains("denied")
        guard isSELinux || m.contains("apparmor=\"DENIED\"") else { return false }
        let permission = isSELinux ? m.between("{", "}")?.trimmed.string : m.between("operation=\"", "\"")?.string
        event.kind = .denied(
            permission: permission ?? "", port: m.after("dest=")?.number.flatMap { UInt16(exactly: $0) })
        event.process = m.between("comm=\"", "\"")?.string
        event.pid = m.after(" pid=")?.number.map { Int32(truncatingIfNeeded: $0) }
        return true
    }

    // MARK: systemd

    static func systemd(_ m: LineText, _ event: inout LifeEvent) -> Bool {
        if event.unit == nil || event.unit == "init.scope" { event.unit = unitName(m) }
        event.process = nil
        event.pid = nil
        if m.contains("killed by the OOM killer") || m.contains("systemd-oomd killed ") {
            event.kind = .outOfMemory(constraint: "")
        } else if let rest = m.after("Main process exited, code=") {
            event.kind = ended(rest)
        } else if let rest = m.after("Control process exited, code=") {
            event.kind = ended(rest)
            event.isOfControl = true
        } else if let rest = m.after("Failed with result '") {
            event.kind = .failed(result: rest.upTo("'").string)
        } else if let rest = m.after("restart counter is at ") {
            event.kind = .restartScheduled(count: rest.number ?? 0)
        } else if m.contains("Start request repeated too quickly") {
            event.kind = .gaveUp
        } else if m.contains("State '") && m.contains("timed out. Killing") {
            event.kind = .stopTimedOut
        } else if m.hasPrefix("Started ") {
            event.kind = .started
        } else if m.hasPrefix("Stopping ") {
            event.kind = .stopping
        } else if m.hasPrefix("Stopped ") {
            event.kind = .stopped
        } else if m.hasPrefix("Reloaded ") {
            event.kind = .reload
        } else {
            return false
        }
        return true
    }

    /// `code=killed, status=9/KILL` after `code=`.
    private static func ended(_ rest: LineText) -> LifeEvent.Kind {
        let status = rest.after("status=")?.number ?? 0
        if rest.hasPrefix("killed") { return .killed(signal: status, coreDumped: false) }
        if rest.hasPrefix("dumped") { return .killed(signal: status, coreDumped: true) }
        return .exited(code: status)
    }

    /// `app.service: …`, `Started app.service - …`.
    static func unitName(_ m: LineText) -> String? {
        for field in m.fields(4) {
            var text = field.string
            while let last = text.last, last == ":" || last == "." || last == "," { text.removeLast() }
            if text.hasSuffix(".service") || text.hasSuffix(".scope") || text.hasSuffix(".socket") { return text }
        }
        return nil
    }

    // MARK: applications and their supervisors

    static func application(_ m: LineText, _ event: inout LifeEvent) -> Bool {
        if m.contains("EADDRINUSE") || m.contains("ddress already in use") || m.contains("still could not bind()")
            || m.contains("bind()") && m.contains("failed (98:") || m.contains("Connection in use: (")
            || m.contains("Port ") && m.contains(" was already in use")
        {
            event.kind = .addressInUse
        } else if let rest = m.after("WORKER TIMEOUT (pid:") {
            event.kind = .workerTimeout
            event.pid = rest.number.map { Int32(truncatingIfNeeded: $0) }
        } else if let rest = m.after("Worker (pid:"), rest.contains("was sent SIG") {
            event.kind = .killed(
                signal: rest.contains("SIGKILL") ? 9 : rest.contains("SIGSEGV") ? 11 : 15, coreDumped: false)
            event.isWorker = true
            event.pid = rest.number.map { Int32(truncatingIfNeeded: $0) }
        } else if let rest = m.after("max_children setting (") {
            event.kind = .poolExhausted(limit: rest.number ?? 0)
            event.member = pool(m)
        } else if m.contains("child "), let rest = m.after(" exited on signal ") {
            event.kind = .killed(signal: rest.number ?? 0, coreDumped: rest.contains("core dumped"))
            event.pid = m.after("child ")?.number.map { Int32(truncatingIfNeeded: $0) }
            event.isWorker = true
            event.member = pool(m)
        } else if m.contains("had too many unstable restarts (") || m.contains("entered FATAL state") {
            event.kind = .gaveUp
            event.member = m.between("gave up: ", " entered")?.string
        } else if let rest = m.after("exited: "), m.contains("expected)") {
            supervised(rest, &event)
        } else if m.contains("-reload- New worker listening") || m.contains("hardReload") || m.contains("softReload") {
            event.kind = .reload
        } else if let rest = m.after("exited with code ["), m.contains("App [") {
            let signal = signalNumber(rest.between("signal [", "]")?.string ?? "")
            let code = rest.number ?? 0
            event.kind = code == 0 && signal != 0 ? .killed(signal: signal, coreDumped: false) : .exited(code: code)
            event.process = m.between("App [", "]")?.upTo(":").string ?? event.process
            event.member = event.process
        } else if let port = listeningPort(m) {
            event.kind = .listening(port: port)
        } else if denial(m, &event) {
        } else {
            return false
        }
        return true
    }

    /// supervisord's `api (exit status 1; not expected)`, `api (terminated by SIGKILL (core dumped); not expected)`.
    private static func supervised(_ m: LineText, _ event: inout LifeEvent) {
        event.member = m.upTo(" ").string
        event.process = event.member
        if let rest = m.after("terminated by ") {
            event.kind = .killed(signal: signalNumber(rest.word.string.filter { $0 != ";" }), coreDumped: rest.contains("core dumped"))
        } else {
            event.kind = .exited(code: m.after("exit status ")?.number ?? 0)
        }
    }

    /// `pool www`: one php-fpm has several.
    private static func pool(_ m: LineText) -> String? { m.between("[pool ", "]").map { "pool \($0.string)" } }

    /// "Listening on port 3000", "listening at: http://127.0.0.1:8000", "Uvicorn running on http://0.0.0.0:8000", "Local: http://localhost:3000".
    static func listeningPort(_ m: LineText) -> UInt16? {
        guard m.bytes.count < 1_000, !speaksOfAnother(m),
            let rest = m.after("istening") ?? m.after("running on ") ?? m.after("running at ") ?? m.after("LISTENING")
                ?? m.after("erver started on ")
                ?? m.after("serving on ") ?? m.after("Serving HTTP on ")
        else { return nil }
        if let number = (rest.after("port ") ?? rest.after("port: "))?.number { return UInt16(exactly: number) }
        var index = rest.bytes.startIndex, found: UInt16?
        while index < rest.bytes.endIndex {
            if rest.bytes[index] == 58, let number = LineText(rest.bytes[(index + 1)...].prefix(6)).number, number > 0 {
                found = UInt16(exactly: number) ?? found; break
            }
            index += 1
        }
        if let found { return found }
        return rest.trimmed.hasPrefix("on ")
            ? rest.after("on ")?.trimmed.number.flatMap { $0 > 0 ? UInt16(exactly: $0) : nil } : nil
    }

    /// Whether a line that names a listener is about somebody else's: who connects, waits or complains.
    private static func speaksOfAnother(_ m: LineText) -> Bool {
        if let rest = m.after("aiting for ") {
            return !["connection", "incoming", "request", "client"].contains { rest.hasPrefix($0) }
        }
        return ["ECONN", "refused", "not listening", "is it listening", "onnect to", "onnecting to", "onnection to", "ailed", "imed out"]
            .contains { m.contains($0) }
    }

    static func signalNumber(_ name: String) -> Int {
        switch name {
        case "SIGHUP": 1;
        case "SIGINT": 2;
        case "SIGQUIT": 3;
        case "SIGILL": 4;
        case "SIGABRT": 6;
        case "SIGBUS": 7;
        case "SIGFPE": 8
        case "SIGKILL": 9;
        case "SIGSEGV": 11;
        case "SIGPIPE": 13;
        case "SIGTERM": 15
        default: 0
        }
    }

    /// Without the ends of commands that ended nothing else, such as a failed ExecReload=: one of a start or a stop is followed by the
    /// unit's result, or by the end that systemd then gave its main process. Events must be in the order of time. O(n · events in 10 s).
    package static func settled(_ events: [LifeEvent]) -> [LifeEvent] {
        events.indices.compactMap { index in
            let event = events[index]
            guard event.isOfControl else { return event }
            let next = events[(index + 1)...].prefix { $0.time.since(event.time) <= 10_000 }.first { later in
                guard later.unit == event.unit, !later.isOfControl else { return false }
                switch later.kind {
                case .failed, .exited, .killed, .started, .reload: return true
                default: return false
                }
            }
            switch next?.kind {
            case .failed: return event
            // A crash of its own tells more, and is one end.
            case .exited, .killed: return next?.kind.isCrash == true ? nil : event
            default: return nil
            }
        }
    }

    /// The kernel tells one OOM kill in two lines: keeps the one with the cgroup. Events must be in the order of time.
    package static func merged(_ events: [LifeEvent]) -> [LifeEvent] {
        var out: [LifeEvent] = []
        for event in events {
            if case .outOfMemory = event.kind, event.cgroup == nil, event.unit == nil, let pid = event.pid,
                out.contains(where: { $0.pid == pid && $0.cgroup != nil && abs($0.time.since(event.time)) < 5_000 })
            {
                continue
            }
            out.append(event)
        }
        return out
    }
}
