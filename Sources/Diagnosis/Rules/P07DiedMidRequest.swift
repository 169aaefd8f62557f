import Machine

/// P07: the process that held the request crashed, was killed, or closed with the request unread.
enum P07DiedMidRequest {
    static let rule = Rule(
        number: 7, slug: "died-mid-request", title: "Died in the middle of a request", depth: 5,
        reasons: [.connReset, .connEndBeforeHead, .bodyTruncated, .connKeepaliveRace, .proxyCrashed], release: .end, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        if failure.has([.proxyCrashed]) { return ofProxy(failure, evidence) }
        let broken = RuleSupport.failures(failure, rule.reasons)
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let near = evidence.events.filter { isEnd($0, near: failure) && evidence.tells($0, of: link) != false }
            // A worker that its master found too slow is P28's.
            let ends = near.filter { !isOfSlowness($0, evidence) }
            let own = ends.filter { evidence.tells($0, of: link) == true }
            // A worker of the application server may end while its master lives on; an end that was not clean tells more.
            if let end = own.last(where: { $0.kind.isCrash }) ?? own.last {
                return RuleSupport.weighed(died(link, end, failure, evidence, broken), by: own, of: link, failure, evidence)
            }
            if let end = ends.last {
                var finding = died(link, end, failure, evidence, broken)
                finding.confidence = .possible
                finding.disproof = "\(end.member ?? "It") not being the application behind \(failure.peerText)."
                return .finding(finding)
            }
            if let slow = near.last { return .ruledOut("\(link.unit.name) killed its worker \(slow.pid ?? 0) because it was slow") }
        }
        // TCPAbortOnData counts other resets: SO_LINGER 0, and bytes for who has closed already.
        if let aborted = evidence.host.value?.counterDeltas["TCPAbortOnClose"], aborted > 0, failure.has([.connReset]) {
            // The counters are the whole host's.
            return .finding(
                Finding(
                    .possible, Culprit(.application, failure.peerText),
                    "The application closed connections with unread data: it answered, or gave up, before it had "
                        + "read the whole request.",
                    evidence: [
                        broken, EvidenceLine("TCPAbortOnClose grew by \(aborted)", source: "nstat"),
                    ],
                    disproof: "The counters growing for another process.",
                    fix: Fix("Read the whole request body before answering.")))
        }
        if let stranger = evidence.events.last(where: {
            isEnd($0, near: failure)
        }) {
            let who = stranger.unit ?? stranger.process ?? "another process"
            return .ruledOut("\(who) ended at \(stranger.time.text), but it is not the one behind \(failure.peerText)")
        }
        guard evidence.journal.value != nil || evidence.kernel.value != nil else {
            return .undecided(evidence.journal.unavailableBecause ?? "no log of ends was read")
        }
        if failure.samples.contains(where: { $0.reused == false }) || failure.has([.bodyTruncated]) {
            return .finding(
                Finding(
                    .possible, Culprit(.application, "the application behind \(failure.peerText)"),
                    "The application \(failure.has([.connReset]) ? "reset" : "closed") the connection before it had answered, "
                        + "and no end of its process was logged.",
                    evidence: [broken],
                    disproof: "An idle connection having been reused.",
                    fix: Fix("Read the application's own log at \(failure.first.text).")))
        }
        return evidence.notLogged("no end of the process behind \(failure.peerText) was logged", at: failure)
    }

    /// An end at the time of the failures; PM2's own stop of an application is none that the application died of.
    private static func isEnd(_ event: LifeEvent, near failure: FailureCase) -> Bool {
        failure.covers(event.time, before: 3_000, after: 3_000) && isEnd(event.kind) && (event.member == nil || event.kind.isCrash)
    }

    private static func isOfSlowness(_ event: LifeEvent, _ evidence: EvidenceSet) -> Bool {
        event.isWorker
            && evidence.events.contains {
                $0.kind == .workerTimeout && $0.unit == event.unit && $0.pid == event.pid && (0...5_000).contains(event.time.since($0.time))
            }
    }

    private static func isEnd(_ kind: LifeEvent.Kind) -> Bool {
        switch kind {
        case .exited, .killed, .segfault: true;
        default: false
        }
    }

    private static func died(
        _ link: BackendLink, _ event: LifeEvent, _ failure: FailureCase, _ evidence: EvidenceSet, _ broken: EvidenceLine
    ) -> Finding {
        let unit = link.unit
        var how = "ended"
        switch event.kind {
        case .killed(let signal, let dumped):
            how = "was killed by signal \(signal)" + (dumped ? " and dumped core" : "")
        case .exited(let code): how = "exited with code \(code)"
        case .segfault: how = event.crashText
        default: break
        }
        var lines = [broken, RuleSupport.line(event)]
        if let fault = evidence.kernel.value?.first(where: {
            abs($0.time.since(event.time)) < 3_000 && $0.kind == .segfault && ($0.pid == event.pid || event.pid == nil)
        }), fault != event {
            lines.append(RuleSupport.line(fault))
        }
        let who = event.process.map { $0 == "systemd" ? unit.name : "\($0) of \(unit.name)" } ?? unit.name
        return Finding(
            link.isObserved ? .proven : .likely, Culprit(.unit, unit.name),
            "\(who) \(how) while it held requests.", evidence: lines,
            disproof: "The connections having been to another process.",
            fix: Fix(
                "Find the request that does it; replay it against a test instance.",
                commands: [RuleSupport.log(unit, since: failure.first.advanced(byMilliseconds: -10_000))]
                    + (unit.isOwn ? [] : ["coredumpctl list"])))
    }
}
