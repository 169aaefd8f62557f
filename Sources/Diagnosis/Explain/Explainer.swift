import Machine

/// Explains one line of a log: nginx, HAProxy, Caddy, Envoy, Go proxies, systemd, kernel, audit, PM2, gunicorn, php-fpm.
///
/// Linear in the line, which is cut after 16 KB; hostile text cannot make it fail, only be misunderstood as its own kind.
package enum Explainer {
    /// nil when the line tells nothing of a failure that the rulebook knows.
    package static func explain(_ line: some StringProtocol) -> Explanation? { explain(LineText(line)) }

    /// The same for bytes.
    package static func explain(_ line: LineText) -> Explanation? {
        let line = LineText(line.bytes.prefix(16_384)).trimmed
        guard !line.isEmpty else { return nil }
        if line.bytes.first == 123 { return JSONLogs.explain(line) ?? plain(line) }
        // What nginx says of a request quotes clients and applications, and tells no event of a host.
        if let parsed = NginxErrorLine(line) {
            return nginx(parsed) ?? (parsed.client == nil ? fromEvent(line, message: parsed.message) : nil)
        }
        return EnvoyLog.explain(line) ?? HAProxyLog.explain(line) ?? NginxErrorLine.within(line).flatMap(nginx) ?? plain(line)
    }

    private static func plain(_ line: LineText) -> Explanation? {
        fromEvent(line, message: line) ?? GoErrors.explain(line, origin: .go)
    }

    static func nginx(_ line: NginxErrorLine) -> Explanation? {
        guard let failure = NginxFailure.classify(line) else { return beside(line) }
        let rules = failure.rules.map(RuleNames.id)
        // What it could not bind is its own.
        let bound = line.message.hasPrefix("bind() to ") ? line.message.between("bind() to ", " failed") : nil
        let peer = line.peer ?? bound.map { PeerAddress(parsing: $0.string) }
        return Explanation(
            .nginx, rules: rules, reason: failure.reason, failure.summary,
            checks: RuleChecks.checks(failure.rules, peer: peer),
            peer: line.peer, phase: line.action.isEmpty ? nil : line.action, errorNumber: line.errorNumber)
    }

    /// What nginx says of requests without an upstream having failed.
    private static func beside(_ line: NginxErrorLine) -> Explanation? {
        if line.client != nil, line.action.hasPrefix("SSL handshaking"), !line.action.contains("upstream") {
            return Explanation(
                .nginx, rules: [], reason: .clientGone,
                "A client did not finish its TLS handshake with nginx: no upstream is concerned.", phase: line.action)
        }
        if line.message.hasPrefix("FastCGI sent in stderr: \""), line.message.contains("Primary script unknown") {
            return Explanation(
                .phpFpm, rules: ["P30"], reason: .appAnswered, "php-fpm was asked for a script that it does not see, and answers 404.",
                checks: ["SCRIPT_FILENAME (root and fastcgi_script_name) against the files, as the pool's user sees them in its chroot"])
        }
        return nil
    }

    /// Lines of systemd, the kernel and application servers, with or without a syslog head.
    private static func fromEvent(_ line: LineText, message: LineText) -> Explanation? {
        let origin = EventReader.Origin(time: Timestamp(milliseconds: 0), source: "the line")
        var event = LifeEvent(time: origin.time, kind: .started, line: line.string)
        let text = SyslogHead.strip(message)
        if EventReader.kernel(text, &event) {
            return EventText.explain(event, text, EventText.isDenial(event.kind) ? .audit : .kernel)
        }
        event = LifeEvent(time: origin.time, kind: .started, line: line.string)
        if text.contains(".service: ") || text.contains("repeated too quickly")
            || text.contains("Failed with result '"), EventReader.systemd(text, &event),
            EventText.isFailure(event.kind)
        {
            return EventText.explain(event, text, .systemd)
        }
        event = LifeEvent(time: origin.time, kind: .started, line: line.string)
        if text.contains("exceeds --max-memory-restart") {
            return Explanation(
                .pm2, rules: ["P12", "P10"], reason: nil, "PM2 restarts the app because it passed max_memory_restart.",
                checks: ["pm2 describe NAME", "a fork-mode restart drops the connections in flight"])
        }
        guard EventReader.application(text, &event), EventText.isFailure(event.kind) else {
            if text.contains("execution timed out"), text.contains("child ") {
                return Explanation(
                    .phpFpm, rules: ["P28"], reason: nil,
                    "php-fpm ended a child that ran longer than request_terminate_timeout.",
                    checks: ["the slow log of the pool (slowlog, request_slowlog_timeout)"])
            }
            return nil
        }
        return EventText.explain(event, text, EventText.origin(text))
    }
}

/// Ids by number.
enum RuleNames {
    static func id(_ number: Int) -> String { number < 10 ? "P0\(number)" : "P\(number)" }
}

/// `Nov 22 10:03:04 host name[pid]: message` and `[ 12.345] message` without their heads.
enum SyslogHead {
    static func strip(_ line: LineText) -> LineText {
        if line.bytes.first == 91, let close = line.find("] "), close - line.bytes.startIndex <= 20,
            line.bytes[(line.bytes.startIndex + 1)..<close].allSatisfy({ $0 == 32 || $0 == 46 || $0 >= 48 && $0 <= 57 })
        {
            return LineText(line.bytes[(close + 2)...])
        }
        for name in ["kernel: ", "]: "] as [StaticString] {
            if let at = line.find(name), at - line.bytes.startIndex < 120,
                line.bytes.first.map({ $0 >= 48 && $0 <= 57 || $0 >= 65 && $0 <= 90 }) ?? false
            {
                let rest = LineText(line.bytes[(at + name.utf8CodeUnitCount)...])
                return rest.bytes.first == 91 ? strip(rest) : rest
            }
        }
        return line
    }
}
