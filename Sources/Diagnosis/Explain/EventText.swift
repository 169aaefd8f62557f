import Machine

/// Turns an event of a log line into an explanation.
enum EventText {
    static func isDenial(_ kind: LifeEvent.Kind) -> Bool { if case .denied = kind { true } else { false } }

    /// Whether an event tells of something that went wrong.
    static func isFailure(_ kind: LifeEvent.Kind) -> Bool {
        switch kind {
        case .started, .stopping, .stopped, .listening: false
        default: true
        }
    }

    static func origin(_ text: LineText) -> Explanation.Origin {
        if text.contains("WORKER TIMEOUT") || text.contains("Worker (pid:") { return .gunicorn }
        if text.contains("max_children") || text.contains("exited on signal") { return .phpFpm }
        if text.contains("App [") || text.contains("-reload-") || text.contains("unstable restarts")
            || text.contains("PM2")
        {
            return .pm2
        }
        return .application
    }

    static func explain(_ event: LifeEvent, _ text: LineText, _ origin: Explanation.Origin) -> Explanation? {
        let who =
            event.unit ?? event.process.map { name in event.pid.map { "\(name) (pid \($0))" } ?? name } ?? event.pid.map
        { "pid \($0)" } ?? "The process"
        func make(_ rules: [Int], _ reason: ReasonCode? = nil, _ summary: String) -> Explanation {
            Explanation(
                origin, rules: rules.map(RuleNames.id), reason: reason, summary,
                checks: RuleChecks.checks(rules, peer: nil, unit: event.unit))
        }
        if event.isOfControl {
            return make(
                [11, 1], nil, "A command of \(who) failed, as ExecReload= or ExecStartPre=: at a start or a stop the unit fails with it.")
        }
        switch event.kind {
        case .outOfMemory(let constraint):
            let why =
                constraint == "MEMCG"
                ? " at the limit of its cgroup" : constraint == "NONE" ? " because the host had no memory left" : ""
            return make([10], nil, "\(who) was killed for its memory\(why).")
        case .segfault: return make([7], nil, "\(who) \(event.crashText).")
        case .synFlood(let port): return make([19], .connectTimeout, "The accept queue of port \(port) overflowed.")
        case .conntrackFull:
            return make([19], .connectTimeout, "The connection tracking table is full: new connections are dropped.")
        case .denied(let permission, let port):
            return make(
                [17], .connectDenied,
                "A security policy denied \(permission)\(port.map { " to port \($0)" } ?? "") for "
                    + "\(event.process ?? "a process")."
            )
        case .exited(let code): return make([11, 7, 1], nil, "\(who) exited with code \(code).")
        case .killed(let signal, let dumped):
            return make(
                origin == .gunicorn && signal == 9 ? [10, 7] : [7, 10], nil,
                "\(who) was killed by signal \(signal)\(dumped ? " and dumped core" : "").")
        case .failed(let result):
            let rules =
                result == "oom-kill"
                ? [10] : result == "start-limit-hit" ? [11] : result == "timeout" ? [13, 11] : [11, 7]
            return make(rules, nil, "\(who) failed with result \(result).")
        case .restartScheduled(let count): return make([11], nil, "\(who) is being restarted: restart number \(count).")
        case .gaveUp: return make([11], nil, "\(who) failed so often that its supervisor stopped trying.")
        case .stopTimedOut: return make([13], nil, "\(who) did not stop in time and got SIGKILL.")
        case .addressInUse: return make([27], .portTaken, "\(who) could not bind its address: somebody else has it.")
        case .workerTimeout:
            return make(
                [28], .responseTimeout,
                "A worker did not answer its master in time and was killed: the request was too slow.")
        case .poolExhausted(let limit):
            return make([28], .responseTimeout, "All \(limit) workers of the pool were busy.")
        case .reload: return make([12], nil, "The application was reloaded.")
        case .started, .stopping, .stopped, .listening: return nil
        }
    }
}
