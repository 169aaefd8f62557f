import Machine

/// P09: every server was taken out for its failures although they live.
enum P09AllEjected {
    static let rule = Rule(
        number: 9, slug: "all-ejected", title: "Every server was taken out", depth: 3, reasons: [.poolEmpty],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let empty = failure.counts[.poolEmpty] ?? 0
        guard empty > 0 else { return .notApplicable }
        if let app = evidence.own, failure.peer == nil {
            return .ruledOut("the instances of \(app.unit.name) were gone, not taken out")
        }
        // A server of the configuration is its own sibling, by its address.
        let named = (evidence.upstream.value?.servers.map(\.address) ?? []) + failure.siblings + [failure.peer].compactMap { $0 }
        let peers = named.reduce(into: [PeerAddress]()) { if !$0.contains($1) { $0.append($1) } }
        let dialable = peers.filter { evidence.knowsListeners(for: $0) && RuleSupport.isLocal($0, evidence) ?? false }
        let alive = dialable.filter { !evidence.listeners(for: $0).isEmpty }
        if !dialable.isEmpty, alive.isEmpty {
            return .ruledOut("the servers were rightly taken out: none of them listens")
        }
        let before = failure.counts.filter { $0.key != .poolEmpty }.sorted { $0.value > $1.value }
        var lines = [RuleSupport.failures(failure, [.poolEmpty])]
        if !before.isEmpty {
            lines.append(
                EvidenceLine(
                    "before that: " + before.map { "\($0.value) × \($0.key.name)" }.joined(separator: ", "),
                    source: "attempt records", time: failure.first))
        }
        for peer in alive.prefix(4) {
            guard let listener = evidence.listeners(for: peer).first else { continue }
            let line = RuleSupport.line(listener, evidence.listenerSource(for: peer))
            if !lines.contains(line) { lines.append(line) }
        }
        let old = alive.filter { peer in
            evidence.listeners(for: peer).first?.owner?.started.map { $0 < failure.first } ?? false
        }
        let servers = evidence.upstream.value?.servers ?? []
        let threshold = servers.map(\.maxFails).max() ?? 1
        let works = evidence.probe.value?.errorNumber == 0
        let confidence: Confidence =
            !old.isEmpty && old.count == dialable.count ? .firm : works || !alive.isEmpty ? .likely : .possible
        return .finding(
            Finding(
                confidence, Culprit(.configuration, evidence.upstream.value?.place ?? failure.upstream),
                "All servers of \(failure.upstream) were taken out after max_fails=\(threshold) failures "
                    + "each\(alive.isEmpty ? "" : ", although \(alive.count) of \(dialable.count) listen"): \(empty) "
                    + "requests found nobody.",
                evidence: lines, disproof: "The servers having been down for the whole time.",
                fix: Fix(
                    "Remove what made them fail\(before.first.map { " (\($0.key.name))" } ?? ""); a few failures in "
                        + "a row must not empty the pool: raise max_fails, or let Goodgate keep the last one (`panic "
                        + "on`) and check actively.",
                    diff: servers.isEmpty ? nil : servers.prefix(4).map(change).joined(separator: "\n"))))
    }

    /// The line of a server with more patience, and all else that stands there.
    private static func change(_ server: UpstreamFacts.Server) -> String {
        let kept = server.parameters.filter { !$0.hasPrefix("max_fails=") && !$0.hasPrefix("fail_timeout=") }
        let old = ([server.text] + server.parameters).joined(separator: " ")
        return "-    server \(old);\n+    server \(([server.text] + kept).joined(separator: " ")) max_fails=5 fail_timeout=5s;"
    }
}
