import Config
import Loop
import Machine
import Wire

extension HTTPCompiler {
    /// The checks of all upstreams. After the locations, whose `proxy_pass` they go by.
    func compileHealthChecks() {
        for upstream in upstreams {
            upstream.value.checks = upstream.value.settings.value.healthChecks.map { Ref.immortal(healthCheck($0)) }
            let app = upstream.value.settings.value.app
            let isAppChecked = app.map { configuration.value.main.apps[$0].health != nil } ?? false
            upstream.value.isChecked = isAppChecked || !upstream.value.checks.isEmpty
        }
    }

    private func healthCheck(_ check: Config.HealthCheckSettings) -> HealthCheckRuntime {
        let proxy = locations[check.settings.index].value.proxy!
        let limits = (connect: proxy.value.connectTimeout, send: proxy.value.sendTimeout, read: proxy.value.readTimeout)
        // Every new peer is unproven; what `mandatory` adds is that it is no last resort either.
        let settings = Machine.HealthCheckSettings(
            interval: Int64(check.interval), jitter: Int64(check.jitter), timeout: Int64(limits.connect + limits.send + limits.read),
            fails: check.fails, passes: check.passes, isMandatory: true, isPersistent: check.isPersistent || !check.isMandatory)
        let isKept = check.keepaliveTime != nil
        return HealthCheckRuntime(
            settings: settings, provingSettings: settings,
            request: HealthCheckRuntime.head(check.uri, fields(of: proxy), isHTTP11: proxy.value.usesHTTP11, isKept: isKept),
            match: check.match.map { match(configuration.value.http!.matches[$0]) } ?? .standard, isMandatory: check.isMandatory,
            port: check.port,
            connectTimeout: limits.connect, sendTimeout: limits.send, readTimeout: limits.read,
            keepaliveTime: check.keepaliveTime.map { UInt64($0) })
    }

    /// The fields that traffic of the location has, as far as no request is needed to know them.
    private func fields(of proxy: Ref<ProxyRuntime>) -> [(name: ByteView, value: ByteView)] {
        var list: [(name: ByteView, value: ByteView)] = []
        let fields = proxy.value.fields
        for index in fields.indices {
            let field = fields[index]
            guard let value = field.text?.constant, !field.isContentLength, !field.isTransferEncoding else { continue }
            if !value.isEmpty { list.append((field.name, value)) }
        }
        if !list.contains(where: { $0.name.equalsIgnoringCase("host") }) { list.insert(("Host", proxy.value.host), at: 0) }
        return list
    }

    func match(_ settings: MatchSettings) -> HealthMatch {
        HealthMatch(conditions: settings.conditions.map { condition in
            switch condition {
            case .status(let ranges, let isNegated): .status(ranges: ranges, isNegated: isNegated)
            case .header(let name, let test): header(ByteView.immortal(name), test)
            case .body(let id, let isNegated): .body(patterns[id.index].value.pattern, isNegated: isNegated)
            }
        })
    }

    private func header(_ name: ByteView, _ test: MatchSettings.Test) -> HealthMatch.Condition {
        let compiled: HealthMatch.FieldTest =
            switch test {
            case .exists: .exists
            case .missing: .missing
            case .equal(let value): .equal(ByteView.immortal(value))
            case .notEqual(let value): .notEqual(ByteView.immortal(value))
            case .matches(let id): .matches(patterns[id.index].value.pattern)
            case .doesNotMatch(let id): .doesNotMatch(patterns[id.index].value.pattern)
            }
        return .header(name: name, hash: FieldHash.hash(name), test: compiled)
    }
}
