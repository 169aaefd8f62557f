import Machine

/// P11: the application dies at every start, until its supervisor stops trying.
enum P11CrashLoop {
    static let rule = Rule(
        number: 11, slug: "crash-loop", title: "Crash loop", depth: 7, reasons: ReasonCode.peerGone, release: .end, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let unit = link.unit
            let events = evidence.events.filter {
                evidence.tells($0, of: link) == true && failure.covers($0.time, before: 600_000, after: 60_000)
            }
            let gaveUp = events.last { $0.kind == .gaveUp }
            // Those of an own app that did not get ready in time are goodgate's.
            let ordered = unit.isOwn ? Set(events.filter { $0.kind == .failed(result: "timeout") }.compactMap(\.pid)) : []
            // A worker's end is its master's affair: the unit lives on.
            let exits = events.filter {
                $0.kind != .segfault && $0.kind.isCrash && !$0.isWorker && !($0.pid.map(ordered.contains) ?? false)
            }
            // It may still have been starting when its state was looked at.
            let hitLimit =
                unit.result == "start-limit-hit" && RuleSupport.wasDown(unit, failure) || gaveUp != nil && (unit.isDown || unit.isStarting)
            if !hitLimit, !isLoop(exits), !ordered.isEmpty {
                return .ruledOut("\(unit.name) did not end by itself: goodgate stopped it (\(ordered.count) times): no sign of life")
            }
            guard hitLimit || isLoop(exits) else { continue }
            let finding = finding(failure, link, exits, gaveUp, hitLimit, evidence)
            return hitLimit ? .finding(finding) : RuleSupport.weighed(finding, by: exits, of: link, failure, evidence)
        }
        if let (app, confidence) = givenUp(failure, links, evidence) {
            return .finding(
                Finding(
                    confidence, Culprit(.supervisor, "\(app.supervisor.rawValue) \(app.name)"),
                    "\(app.name) died so often that \(app.supervisor.rawValue) stopped trying (\(app.status)).",
                    evidence: [
                        RuleSupport.failures(failure, rule.reasons),
                        EvidenceLine(
                            "\(app.name) is \(app.status), \(app.restarts) restarts, \(app.unstableRestarts) of them "
                                + "unstable",
                            source: evidence.apps.source),
                    ],
                    disproof: "\(app.name) serving another port.",
                    fix: Fix(
                        "Repair what its log says, then start it again.",
                        commands: app.supervisor == .pm2
                            ? [
                                "pm2 logs \(app.name) --lines 30 --nostream",
                                "pm2 reset \(app.name) && pm2 restart \(app.name)",
                            ]
                            : ["supervisorctl tail \(app.name) stderr", "supervisorctl start \(app.name)"])))
        }
        if links.isEmpty { return .notApplicable }
        return evidence.notLogged("\(links[0].unit.name) did not end three times in ten minutes", at: failure)
    }

    /// The application of PM2 or supervisord that is behind the peer and is not started any more. One whose port is not known may be any
    /// program: it is a possibility where nothing else serves the peer. One whose port another process has lost it to that.
    private static func givenUp(
        _ failure: FailureCase, _ links: [BackendLink], _ evidence: EvidenceSet
    ) -> (ManagedApp, Confidence)? {
        guard let peer = failure.peer, let port = peer.port, let apps = evidence.apps.value else { return nil }
        if let app = apps.first(where: { $0.hasGivenUp && $0.ports.contains(port) }) {
            return (app, evidence.listeners(for: peer).isEmpty ? .proven : .possible)
        }
        guard links.isEmpty, apps.count == 1, let app = apps.first, app.hasGivenUp, app.ports.isEmpty else { return nil }
        return (app, .possible)
    }

    /// Three ends within any ten minutes, of those that are in the order of time.
    private static func isLoop(_ exits: [LifeEvent]) -> Bool {
        exits.indices.dropFirst(2).contains { exits[$0].time.since(exits[$0 - 2].time) <= 600_000 }
    }

    private static func finding(
        _ failure: FailureCase, _ link: BackendLink, _ exits: [LifeEvent], _ gaveUp: LifeEvent?, _ hitLimit: Bool,
        _ evidence: EvidenceSet
    ) -> Finding {
        let unit = link.unit
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        if hitLimit {
            lines.append(
                EvidenceLine(
                    "\(unit.name): \(unit.activeState), Result=\(unit.result), NRestarts=\(unit.restarts)",
                    source: RuleSupport.unitSource(unit)))
        }
        lines += exits.suffix(3).map(RuleSupport.line)
        if let gaveUp { lines.append(RuleSupport.line(gaveUp)) }
        let same = Set(exits.map(\.kind)).count == 1
        let how =
            exits.last.map { event -> String in
                switch event.kind {
                case .exited(let code): " with code \(code)"
                case .killed(let signal, _): " by signal \(signal)"
                default: ""
                }
            } ?? ""
        let last = evidence.lastLines.value ?? []
        if let line = last.last { lines.append(EvidenceLine(line, source: evidence.lastLines.source)) }
        let app = exits.last?.member
        return Finding(
            link.isObserved ? .proven : .likely, app.map { Culprit(.supervisor, "\($0) of \(unit.name)") } ?? Culprit(.unit, unit.name),
            "\(app.map { "\($0) of " } ?? "")\(unit.name) ends at every start"
                + (same && exits.count > 1 ? ", always\(how)" : how.isEmpty ? "" : ", last\(how)")
                + (hitLimit ? "; systemd has stopped trying." : "."),
            evidence: lines, disproof: "A start that lived for longer than the restart interval.",
            fix: Fix(
                "Repair what its log says, then start it again.",
                commands: [RuleSupport.log(unit, lines: 30)]
                    + (unit.isOwn
                        ? [RuleSupport.restart(unit)]
                        : app == nil ? ["systemctl reset-failed \(unit.name) && systemctl start \(unit.name)"] : [])))
    }
}
