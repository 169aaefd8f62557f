import Machine

/// P12: a "zero-downtime" reload that stops the old process before the new one is ready.
enum P12ReloadNotSeamless {
    static let rule = Rule(
        number: 12, slug: "reload-not-seamless", title: "A reload that is not seamless", depth: 7,
        reasons: [.connectRefused, .connReset, .connEndBeforeHead, .bodyTruncated, .poolEmpty, .connKeepaliveRace],
        judge: judge)

    /// Lines for an ecosystem file.
    static let seamless = "+exec_mode: \"cluster\",\n+instances: 2,\n+wait_ready: true,\n+listen_timeout: 15000,\n+kill_timeout: 10000,"

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let apps = evidence.apps.value else { return .notApplicable }
        let owner = failure.peer.flatMap { evidence.listeners(for: $0).first?.owner }
        let app = apps.first { app in
            app.supervisor == .pm2
                && (app.ports.contains(failure.peer?.port ?? 0)
                    || owner.map { app.pid != 0 && (app.pid == $0.pid || app.pid == $0.parent) } ?? false)
        }
        guard let app else { return .ruledOut("no PM2 application serves \(failure.peerText)") }
        let reload = evidence.events.last {
            guard failure.covers($0.time, before: 10_000, after: 5_000) else { return false }
            let isOurs = $0.member == app.name || $0.line.contains("[\(app.name):")
            return switch $0.kind {
            // PM2 tells a reload of its own, but the end of each application by the application's name.
            case .reload: isOurs || $0.line.contains("PM2")
            // One that nobody ordered is a crash, and one without a new start a stop.
            case .exited, .killed: isOurs && !$0.kind.isCrash && app.pid != 0
            default: false
            }
        }
        guard let reload else {
            return .ruledOut("PM2 did not reload \(app.name) at that time")
        }
        let isFork = app.execMode.hasPrefix("fork")
        let why =
            isFork
            ? "it runs in fork mode, where a reload is a stop and a start"
            : app.waitReady
                ? "PM2 kills the old worker when the new one is not ready within listen_timeout "
                    + "(\(app.listenTimeout ?? 3_000) ms)"
                : "PM2 takes \"listening\" for ready and stops the old worker without draining it"
        return .finding(
            Finding(
                isFork ? .firm : .likely, Culprit(.supervisor, "pm2 \(app.name)"),
                "PM2 restarted \(app.name) while it served: \(why).",
                evidence: [
                    RuleSupport.failures(failure, rule.reasons), RuleSupport.line(reload),
                    EvidenceLine(
                        "\(app.name) has exec_mode \(app.execMode), wait_ready \(app.waitReady), kill_timeout "
                            + "\(app.killTimeout ?? 1_600) ms",
                        source: evidence.apps.source),
                ],
                disproof: "No restart of \(app.name) within ten seconds of the failures.",
                fix: Fix(
                    (app.isNode
                        ? "Use cluster mode with wait_ready and a SIGINT handler that drains (in its ecosystem file); or run"
                        : "Run two instances on ports of their own and restart one after the other; or run")
                        + " the app under Goodgate (`app`), which un-routes first.",
                    diff: app.isNode ? Self.seamless : nil)))
    }
}
