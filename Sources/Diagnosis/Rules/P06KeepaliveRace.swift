import Machine

/// P06: the application closed an idle connection in the moment the proxy reused it.
enum P06KeepaliveRace {
    static let rule = Rule(
        number: 6, slug: "keepalive-race", title: "Keep-alive race", depth: 5,
        reasons: [.connKeepaliveRace, .connEndBeforeHead, .connReset],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        for link in evidence.backends(of: failure) {
            let ends = RuleSupport.ends(of: link, failure, evidence, workers: true)
            let times = failure.knownTimes
            let near = times.count(within: RuleSupport.windows(of: ends, of: link, failure, evidence))
            if let end = ends.first, near * 2 >= times.total {
                return .ruledOut("\(link.unit.name) ended at \(end.time.text): the connections were cut by that")
            }
        }
        let known = failure.samples.filter { $0.reused != nil }
        let raced = known.filter { $0.reused == true && ($0.bytesRead ?? 0) == 0 }
        if !known.isEmpty, raced.isEmpty { return .ruledOut("the connections were fresh, not reused") }
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        let owner = failure.peer.flatMap { evidence.listeners(for: $0).first?.owner }
        if let owner, let started = owner.started {
            if started > failure.first {
                return .ruledOut("\(owner.text) was started at \(started.text), after the first failure")
            }
            lines.append(
                EvidenceLine(
                    "\(owner.text) has run since \(started.text)", source: "/proc/\(owner.pid)/stat", time: started))
        }
        let upstream = evidence.upstream.value
        let idle = raced.compactMap(\.connectionIdle)
        let typical = roundNumber(idle)
        if let typical {
            lines.append(
                EvidenceLine(
                    "reused after \(typical) s of idleness (\(idle.count) of \(known.count) samples)",
                    source: "attempt records"))
        }
        if let keep = upstream?.keepaliveTimeout {
            lines.append(EvidenceLine("the proxy keeps them for \(keep) s", source: upstream?.place ?? ""))
        }
        let isLonger = typical.flatMap { app in upstream?.keepaliveTimeout.map { $0 >= app } } ?? false
        let confidence: Confidence
        if !raced.isEmpty {
            confidence = typical != nil || isLonger ? .firm : .likely
        } else {
            // A log does not tell whether the connection was reused.
            guard upstream?.keepaliveTimeout != nil else {
                return upstream == nil
                    ? .undecided("it is not known whether connections are reused")
                    : .ruledOut("connections to this upstream are not kept alive")
            }
            guard failure.count([.connReset]) * 4 <= failure.attempts, owner?.started != nil || isLonger else {
                return .undecided("the log does not tell whether the connections were reused")
            }
            confidence = isLonger ? .likely : .possible
        }
        let wanted = typical.map { max($0 - 1, 1) }
        let place = upstream?.place ?? "the upstream"
        // What is closed within a second is no matter of the proxy's time-out.
        let isQuick = idle.max().map { $0 < 1_000 } ?? false
        return .finding(
            Finding(
                confidence, Culprit(.configuration, place),
                "The application closes idle connections\(typical.map { " after \($0) s" } ?? ""), and the proxy "
                    + "sent a request into one that was being closed.",
                evidence: lines,
                disproof: "The same failures on fresh connections, or an exit of the application in that second.",
                fix: isQuick ? Fix("Let the application keep idle connections: it closes them within \(idle.max() ?? 0) ms.") : Fix(
                    "Keep connections for a shorter time than the application does, or raise the application's "
                        + "keep-alive time-out above the proxy's.",
                    diff: " upstream \(upstream?.name ?? "NAME") {\n+    keepalive_timeout \(wanted ?? 4)s;\n }"),
                reason: .connKeepaliveRace))
    }

    /// A usual idle time-out in seconds that most samples lie at, within 5 % or 250 ms.
    static func roundNumber(_ idle: [Int64]) -> Int? {
        guard !idle.isEmpty else { return nil }
        for seconds in [2, 4, 5, 10, 15, 20, 30, 60, 65, 75, 90, 120] {
            let wanted = Int64(seconds) * 1_000, slack = max(wanted / 20, 250)
            if idle.filter({ abs($0 - wanted) <= slack }).count * 3 >= idle.count * 2 { return seconds }
        }
        return nil
    }
}
