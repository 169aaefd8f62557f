import Config
import Loop
import Machine
import Wire

/// What limit_req and limit_conn keep for a request.
struct LimitState {
    /// `$limit_req_status`, `$limit_conn_status`.
    enum Status: UInt8 {
        case none, passed, delayed, rejected, delayedDryRun, rejectedDryRun

        var text: ByteView? {
            switch self {
            case .none: nil
            case .passed: "PASSED"
            case .delayed: "DELAYED"
            case .rejected: "REJECTED"
            case .delayedDryRun: "DELAYED_DRY_RUN"
            case .rejectedDryRun: "REJECTED_DRY_RUN"
            }
        }
    }

    var requestStatus = Status.none
    var connectionStatus = Status.none
    /// Places held in limit_conn zones: (zone, place), up to eight.
    var held = InlineArray<8, (zone: Int32, place: Int32)>(repeating: (-1, -1))
    var heldCount = 0
}

/// limit_req and limit_conn (nginx: ngx_http_limit_req_module, ngx_http_limit_conn_module). Once per request, subrequests not counted.
extension Ref where Value == Request {
    func checkLimits() -> Step {
        let main = main
        if main.value.limits.requestStatus == .none {
            let step = checkRequestRate(main)
            guard case .next = step else { return step }
        }
        if main.value.limits.connectionStatus == .none { return checkConnections(main) }
        return .next
    }

    private func checkRequestRate(_ main: RequestRef) -> Step {
        let settings = location.value.settings
        guard !settings.value.limitRequests.rules.isEmpty else { return .next }
        let http = worker.value.http
        let now = Machine.Milliseconds(worker.now)
        var found: [(rule: LimitRequestsSettings.Rule, key: ByteView, excess: Int64)] = []
        for rule in settings.value.limitRequests.rules {
            let zone = http.value.configuration.value.http!.limitRequestZones[rule.zone]
            let key = evaluate(zone.key)
            if key.isEmpty { continue }
            guard key.count <= 65_535 else {
                log(.error, "the value of the limit key is more than 65535 bytes: \"\(key.prefix(100).string)\"")
                continue
            }
            switch http.value.requestZones[rule.zone].value.check(key, burst: Int64(rule.burst), now: now, counts: false) {
            case .allowed(let excess): found.append((rule, key, excess))
            case .rejected(let excess): return rejectRequest(main, settings.value.limitRequests, zone.name, excess)
            }
        }
        guard !found.isEmpty else { return .next }
        var wait: Machine.Milliseconds = 0
        var slowest: (zone: Int, excess: Int64)?
        for entry in found {
            _ = http.value.requestZones[entry.rule.zone].value.check(entry.key, burst: Int64(entry.rule.burst), now: now, counts: true)
            let delay = http.value.requestZones[entry.rule.zone].value.delay(excess: entry.excess, after: Int64(entry.rule.delay))
            if delay > wait { (wait, slowest) = (delay, (entry.rule.zone, entry.excess)) }
        }
        guard let slowest else {
            main.value.limits.requestStatus = .passed
            return .next
        }
        return delayRequest(main, settings.value.limitRequests, slowest.zone, slowest.excess, wait)
    }

    private func rejectRequest(_ main: RequestRef, _ settings: LimitRequestsSettings, _ zone: String, _ excess: Int64) -> Step {
        log(settings.logLevel,
            "limiting requests\(settings.isDryRun ? ", dry run" : ""), excess: \(thousandths(excess)) by zone \"\(zone)\"")
        main.value.limits.requestStatus = settings.isDryRun ? .rejectedDryRun : .rejected
        return settings.isDryRun ? .next : .finished(settings.status)
    }

    private func delayRequest(
        _ main: RequestRef, _ settings: LimitRequestsSettings, _ zone: Int, _ excess: Int64, _ wait: Machine.Milliseconds
    ) -> Step {
        let name = worker.value.http.value.configuration.value.http!.limitRequestZones[zone].name
        let level = LogLevel(rawValue: min(7, settings.logLevel.rawValue + 1)) ?? .info
        log(level, "delaying request\(settings.isDryRun ? ", dry run" : ""), excess: \(thousandths(excess)), by zone \"\(name)\"")
        if settings.isDryRun {
            main.value.limits.requestStatus = .delayedDryRun
            return .next
        }
        main.value.limits.requestStatus = .delayed
        value.isDelayed = true
        value.resumption = .runPhases
        setTimer(after: UInt64(wait))
        return .suspended
    }

    private func thousandths(_ excess: Int64) -> String {
        let rest = String(excess % 1000)
        return "\(excess / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    private func checkConnections(_ main: RequestRef) -> Step {
        let settings = location.value.settings
        guard !settings.value.limitConnections.rules.isEmpty else { return .next }
        let http = worker.value.http
        for rule in settings.value.limitConnections.rules {
            let zone = http.value.configuration.value.http!.limitConnectionZones[rule.zone]
            let key = evaluate(zone.key)
            if key.isEmpty || key.count > 255 { continue }
            main.value.limits.connectionStatus = .passed
            guard main.value.limits.heldCount < 8,
                let place = http.value.connectionZones[rule.zone].value.enter(key, limit: rule.connections) else {
                let isDryRun = settings.value.limitConnections.isDryRun
                log(settings.value.limitConnections.logLevel, "limiting connections\(isDryRun ? ", dry run," : "") by zone \"\(zone.name)\"")
                main.releaseLimits()
                main.value.limits.connectionStatus = isDryRun ? .rejectedDryRun : .rejected
                return isDryRun ? .next : .finished(settings.value.limitConnections.status)
            }
            main.value.limits.held[main.value.limits.heldCount] = (Int32(rule.zone), place)
            main.value.limits.heldCount += 1
        }
        return .next
    }

    /// Gives back what limit_conn counted. At the end of a main request.
    func releaseLimits() {
        let count = value.limits.heldCount
        guard count > 0 else { return }
        value.limits.heldCount = 0
        for index in 0..<count {
            let held = value.limits.held[index]
            worker.value.http.value.connectionZones[Int(held.zone)].value.leave(held.place)
        }
    }
}
