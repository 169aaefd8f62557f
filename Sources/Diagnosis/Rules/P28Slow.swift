import Machine

/// P28: the application took the request and did not answer in time.
enum P28Slow {
    static let rule = Rule(
        number: 28, slug: "too-slow", title: "Workers exhausted or stuck", depth: 4,
        reasons: [
            .responseTimeout, .sendTimeout, .bodyTimeout, .queueFull, .queueTimeout, .connEndBeforeHead, .connReset,
            .requestLimited,
        ], release: .answers, judge: judge)

    private static let times: Set<ReasonCode> = [
        .responseTimeout, .sendTimeout, .bodyTimeout, .queueFull, .queueTimeout,
    ]

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let slow = RuleSupport.failures(failure, rule.reasons)
        if failure.has([.requestLimited]), failure.reason == .requestLimited {
            return .finding(
                Finding(
                    .proven, Culprit(.gatewayLimit, "limit_req or limit_conn"),
                    "The proxy's own limit turned requests away.", evidence: [slow],
                    disproof: "The requests being below the configured rate.",
                    fix: Fix("Raise the limit or its burst, if these clients are welcome.")))
        }
        let links = evidence.backends(of: failure)
        let events = evidence.events.filter { event in
            links.contains { evidence.tells(event, of: $0) == true } || links.isEmpty && event.unit == nil
        }
        let outcome = ofPool(failure, events, evidence, slow) ?? ofWorker(failure, events, evidence, slow)
        if let outcome, case .finding = outcome { return outcome }
        guard failure.has(times) else { return outcome ?? .notApplicable }
        return waiting(failure, evidence, slow)
    }

    /// All workers of a pool were busy.
    private static func ofPool(
        _ failure: FailureCase, _ events: [LifeEvent], _ evidence: EvidenceSet, _ slow: EvidenceLine
    ) -> RuleOutcome? {
        let pools = events.filter { event in
            if case .poolExhausted = event.kind { failure.covers(event.time, before: windowMax, after: windowMax) } else { false }
        }
        guard let pool = pools.last, case .poolExhausted(let limit) = pool.kind else { return nil }
        let finding = Finding(
            // Requests wait for a free worker, and are not cut for it.
            failure.has(times) ? .proven : .likely, Culprit(.application, pool.unit ?? "the worker pool"),
            "All \(limit) workers of \(pool.unit ?? "the pool") were busy.",
            evidence: [slow, RuleSupport.line(pool)],
            disproof: "Idle workers at that time.",
            fix: Fix("Find what the workers wait for (slow log, database); more workers only if memory and CPU allow."))
        let windows = pools.map { pool in
            let window = window(of: pool, events, failure, evidence)
            // php-fpm says it once, however long it lasts.
            return failure.has(times) && window.upperBound >= failure.first
                ? window.lowerBound...max(window.upperBound, failure.last) : window
        }
        return RuleSupport.weighed(finding, by: pools, within: windows, failure)
    }

    /// A worker held a request for too long.
    private static func ofWorker(
        _ failure: FailureCase, _ events: [LifeEvent], _ evidence: EvidenceSet, _ slow: EvidenceLine
    ) -> RuleOutcome? {
        let stuck = events.filter { $0.kind == .workerTimeout && failure.covers($0.time, before: windowMax, after: windowMax) }
        guard let worker = stuck.last else { return nil }
        let finding = Finding(
            .proven, Culprit(.application, worker.unit ?? "the application server"),
            "A worker of \(worker.unit ?? "the application") was too slow, and its master killed it.",
            evidence: [slow, RuleSupport.line(worker)],
            disproof: "The killed worker not having held these requests.",
            fix: Fix("Find the slow request; set the proxy's time-out for that route below the worker's."))
        return RuleSupport.weighed(finding, by: stuck, within: stuck.map { window(of: $0, events, failure, evidence) }, failure)
    }

    /// Milliseconds around the incident in which a complaint is looked for.
    private static let windowMax: Int64 = 180_000

    /// Which failures a complaint of the application server explains. Time-outs: of requests that waited while it complained, so it may
    /// come later, or up to the proxy's time-out before. Cut requests: those of the worker's end, which follows at once.
    private static func window(
        of complaint: LifeEvent, _ events: [LifeEvent], _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> ClosedRange<Timestamp> {
        let notice: Int64 = 3_000
        if failure.has(times) {
            let waited = Int64(min(max(evidence.upstream.value?.readTimeout ?? 60, 1), 170)) * 1_000
            return complaint.time.advanced(byMilliseconds: -30_000)...complaint.time.advanced(byMilliseconds: waited + notice)
        }
        let end = events.first { event in
            event.isWorker && event.pid == complaint.pid && (0...5_000).contains(event.time.since(complaint.time))
        }
        return complaint.time.advanced(byMilliseconds: -notice)...(end?.time ?? complaint.time).advanced(byMilliseconds: notice)
    }

    private static func waiting(_ failure: FailureCase, _ evidence: EvidenceSet, _ slow: EvidenceLine) -> RuleOutcome {
        var lines = [slow], confidence = Confidence.likely
        let listener = failure.peer.flatMap { evidence.listeners(for: $0).first }
        if let listener, listener.queue > 0 {
            lines.append(
                EvidenceLine(
                    "\(listener.queue) connections wait to be accepted",
                    source: evidence.listenerSource(for: listener.address), time: failure.now))
            confidence = .firm
        }
        if let owner = listener?.owner, owner.threads > 0, owner.threadsBlocked > 0 {
            lines.append(
                EvidenceLine(
                    "\(owner.threadsBlocked) of \(owner.threads) threads are in uninterruptible sleep",
                    source: "/proc/\(owner.pid)/task"))
        }
        if let throttled = evidence.memory.value?.compactMap(\.cpuThrottled).max(), throttled > 0 {
            lines.append(
                EvidenceLine(
                    "the CPU quota throttled it \(throttled) times", source: evidence.memory.source + "/cpu.stat"))
        }
        for (resource, share) in (evidence.host.value?.pressure ?? [:]).sorted(by: { $0.key < $1.key })
        where share >= 20 {
            lines.append(
                EvidenceLine("\(resource) pressure \(share) %", source: "/proc/pressure/\(resource)", time: failure.now)
            )
        }
        let limit = evidence.upstream.value?.readTimeout
        let who = listener?.owner?.text ?? "the application behind \(failure.peerText)"
        return .finding(
            Finding(
                confidence, Culprit(.application, who),
                "\(who) took the requests, but did not answer within "
                    + "\(limit.map { "\($0) s" } ?? "the proxy's time-out").",
                evidence: lines, disproof: "An answer that came and was lost on the way.",
                fix: Fix(
                    "Find what it waits for; limit the requests it gets at once; give slow routes a time-out of "
                        + "their own.",
                    commands: listener?.owner.map { ["cat /proc/\($0.pid)/task/*/wchan | sort | uniq -c"] } ?? [])))
    }
}
