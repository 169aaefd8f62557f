import Machine

/// P19: nobody answered the connection request: a full accept queue, a dropping firewall, a dead host, a full tracking table.
enum P19ConnectTimeout {
    static let rule = Rule(
        number: 19, slug: "connect-timeout", title: "No answer to the connection request", depth: 5,
        reasons: [.connectTimeout], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer, failure.has([.connectTimeout]) else { return .notApplicable }
        let timedOut = RuleSupport.failures(failure, [.connectTimeout])
        let host = evidence.host.value
        let near = evidence.events.filter { failure.covers($0.time, before: 60_000, after: 60_000) }
        if let full = near.last(where: { $0.kind == .conntrackFull }) ?? nil {
            return .finding(conntrack(host, [timedOut, RuleSupport.line(full)]))
        }
        if let count = host?.conntrackCount, let max = host?.conntrackMax, max > 0, count >= max {
            return .finding(
                conntrack(
                    host,
                    [
                        timedOut,
                        EvidenceLine(
                            "\(count) of \(max) tracked connections",
                            source: "/proc/sys/net/netfilter/nf_conntrack_count", time: failure.now),
                    ]))
        }
        let listener = evidence.listeners(for: peer).first
        if let listener, let port = peer.port {
            let flood = near.last { if case .synFlood(let flooded) = $0.kind { flooded == port } else { false } }
            let overflows = host?.counterDeltas["ListenOverflows"] ?? 0
            let isFull = listener.queue > 0 && listener.queue >= listener.queueMax ?? .max
            if isFull || flood != nil || overflows > 0 {
                var lines = [timedOut]
                if isFull {
                    lines.append(
                        EvidenceLine(
                            "\(listener.queue) connections wait, the queue holds \(listener.queueMax ?? 0)",
                            source: "ss -ltn sport = :\(port)", time: failure.now))
                }
                if let flood { lines.append(RuleSupport.line(flood)) }
                if overflows > 0 {
                    lines.append(
                        EvidenceLine("ListenOverflows grew by \(overflows)", source: "nstat -az TcpExtListenOverflows"))
                }
                return .finding(queueFull(peer, listener, isFull || flood != nil ? .proven : .firm, lines))
            }
        }
        if RuleSupport.isLocal(peer, evidence) == true {
            return .finding(
                Finding(
                    .possible, Culprit(.firewall, peer.text),
                    "\(peer.text) is on this host and did not answer: a rule drops the packets, or the accept queue "
                        + "was full at the time.",
                    evidence: [timedOut], disproof: "A connection from this host that works at once.",
                    fix: Fix(
                        "Look for a dropping rule and for the application's accept queue.",
                        commands: ["nft list ruleset | grep -n drop", "ss -ltn sport = :\(peer.port ?? 0)"])))
        }
        let silent = evidence.probe.value?.errorNumber == 110
        return .finding(
            Finding(
                silent ? .firm : .likely, Culprit(.network, peer.hostText),
                "\(peer.text) does not answer at all: the host is down, or a firewall drops packets to it.",
                evidence: [timedOut]
                    + (silent
                        ? [
                            EvidenceLine(
                                "a connection tried now gets no answer either", source: evidence.probe.source,
                                time: failure.now)
                        ] : []),
                disproof: "An answer (even a refusal) from \(peer.hostText).",
                fix: Fix(
                    "Check the host and the rules between; a connect time-out of 1 to 2 s instead of 60 s lets the "
                        + "next server be tried in time.",
                    commands: ["ping -c 3 \(peer.hostText)", "nft list ruleset | grep -n drop"],
                    diff: "+\(RuleSupport.module(evidence))_connect_timeout 2s;")))
    }

    private static func conntrack(_ host: HostFacts?, _ lines: [EvidenceLine]) -> Finding {
        Finding(
            .proven, Culprit(.firewall, "connection tracking"),
            "The connection tracking table is full\(host?.conntrackMax.map { " (\($0))" } ?? ""): the kernel drops "
                + "new connections.",
            evidence: lines, disproof: "Free entries at the time of the failures.",
            fix: Fix(
                "Enlarge it, or do not track the proxy's own connections.",
                commands: ["sysctl -w net.netfilter.nf_conntrack_max=\((host?.conntrackMax ?? 65_536) * 2)"]))
    }

    private static func queueFull(
        _ peer: PeerAddress, _ listener: Listener, _ confidence: Confidence, _ lines: [EvidenceLine]
    ) -> Finding {
        let who = listener.owner?.text ?? "the application behind \(peer.text)"
        return Finding(
            confidence, Culprit(.application, who),
            "\(who) does not accept connections: its accept queue is full, and the kernel drops further requests for "
                + "a connection.",
            evidence: lines, disproof: "An accept queue that stays empty.",
            fix: Fix(
                "Find out what it does instead of accepting (blocked, out of descriptors, stopped); a longer backlog "
                    + "only helps with bursts.",
                commands: [
                    "cat /proc/\(listener.owner?.pid ?? 0)/wchan; ls /proc/\(listener.owner?.pid ?? 0)/fd | wc -l",
                    "sysctl -w net.core.somaxconn=4096",
                ]))
    }
}
