import Machine

/// P27: the port belongs to somebody else, so the application cannot bind it.
enum P27PortTaken {
    static let rule = Rule(
        number: 27, slug: "port-taken", title: "The port was taken", depth: 8,
        reasons: ReasonCode.peerGone.union([
            .portTaken, .appAnswered, .responseInvalid, .responseWrongProtocol, .responseIllegalFraming,
            .responseTimeout, .tlsHandshake,
        ]),
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        if failure.has([.portTaken]) { return proxyCannotBind(failure, evidence) }
        guard let peer = failure.peer, peer.isIP, let port = peer.port else { return .notApplicable }
        guard let all = evidence.listeners.value else { return .undecided("the listener table was not read") }
        let units = evidence.units.value ?? []
        let inUse = evidence.events.filter { $0.kind == .addressInUse }
        let complaints = inUse.filter { event in
            if isNamed(port, event) { return true }
            // One of a unit that serves the port, unless it, or the lines that it was logged with, name another.
            return units.contains { EvidenceSet.event(event, belongsTo: $0) && EvidenceSet.serves(port: port, $0) }
                && !inUse.contains {
                    abs($0.time.since(event.time)) < 2_000 && $0.unit == event.unit && EvidenceSet.namesPort(in: $0.line)
                }
        }
        let holders = all.filter { $0.address.port == port && ($0.accepts(peer) || !complaints.isEmpty) }
        guard let holder = holders.first, let owner = holder.owner else {
            if let complaint = complaints.last(where: { failure.covers($0.time, before: 120_000, after: 5_000) }) {
                return .finding(gone(failure, peer, complaint))
            }
            return complaints.isEmpty ? evidence.notLogged("nobody complained of port \(port) being in use", at: failure) : .notApplicable
        }
        let expected = units.filter { EvidenceSet.serves(port: port, $0) }
        if expected.contains(where: { $0.name == owner.unit }) {
            return .ruledOut("\(owner.text) holds port \(port), as it should")
        }
        // Who was started after a complaint is not who was complained of. The boot, from which starts are counted, is known to a second.
        let fitting = complaints.filter { complaint in
            complaint.unit != owner.unit && owner.started.map { $0 <= complaint.time.advanced(byMilliseconds: 2_000) } ?? true
        }
        guard let rightful = expected.first else {
            return unowned(failure, peer, holder, owner, fitting, evidence)
        }
        let complaint = fitting.last { event in
            EvidenceSet.event(event, belongsTo: rightful)
                && (isNear(event, failure) || event.time <= failure.first && RuleSupport.isUnitDownSince(event.time, rightful))
        }
        // Without a complaint only a leftover process is suspect, and only if the unit wanted the port at that time: another service, a
        // container, or what somebody started by hand may well be the rightful owner.
        if complaint == nil, !isLeftover(owner, failure) || !wanted(rightful, failure, evidence) { return .notApplicable }
        return .finding(finding(failure, peer, holder, owner, who: rightful.name, complaint, evidence))
    }

    /// Whether a complaint is of the time of the failures.
    private static func isNear(_ complaint: LifeEvent, _ failure: FailureCase) -> Bool {
        failure.covers(complaint.time, before: 60_000)
    }

    /// No unit is known to serve the port: then only who has listened there before can have lost it. A second copy that is started while
    /// the application runs complains as well.
    private static func unowned(
        _ failure: FailureCase, _ peer: PeerAddress, _ holder: Listener, _ owner: ProcessFacts, _ complaints: [LifeEvent],
        _ evidence: EvidenceSet
    ) -> RuleOutcome {
        guard let complaint = complaints.last(where: { isNear($0, failure) }) else { return .notApplicable }
        let who = complaint.unit ?? complaint.process ?? "the application"
        let before = evidence.events.last { $0.kind == .listening(port: peer.port ?? 0) && $0.time < complaint.time && $0.unit != nil }
        if let before, before.unit == complaint.unit {
            return .finding(finding(failure, peer, holder, owner, who: who, complaint, evidence))
        }
        // Who holds it answers, or is slow to: that needs no thief.
        guard failure.has(rule.reasons.subtracting([.responseTimeout, .connReset, .connEndBeforeHead, .connKeepaliveRace, .bodyTruncated]))
        else { return .notApplicable }
        var finding = finding(failure, peer, holder, owner, who: who, complaint, evidence)
        finding.confidence = .possible
        finding.disproof = "\(owner.text) being the application behind \(peer.text), and \(who) a second copy."
        finding.fix = Fix("See which of the two is meant to have the port.", commands: ["ps -o pid,ppid,lstart,cmd -p \(owner.pid)"])
        return .finding(finding)
    }

    /// Whether a process may have outlived its service: it was there before the failures, and is in no container and nobody's session.
    private static func isLeftover(_ owner: ProcessFacts, _ failure: FailureCase) -> Bool {
        guard let started = owner.started, started <= failure.first else { return false }
        guard let unit = owner.unit else { return true }
        return unit.hasSuffix(".scope") && !["docker-", "libpod-", "session-", "crio-", "cri-containerd-"].contains { unit.hasPrefix($0) }
    }

    /// Whether a unit was to serve at that time: it is being started, or it ended then.
    private static func wanted(_ unit: UnitState, _ failure: FailureCase, _ evidence: EvidenceSet) -> Bool {
        if unit.activeState == "active" { return false }
        if unit.isStarting { return true }
        return evidence.events.contains { event in
            guard EvidenceSet.event(event, belongsTo: unit), failure.covers(event.time, before: 600_000) else { return false }
            switch event.kind {
            case .exited, .killed, .failed, .gaveUp, .restartScheduled: return true
            default: return false
            }
        }
    }

    private static func isNamed(_ port: UInt16, _ complaint: LifeEvent) -> Bool { EvidenceSet.names(port: port, in: complaint.line) }

    private static func finding(
        _ failure: FailureCase, _ peer: PeerAddress, _ holder: Listener, _ owner: ProcessFacts, who: String,
        _ complaint: LifeEvent?,
        _ evidence: EvidenceSet
    ) -> Finding {
        var lines = [RuleSupport.failures(failure, rule.reasons), RuleSupport.line(holder, evidence.listeners.source)]
        if let complaint { lines.append(RuleSupport.line(complaint)) }
        let unit = evidence.units.value?.first { $0.name == who }
        if let unit {
            lines.append(
                EvidenceLine(
                    "\(unit.name) should have the port and is \(unit.activeState)", source: RuleSupport.unitSource(unit)
                ))
        }
        let isOrphan = owner.parent == 1 && owner.unit == nil || owner.unit?.hasSuffix(".scope") == true
        // Its end would be that of all containers.
        let isOfEngine = owner.unit.map(ContainerName.isEngine) ?? false
        let what = isOrphan ? "a leftover process" : "another process"
        let stop: ShellCommand =
            owner.unit.map { $0.hasSuffix(".service") ? "systemctl stop \($0)" : "kill \(owner.pid)" }
            ?? "kill \(owner.pid)"
        return Finding(
            complaint.map { owner.started != nil && isNamed(peer.port ?? 0, $0) ? .proven : .firm } ?? .likely,
            Culprit(.process, owner.text),
            "\(who) cannot have port \(peer.port ?? 0): \(what), \(owner.text), holds it"
                + (owner.started.map { " since \($0.text)" } ?? "") + ".",
            evidence: lines, disproof: "\(owner.text) being a child of \(who).",
            fix: Fix(
                "Stop the wrong owner or give one of the two another port"
                    + (isOrphan ? "; KillMode=control-group keeps leftovers from staying." : "."),
                // Nobody types the end of what may be the real application.
                commands: ["ps -o pid,ppid,lstart,cmd -p \(owner.pid)"]
                    + (complaint == nil || isOfEngine ? [] : [stop] + (who.hasSuffix(".service") ? ["systemctl restart \(who)"] : []))),
            reason: failure.has([.connectRefused]) ? nil : .portTaken)
    }

    /// The complaint is there, the holder has gone.
    private static func gone(_ failure: FailureCase, _ peer: PeerAddress, _ complaint: LifeEvent) -> Finding {
        let who = complaint.unit ?? complaint.process ?? "the application"
        return Finding(
            isNamed(peer.port ?? 0, complaint) ? .firm : .likely, Culprit(.application, who),
            "\(who) could not bind port \(peer.port ?? 0) because it was in use at the time.",
            evidence: [RuleSupport.failures(failure, rule.reasons), RuleSupport.line(complaint)],
            disproof: "The port being free at \(complaint.time.text).",
            fix: Fix(
                "The previous process had not gone yet: stop the whole control group, or let the new one wait.",
                commands: who.hasSuffix(".service") ? ["systemctl show \(who) -p KillMode,TimeoutStopUSec"] : []))
    }
}
