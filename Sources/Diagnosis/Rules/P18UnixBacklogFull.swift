import Machine

/// P18: the accept queue of a unix socket is full; the kernel says EAGAIN at once.
enum P18UnixBacklogFull {
    static let rule = Rule(
        number: 18, slug: "unix-backlog-full", title: "The socket's accept queue is full", depth: 5,
        reasons: [.backlogFull], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer, peer.isUnixSocket else { return .notApplicable }
        var lines = [RuleSupport.failures(failure, [.backlogFull])]
        let listener = evidence.listeners(for: peer).first
        let somaxconn = evidence.host.value?.somaxconn
        var isFull = false
        if let listener, let max = listener.queueMax {
            isFull = listener.queue >= max
            lines.append(
                EvidenceLine(
                    "\(listener.queue) connections wait, the queue holds \(max)",
                    source: "ss -xl src \(peer.path ?? "")", time: failure.now))
        }
        if let somaxconn {
            lines.append(EvidenceLine("net.core.somaxconn = \(somaxconn)", source: "/proc/sys/net/core/somaxconn"))
        }
        let who = listener?.owner?.text ?? "the application behind \(peer.text)"
        return .finding(
            Finding(
                isFull ? .proven : .firm, Culprit(.application, who),
                "\(who) does not accept as fast as requests come: its accept "
                    + "queue\(listener?.queueMax.map { " of \($0)" } ?? "") was full.",
                evidence: lines, disproof: "A queue that stays empty while connections fail with error 11.",
                fix: Fix(
                    "More or faster workers; a longer queue for bursts (the application's backlog, and somaxconn "
                        + "above it); a limit in the proxy (`max_conns`, Goodgate: `queue`).",
                    commands: [
                        "sysctl -w net.core.somaxconn=4096",
                        listener?.owner?.unit.map { "systemctl restart \($0)" } ?? "ss -xl",
                    ])))
    }
}
