package import Machine

/// Phrases and look-ups that several rules share.
package enum RuleSupport {
    /// "12 × connect.refused at 127.0.0.1:3000".
    package static func failures(_ failure: FailureCase, _ reasons: Set<ReasonCode>) -> EvidenceLine {
        let parts = failure.counts.filter { reasons.contains($0.key) }
            .sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.value) × \($0.key.name)" }
        return EvidenceLine(
            "\(parts.joined(separator: ", ")) at \(failure.peerText)", source: "attempt records", time: failure.first)
    }

    /// An event as evidence.
    package static func line(_ event: LifeEvent) -> EvidenceLine {
        EvidenceLine(event.line, source: event.source, time: event.time)
    }

    /// A listening socket as evidence.
    package static func line(_ listener: Listener, _ source: String) -> EvidenceLine {
        EvidenceLine(
            "\(listener.owner?.text ?? "a process that may not be read") listens on \(listener.address.text)",
            source: source)
    }

    /// How a backend is known, as evidence.
    package static func line(_ link: BackendLink) -> EvidenceLine {
        EvidenceLine("\(link.unit.name): \(link.how)", source: link.source)
    }

    /// Whether the peer's address belongs to this host; nil when that is not known.
    package static func isLocal(_ peer: PeerAddress, _ evidence: EvidenceSet) -> Bool? {
        if peer.isUnixSocket || peer.isLoopback { return true }
        guard let addresses = evidence.host.value?.addresses, !addresses.isEmpty else { return nil }
        return addresses.contains(peer.withPort(0))
    }

    /// Whether a backend ended by itself within the incident: exits, signals, OOM kills, failed results. The newest first.
    /// - Parameter workers: whether the ends of workers count, which cut connections, while their master and its socket live on.
    package static func ends(
        of link: BackendLink, _ failure: FailureCase, _ evidence: EvidenceSet, workers: Bool = false
    ) -> [LifeEvent] {
        evidence.events.filter { event in
            guard workers || !event.isWorker, evidence.tells(event, of: link) == true,
                failure.covers(event.time) || event.time <= failure.first && isUnitDownSince(event.time, link.unit)
            else { return false }
            switch event.kind {
            case .exited, .killed, .failed, .outOfMemory, .segfault: return true
            default: return false
            }
        }.reversed()
    }

    /// Whether the unit is down now and has not been active after `time`.
    package static func isUnitDownSince(_ time: Timestamp, _ unit: UnitState) -> Bool {
        guard unit.isDown || unit.isStarting else { return false }
        guard let active = unit.activeSince else { return true }
        return active <= time
    }

    /// Milliseconds after an event in which failures are put down to it.
    private static let reach: Int64 = 60_000

    /// Milliseconds for which requests still fail that came a moment before a backend said that it listens.
    package static let settling: Int64 = 2_000

    /// The first time after `time` at which a backend says that it listens on the failing port. On another one it says nothing of these
    /// failures: metrics are often up first.
    package static func served(
        after time: Timestamp, of link: BackendLink, _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> LifeEvent? {
        guard let port = failure.peer?.port else { return nil }
        return evidence.events.first { $0.time >= time && $0.kind == .listening(port: port) && evidence.tells($0, of: link) == true }
    }

    /// When failures come with one of these events of a backend: from a moment before it until the backend says that it listens again, or,
    /// where it does not say so, for a minute after it was started. What only a living process can break is over when the next one runs;
    /// what comes with a later end is of that one.
    package static func windows(
        of events: [LifeEvent], of link: BackendLink, _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> [ClosedRange<Timestamp>] {
        let own = evidence.events.filter { evidence.tells($0, of: link) == true }
        let starts = own.filter { event in
            if case .listening = event.kind { return true }
            return event.kind == .started
        }
        let needsProcess = needsProcess(failure)
        let ends = own.filter { isUnordered($0) && (needsProcess || !$0.isWorker) }
        return events.map { event in
            let up = starts.first { $0.time > event.time }?.time
            let isGone = up == nil && isUnitDownSince(event.time, link.unit)
            var end = isGone ? max(failure.last, event.time) : max(up ?? event.time, event.time).advanced(byMilliseconds: reach)
            if let served = served(after: event.time, of: link, failure, evidence) {
                end = min(end, served.time.advanced(byMilliseconds: settling))
            }
            if needsProcess, let up { end = min(end, up.advanced(byMilliseconds: settling)) }
            // An end is told in several lines: it is another one when something ran in between, or much later.
            let next = ends.first { later in
                later.time > event.time && (up.map { later.time > $0 } ?? false || later.time.since(event.time) > oneEnd)
            }
            if let next {
                let before = min(1_500, next.time.since(event.time) / 2)
                end = min(end, next.time.advanced(byMilliseconds: -before))
            }
            return event.time.advanced(byMilliseconds: -3_000)...max(end, event.time)
        }
    }

    /// Milliseconds in which all lines about one end are written, and in which a proxy notices it.
    private static let oneEnd: Int64 = 5_000

    /// Whether all failures are of connections that a process had taken: what breaks them is an end of that process, no earlier one.
    private static func needsProcess(_ failure: FailureCase) -> Bool {
        failure.counts.allSatisfy {
            $0.value == 0 || [.connReset, .connEndBeforeHead, .connKeepaliveRace, .bodyTruncated].contains($0.key)
        }
    }

    /// Whether a process ended, and nobody had ordered it.
    private static func isUnordered(_ event: LifeEvent) -> Bool {
        if case .outOfMemory = event.kind { return true }
        return event.kind.isCrash
    }

    /// A finding about events, as sure as the failures came with them: one event within hours of failures does not explain them all.
    package static func weighed(
        _ finding: Finding, by events: [LifeEvent], of link: BackendLink, _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> RuleOutcome {
        var finding = finding
        // Nothing tells of the process in between: it may have been another that broke them.
        if needsProcess(failure), !events.contains(where: { failure.covers($0.time, before: oneEnd, after: oneEnd) }) {
            finding.confidence = min(finding.confidence, .likely)
        }
        return weighed(finding, by: events, within: windows(of: events, of: link, failure, evidence), failure)
    }

    /// The same for the times in which the events explain failures.
    package static func weighed(
        _ finding: Finding, by events: [LifeEvent], within windows: [ClosedRange<Timestamp>], _ failure: FailureCase
    ) -> RuleOutcome {
        // Times are counted in spans of seconds: a window that ended just before the first failure has none.
        let windows = windows.filter { $0.lowerBound <= failure.last && $0.upperBound >= failure.first }
        let times = failure.knownTimes, total = times.total, near = times.count(within: windows)
        guard near * 2 < total else { return .finding(finding) }
        let text =
            failure.times.total > 0 && near > 0 ? "at most \(near) of \(total) failures came with it" : "the failures did not come with it"
        guard near * 10 >= total, let event = events.last else {
            return .ruledOut(events.last.map { "\($0.time.text): \($0.line); \(text)" } ?? text)
        }
        var finding = finding
        finding.confidence = .possible
        finding.evidence.append(EvidenceLine(text, source: "attempt records", time: event.time))
        return .finding(finding)
    }

    /// Whether a unit that is down now was so when the failures came: yesterday's are not explained by what was stopped today.
    package static func wasDown(_ unit: UnitState, _ failure: FailureCase) -> Bool {
        let end = failure.last.advanced(byMilliseconds: 5_000)
        if let exited = unit.mainExited { return exited <= end }
        return unit.activeSince.map { $0 <= end } ?? true
    }

    /// A span of time in its largest fitting unit.
    package static func age(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: "\(max(milliseconds, 0)) ms"
        case ..<120_000: "\(milliseconds / 1_000) s"
        case ..<7_200_000: "\(milliseconds / 60_000) min"
        case ..<172_800_000: "\(milliseconds / 3_600_000) h"
        default: "\(milliseconds / 86_400_000) days"
        }
    }

    /// `60 MB`, in whole units.
    package static func bytes(_ count: UInt64) -> String {
        if count >= 1 << 30, count % (1 << 30) == 0 { return "\(count >> 30) GB" }
        return count >= 1 << 20 ? "\(count >> 20) MB" : "\(count >> 10) KB"
    }

    /// What shows when the proxy's workers were started.
    package static func startSource(_ evidence: EvidenceSet) -> String {
        evidence.proxy.value.map { "/proc/\($0.pid)/stat" } ?? "goodgate status"
    }

    /// The state of a unit in words: `app.service is failed (failed), Result=oom-kill`.
    package static func state(of unit: UnitState) -> EvidenceLine {
        let text =
            "\(unit.name) is \(unit.stateText)" + (unit.subState.isEmpty ? "" : " (\(unit.subState))")
            + (unit.result.isEmpty || unit.result == "success" ? "" : ", Result=\(unit.result)")
        return EvidenceLine(text, source: unitSource(unit))
    }

    /// The command that shows the unit.
    package static func unitSource(_ unit: UnitState) -> String {
        unit.isOwn ? AppHistory.source : "systemctl show \(unit.name)"
    }

    /// The command that shows the newest lines of its log.
    package static func log(_ unit: UnitState, lines: Int) -> ShellCommand {
        unit.isOwn ? "goodgate app logs \(unit.appName)" : "journalctl -u \(unit.name) -n \(lines) --no-pager"
    }

    /// The command that shows its log from a time on, which is written as journalctl of all versions reads it.
    package static func log(_ unit: UnitState, since: Timestamp) -> ShellCommand {
        let time = since.text.prefix(19).replacing("T", with: " ") + " UTC"
        return unit.isOwn
            ? "goodgate app logs \(unit.appName)" : "journalctl -u \(unit.name) --since \(time) --no-pager | tail -n 40"
    }

    /// The command that starts what does not run.
    package static func start(_ unit: UnitState) -> ShellCommand { unit.isOwn ? restart(unit) : "systemctl start \(unit.name)" }

    /// The command that starts it anew.
    package static func restart(_ unit: UnitState) -> ShellCommand {
        unit.isOwn ? "goodgate app restart \(unit.appName)" : "systemctl restart \(unit.name)"
    }

    /// The same, but not of what runs containers: all of them would end.
    package static func restarts(_ unit: UnitState) -> [ShellCommand] {
        ContainerName.isEngine(unit.name) && !unit.isDown ? [] : [restart(unit)]
    }

    /// Words for an ordered list: "a, b and c".
    package static func list(_ items: [String]) -> String {
        guard let last = items.last else { return "" }
        return items.count == 1 ? last : items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// A size as a configuration has it: `48M`, or bytes when it is no whole number of kilobytes.
    package static func configured(_ count: UInt64) -> String {
        if count % (1 << 20) == 0 { return "\(count >> 20)M" }
        return count % (1 << 10) == 0 ? "\(count >> 10)k" : "\(count)"
    }

    /// Memory to suggest instead of `limit`: half as much again, in whole 64 MB.
    package static func raised(_ limit: UInt64) -> String {
        let wanted = limit / 2 * 3
        let step: UInt64 = 64 << 20
        return "\((wanted / step + 1) * 64)M"
    }
}
