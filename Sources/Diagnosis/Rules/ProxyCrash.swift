import Machine

/// The end of a worker of the proxy itself, as its master logged it: `worker process 29 exited on signal 11 (core dumped)`.
struct ProxyCrash {
    let pid: Int32
    let signal: Int
    let hasCore: Bool
    let line: String

    init?(_ failure: FailureCase) {
        let text = LineText(failure.detail)
        guard failure.has([.proxyCrashed]), let pid = text.after("worker process ")?.number, let signal = text.after("on signal ")?.number
        else { return nil }
        (self.pid, self.signal, hasCore, line) = (Int32(truncatingIfNeeded: pid), signal, text.contains("core dumped"), failure.detail)
    }

    /// Whether an event is of a worker of the proxy at the time; in a container the kernel counts its processes otherwise.
    func isTold(by event: LifeEvent, _ failure: FailureCase) -> Bool {
        (event.pid == pid || event.process == failure.proxy) && failure.covers(event.time, before: 3_000, after: 3_000)
    }

    func culprit(_ failure: FailureCase) -> Culprit { Culprit(.process, "\(failure.proxy) (worker process \(pid))") }

    /// What the master logged, with how often.
    func evidence(_ failure: FailureCase) -> [EvidenceLine] {
        [EvidenceLine(line, source: "error log", time: failure.first), RuleSupport.failures(failure, [.proxyCrashed])]
    }

    var signalText: String {
        let names = [4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV"]
        return names[signal].map { "signal \(signal) (\($0))" } ?? "signal \(signal)"
    }
}

extension P07DiedMidRequest {
    /// No upstream is concerned.
    static func ofProxy(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let crash = ProxyCrash(failure) else { return .notApplicable }
        let fault = evidence.kernel.value?.first { $0.kind == .segfault && crash.isTold(by: $0, failure) }
        // `… error 4 in ngx_http_x_module.so[7f3a…]`: the file whose code it was in.
        let file = (fault.flatMap { LineText($0.line).after(" in ") })?.upTo("[").word.string
        let isModule = file.map { $0.hasSuffix(".so") && $0.hasPrefix("ngx_") } ?? false
        let advice =
            crash.signal == 9
            ? "Look who sent the signal; nothing that \(failure.proxy) does ends so."
            : isModule
                ? "Update or leave out the module \(file ?? "")."
                : "A crash is a mistake in \(failure.proxy) or in a module, mostly one from elsewhere: update it, or leave modules out."
        let more: ShellCommand = crash.hasCore ? "coredumpctl info \(crash.pid)" : "journalctl -k --no-pager -g \(failure.proxy)"
        return .finding(
            Finding(
                .proven, crash.culprit(failure),
                "A worker process of \(failure.proxy) itself was killed by \(crash.signalText)\(file.map { " in \($0)" } ?? ""): "
                    + "all requests that it held were cut, and no upstream is concerned.",
                evidence: crash.evidence(failure) + (fault.map { [RuleSupport.line($0)] } ?? []),
                disproof: "Process \(crash.pid) not being a worker of \(failure.proxy).",
                fix: Fix(
                    advice,
                    commands: crash.signal == 9 ? [more] : [more, "\(failure.proxy) -T 2>/dev/null | grep -n load_module"],
                    diff: crash.signal == 9 || crash.hasCore ? nil : "+worker_rlimit_core 500m;\n+working_directory /var/tmp;")))
    }
}

extension P10OutOfMemory {
    /// A worker of the proxy itself.
    static func ofProxy(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let crash = ProxyCrash(failure), crash.signal == 9 else { return .notApplicable }
        let kills = evidence.events.filter { if case .outOfMemory = $0.kind { true } else { false } }
        guard let kill = kills.last(where: { crash.isTold(by: $0, failure) }) else {
            guard evidence.kernel.value != nil || evidence.journal.value != nil else {
                return .undecided(evidence.kernel.unavailableBecause ?? "neither kernel log nor journal was read")
            }
            return evidence.notLogged("no OOM kill of \(failure.proxy) was logged", at: failure)
        }
        let isLimited = if case .outOfMemory("MEMCG") = kill.kind { true } else { false }
        let unit = kill.unit ?? kill.cgroup.flatMap(ProcessTable.unit(ofCgroup:)) ?? failure.proxy + ".service"
        return .finding(
            Finding(
                .proven, crash.culprit(failure),
                "A worker process of \(failure.proxy) itself was killed by the OOM killer: "
                    + (isLimited ? "\(unit) reached its memory limit" : "the host was out of memory")
                    + ". All requests that it held were cut, and no upstream is concerned.",
                evidence: crash.evidence(failure) + [RuleSupport.line(kill)],
                disproof: "The killed pid not being a worker of \(failure.proxy).",
                fix: isLimited
                    ? Fix(
                        "Raise the limit, or make buffers, caches and worker_connections smaller.",
                        commands: ["systemctl show \(unit) -p MemoryMax,MemoryHigh"])
                    : Fix(
                        "Give the host more memory, or limit what else runs on it.",
                        commands: ["systemd-cgtop -m -n 1 --batch | head"])))
    }
}
