import Board
import Config
import Loop
import Machine
import Wire

/// What limit_req and limit_conn keep for a request.
struct LimitState: ~Copyable {
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
    /// Places held in zones of limit_conn.
    var held = Table<(zone: Int32, place: Int32)>(capacity: 1)

    mutating func reset() {
        requestStatus = .none
        connectionStatus = .none
        held.removeAll()
    }
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

    /// All limits are asked, and only when all allow the request they count it: the last one asks and counts in one step (as nginx).
    private func checkRequestRate(_ main: RequestRef) -> Step {
        let settings = location.value.settings
        let rules = settings.value.limitRequests.rules
        guard !rules.isEmpty else { return .next }
        var wait: Int64 = 0
        var slowest: (zone: Int, excess: Int64)?
        var isCounted = false
        for index in rules.indices {
            guard let hash = hash(of: rules[index]) else { continue }
            switch take(rules[index], hash, counts: index == rules.count - 1) {
            case .allowed(let excess):
                isCounted = true
                let delay = delay(rules[index], excess)
                if delay > wait { (wait, slowest) = (delay, (rules[index].zone, excess)) }
            case .rejected(let excess):
                return rejectRequest(main, settings.value.limitRequests, zoneName(rules[index].zone), excess)
            }
        }
        guard isCounted else { return .next }
        for rule in rules.dropLast() { if let hash = hash(of: rule) { _ = take(rule, hash, counts: true) } }
        guard let slowest else {
            main.value.limits.requestStatus = .passed
            return .next
        }
        return delayRequest(main, settings.value.limitRequests, slowest.zone, slowest.excess, wait)
    }

    private func zoneName(_ zone: Int) -> String { worker.value.http.value.configuration.value.http!.limitRequestZones[zone].name }

    /// The key's hash; nil if the rule does not count the request.
    private func hash(of rule: LimitRequestsSettings.Rule) -> UInt64? {
        guard rule.zone < worker.value.requestZones.count, let zone = worker.value.requestZones[rule.zone] else { return nil }
        let key = evaluate(worker.value.http.value.requestZoneKeys[rule.zone])
        if key.isEmpty { return nil }
        guard key.count <= 65_535 else {
            log(.error, "the value of the limit key is more than 65535 bytes: \"\(key.prefix(100).string)\"")
            return nil
        }
        return KeyedHash.hash(key, zone.secret)
    }

    private func take(_ rule: LimitRequestsSettings.Rule, _ hash: UInt64, counts: Bool) -> RequestZone.Outcome {
        worker.value.requestZones[rule.zone]?.take(
            hash: hash, rate: rate(rule), burst: Int64(rule.burst), now: worker.now, counts: counts) ?? .allowed(excess: 0)
    }

    private func delay(_ rule: LimitRequestsSettings.Rule, _ excess: Int64) -> Int64 {
        RequestZone.delay(excess: excess, after: Int64(rule.delay), rate: rate(rule))
    }

    private func rate(_ rule: LimitRequestsSettings.Rule) -> Int64 {
        Int64(max(1, worker.value.http.value.configuration.value.http!.limitRequestZones[rule.zone].rate))
    }

    private func rejectRequest(_ main: RequestRef, _ settings: LimitRequestsSettings, _ zone: String, _ excess: Int64) -> Step {
        log(settings.logLevel,
            "limiting requests\(settings.isDryRun ? ", dry run" : ""), excess: \(thousandths(excess)) by zone \"\(zone)\"")
        main.value.limits.requestStatus = settings.isDryRun ? .rejectedDryRun : .rejected
        return settings.isDryRun ? .next : .finished(settings.status)
    }

    private func delayRequest(
        _ main: RequestRef, _ settings: LimitRequestsSettings, _ zone: Int, _ excess: Int64, _ wait: Int64
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
        for rule in settings.value.limitConnections.rules where rule.zone < worker.value.connectionZones.count {
            let key = evaluate(worker.value.http.value.connectionZoneKeys[rule.zone])
            if key.isEmpty || key.count > 255 { continue }
            guard let counts = worker.value.connectionZones[rule.zone] else { continue }
            main.value.limits.connectionStatus = .passed
            let hash = KeyedHash.hash(key, counts.secret)
            guard let place = counts.enter(hash: hash, column: worker.value.zoneColumn, limit: rule.connections) else {
                let isDryRun = settings.value.limitConnections.isDryRun
                let name = worker.value.http.value.configuration.value.http!.limitConnectionZones[rule.zone].name
                log(settings.value.limitConnections.logLevel, "limiting connections\(isDryRun ? ", dry run," : "") by zone \"\(name)\"")
                main.releaseLimits()
                main.value.limits.connectionStatus = isDryRun ? .rejectedDryRun : .rejected
                return isDryRun ? .next : .finished(settings.value.limitConnections.status)
            }
            main.value.limits.held.append((Int32(rule.zone), place))
        }
        return .next
    }

    /// Gives back what limit_conn counted. At the end of a main request.
    func releaseLimits() {
        for index in value.limits.held.indices {
            let held = value.limits.held[index]
            worker.value.connectionZones[Int(held.zone)]?.leave(held.place)
        }
        value.limits.held.removeAll()
    }
}
