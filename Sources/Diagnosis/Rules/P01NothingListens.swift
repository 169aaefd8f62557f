import Machine

/// P01: the kernel refused the connection because no socket listens there.
enum P01NothingListens {
    static let rule = Rule(
        number: 1, slug: "nothing-listens", title: "Nothing listens there", depth: 2,
        reasons: [.connectRefused, .poolEmpty], release: .end, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        if failure.peer == nil, let app = evidence.own, failure.has([.poolEmpty]) { return emptied(failure, app, evidence) }
        guard let peer = failure.peer, failure.has([.connectRefused]) else { return .notApplicable }
        guard peer.isIP || peer.isUnixSocket else { return .undecided("the peer's address is not known") }
        if RuleSupport.isLocal(peer, evidence) == false { return remote(failure, peer, evidence) }
        guard evidence.knowsListeners(for: peer) else {
            return .undecided(evidence.listeners.unavailableBecause ?? "the listener table was not read")
        }
        let refused = RuleSupport.failures(failure, [.connectRefused])
        let listening = evidence.listeners(for: peer)
        if let listener = listening.first { return listensNow(failure, peer, listener, evidence, refused) }
        let absent = EvidenceLine(
            "no socket listens on \(peer.text)", source: evidence.listenerSource(for: peer), time: failure.now)
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let other = otherPort(of: link.unit, peer, evidence)
            if let other, isSettled(link, other, failure) { return wrongPort(peer, link, other, evidence, [refused, absent]) }
            let elsewhere = other.map { [RuleSupport.line($0, evidence.listeners.source)] } ?? []
            return .finding(stopped(failure, peer, link, evidence, [refused, absent] + elsewhere))
        }
        if let app = evidence.apps.value?.first(where: { $0.ports.contains(peer.port ?? 0) && $0.pid == 0 }) {
            return .finding(
                Finding(
                    .firm, Culprit(.supervisor, "\(app.supervisor.rawValue) \(app.name)"),
                    "Nothing listens on \(peer.text): \(app.name) is \(app.status) in \(app.supervisor.rawValue).",
                    evidence: [
                        refused, absent,
                        EvidenceLine(
                            "\(app.name) is \(app.status), \(app.restarts) restarts", source: evidence.apps.source),
                    ],
                    disproof: "A listener on \(peer.text) while the connection is refused.",
                    fix: Fix(
                        "Start it and read its log.",
                        commands: app.supervisor == .pm2
                            ? ["pm2 logs \(app.name) --lines 20 --nostream", "pm2 restart \(app.name)"]
                            : ["supervisorctl restart \(app.name)"])))
        }
        return .finding(
            Finding(
                .likely, Culprit(.application, "the application behind \(peer.text)"),
                "Nothing listens on \(peer.text) in the proxy's network namespace.", evidence: [refused, absent],
                disproof: "A listener on \(peer.text) in `ss -ltnp` at the time of the failures.",
                fix: Fix(
                    "Start the application, or point the upstream at the port it really binds.", commands: ["ss -ltnp"])
            ))
    }

    /// No instance of an own app was left, so none was dialled.
    private static func emptied(_ failure: FailureCase, _ app: AppHistory, _ evidence: EvidenceSet) -> RuleOutcome {
        let unit = app.unit
        let link = BackendLink(unit: unit, how: "", source: AppHistory.source, isObserved: true)
        let ends = RuleSupport.ends(of: link, failure, evidence)
        guard let end = ends.first else { return .ruledOut("\(unit.name) did not end by itself at that time") }
        // The end of what goodgate itself stopped says nothing: why it was stopped does.
        if let order = ends.first(where: { $0.kind == .failed(result: "timeout") && $0.pid == end.pid }) {
            return .finding(
                Finding(
                    .proven, Culprit(.unit, unit.name),
                    "\(unit.name) has no instance: goodgate stopped the last one, \(reason(of: order)).",
                    evidence: [RuleSupport.failures(failure, [.poolEmpty]), RuleSupport.line(order)],
                    disproof: "An instance that was ready at that time.",
                    fix: Fix(
                        "Mend what the line says, or give it more time (start_timeout, watchdog).",
                        commands: ["goodgate app list", "goodgate app logs \(unit.appName)"])))
        }
        if case .failed(result: "start") = end.kind {
            return .finding(
                Finding(
                    .proven, Culprit(.unit, unit.name), "\(unit.name) has no instance: the last one \(reason(of: end)).",
                    evidence: [RuleSupport.failures(failure, [.poolEmpty]), RuleSupport.line(end)],
                    disproof: "An instance that was ready at that time.",
                    fix: Fix(
                        "Take away what hinders it; it is tried again by itself, or at once.",
                        commands: ["goodgate app list", "goodgate app start \(unit.appName)"])))
        }
        let how = unit.endText.map { ": it \($0)" } ?? ""
        return .finding(
            Finding(
                .proven, Culprit(.unit, unit.name), "No instance of \(unit.name) was left\(how).",
                evidence: [RuleSupport.failures(failure, [.poolEmpty]), RuleSupport.line(end)],
                disproof: "An instance that was ready at that time.",
                fix: Fix("Find out why it ended; requests wait for its restart.", commands: [RuleSupport.log(unit, since: failure.first)])))
    }

    /// What the line of an own app's event says; it begins with the instance.
    private static func reason(of event: LifeEvent) -> String {
        event.line.firstRange(of: ": ").map { String(event.line[$0.upperBound...]) } ?? event.line
    }

    private static func stopped(
        _ failure: FailureCase, _ peer: PeerAddress, _ link: BackendLink, _ evidence: EvidenceSet,
        _ lines: [EvidenceLine]
    ) -> Finding {
        let unit = link.unit
        var lines = lines
        lines.append(RuleSupport.state(of: unit))
        if !link.isObserved || !link.how.hasPrefix("it is") {
            lines.append(RuleSupport.line(link))
        }
        // Its state is looked at after the failure: a supervisor may have it up again by then.
        let end = RuleSupport.ends(of: link, failure, evidence).first
        if let end { lines.append(RuleSupport.line(end)) }
        let wasDown = unit.isDown && RuleSupport.wasDown(unit, failure)
        if unit.isDown, !wasDown, end == nil { return downSince(failure, peer, unit, lines) }
        let why: String =
            if unit.isDown, !wasDown, let end {
                "\(unit.name) ended at \(end.time.text), and was started again for a while"
            } else if unit.isStarting {
                "\(unit.name) is still starting"
            } else if unit.activeState.isEmpty {
                "\(unit.name), which serves it, has not bound it"
            } else if unit.activeState == "active", let end {
                "\(unit.name) ended at \(end.time.text) and was started again"
            } else if unit.activeState == "active" {
                "\(unit.name) runs, but has not bound it"
            } else if let end = unit.endText {
                "\(unit.name) \(end)"
            } else {
                "\(unit.name) is not running"
            }
        return Finding(
            link.isObserved ? wasDown ? .proven : .firm : .likely, Culprit(.unit, unit.name),
            "Nothing listens on \(peer.text): \(why).",
            evidence: lines,
            disproof:
                "A listener on \(peer.text) while connections are refused (then a firewall rejects with a reset).",
            fix: Fix(
                unit.isStarting
                    ? "Hold requests until it is ready (Goodgate: `queue`), or wait."
                    : "Read its last lines, repair, start it.",
                commands: [RuleSupport.log(unit, lines: 20)] + RuleSupport.restarts(unit)))
    }

    /// A unit that went down after the failures explains none of them.
    private static func downSince(
        _ failure: FailureCase, _ peer: PeerAddress, _ unit: UnitState, _ lines: [EvidenceLine]
    ) -> Finding {
        let since = (unit.mainExited ?? unit.activeSince).map { " since \($0.text)" } ?? ""
        return Finding(
            .possible, Culprit(.unit, unit.name),
            "Nothing listened on \(peer.text) at that time, and why is not known: \(unit.name), which serves it, is down only\(since).",
            evidence: lines, disproof: "An end of \(unit.name) before \(failure.last.text).",
            fix: Fix(
                "Read what it wrote at that time.",
                commands: [RuleSupport.log(unit, since: failure.first.advanced(byMilliseconds: -60_000))]))
    }

    /// A TCP socket of the same unit on another port.
    private static func otherPort(of unit: UnitState, _ peer: PeerAddress, _ evidence: EvidenceSet) -> Listener? {
        guard !peer.isUnixSocket else { return nil }
        let owned = (evidence.listeners.value ?? []).filter {
            $0.owner?.unit == unit.name && $0.address.port != peer.port
        }
        return owned.count == 1 ? owned.first : nil
    }

    /// Time in which an application opens all its ports, in milliseconds. One for metrics or a debugger is often open long before.
    private static let boot: Int64 = 30_000

    /// Whether a unit that listens elsewhere has come up as it is meant to. One that has said that it listens on the peer's port knows it,
    /// and is not up yet or has lost it.
    private static func isSettled(_ link: BackendLink, _ other: Listener, _ failure: FailureCase) -> Bool {
        guard !link.isClaim, !link.unit.isStarting, let started = other.owner?.started else { return false }
        return started <= failure.now.advanced(byMilliseconds: -boot)
    }

    /// Never more than likely, and no edit of a file: what listens there may be for a debugger or for metrics, which must not be published.
    private static func wrongPort(
        _ peer: PeerAddress, _ link: BackendLink, _ other: Listener, _ evidence: EvidenceSet, _ lines: [EvidenceLine]
    ) -> RuleOutcome {
        .finding(
            Finding(
                .likely,
                Culprit(.configuration, evidence.upstream.value?.place ?? "the upstream's address"),
                "The proxy dials \(peer.text), but \(link.unit.name) listens on \(other.address.text).",
                evidence: lines + [RuleSupport.line(other, evidence.listeners.source)],
                disproof: "\(link.unit.name) listening on \(peer.text) as well, or \(other.address.text) not being for users.",
                fix: Fix(
                    "Make both agree, if that is the port for users and not one for metrics or a debugger.",
                    diff: "-    server \(peer.text);\n+    server \(peer.withPort(other.address.port ?? 0).text);")))
    }

    /// The listener is there now: was it away then?
    private static func listensNow(
        _ failure: FailureCase, _ peer: PeerAddress, _ listener: Listener, _ evidence: EvidenceSet,
        _ refused: EvidenceLine
    ) -> RuleOutcome {
        let now = RuleSupport.line(listener, evidence.listenerSource(for: peer))
        let holder = listener.owner?.unit
        for link in evidence.backends(of: failure) {
            // Who only names the port may be one that asks there, and ended because nobody answered.
            guard link.isObserved || link.unit.name == holder else { continue }
            if let end = RuleSupport.ends(of: link, failure, evidence).first {
                return .finding(
                    Finding(
                        .firm, Culprit(.unit, link.unit.name),
                        "\(link.unit.name) had ended, so nothing listened on \(peer.text) until it was back.",
                        evidence: [refused, RuleSupport.line(end), now],
                        disproof: "A listener on \(peer.text) between the end and the restart.",
                        fix: Fix(
                            "Find out why it ended; hold requests over restarts.",
                            commands: [
                                RuleSupport.log(link.unit, since: failure.first.advanced(byMilliseconds: -60_000))
                            ])))
            }
        }
        if let started = listener.owner?.started, started >= failure.last.advanced(byMilliseconds: -2_000),
            started <= failure.now
        {
            return .finding(
                Finding(
                    .likely, Culprit(.process, listener.owner?.text ?? listener.address.text),
                    "Nothing listened on \(peer.text) at the time: the process that does was started at "
                        + "\(started.text), after the failures.",
                    evidence: [
                        refused, now,
                        EvidenceLine(
                            "started \(started.text)", source: "/proc/\(listener.owner?.pid ?? 0)/stat", time: started),
                    ],
                    disproof: "A predecessor that listened there all the time.",
                    fix: Fix("Hold requests over restarts, or start the new instance before the old one stops.")))
        }
        if failure.now.since(failure.last) < 5_000, evidence.probe.value?.errorNumber == 111 {
            return .finding(
                Finding(
                    .likely, Culprit(.firewall, "a REJECT rule with tcp-reset"),
                    "\(listener.address.text) has a listener, yet connections to \(peer.text) are refused: something "
                        + "between resets them.",
                    evidence: [refused, now], disproof: "A connection to \(peer.text) from this host that works.",
                    fix: Fix(
                        "Look for a REJECT rule.",
                        commands: ["nft list ruleset | grep -n reject", "iptables-save | grep REJECT"])))
        }
        return .ruledOut(
            "\(listener.owner?.text ?? "a process") listens on \(listener.address.text) now, and was there before "
                + "the failures"
        )
    }

    private static func remote(_ failure: FailureCase, _ peer: PeerAddress, _ evidence: EvidenceSet) -> RuleOutcome {
        return .finding(
            Finding(
                .likely, Culprit(.network, peer.text),
                "\(peer.hostText) answered, but refuses connections on port \(peer.port ?? 0): nothing listens "
                    + "there, or a firewall rejects.",
                evidence: [RuleSupport.failures(failure, [.connectRefused])],
                disproof: "A listener on that host's port \(peer.port ?? 0), seen there with `ss -ltn`.",
                fix: Fix("Look on that host.", commands: ["ssh \(peer.hostText) ss -ltnp"])))
    }
}
