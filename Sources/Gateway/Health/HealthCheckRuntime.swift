import Loop
import Machine
import Messages
import Wire

/// A health check, compiled: `health_check` of a location, or `health` of an app. Immortal.
struct HealthCheckRuntime: ~Copyable {
    let settings: HealthCheckSettings
    /// Until an app's instance has passed for the first time: it is asked more often, because requests may be waiting for it.
    let provingSettings: HealthCheckSettings
    /// The request as it is sent.
    let request: ByteView
    let match: HealthMatch
    /// A peer that has never passed gets nothing, not even as the last resort.
    let isMandatory: Bool
    /// nil: the peer's own.
    let port: UInt16?
    /// Milliseconds, each from the last progress on.
    let connectTimeout: UInt64
    let sendTimeout: UInt64
    let readTimeout: UInt64
    /// How long one connection serves checks, in milliseconds; nil: each check has its own.
    let keepaliveTime: UInt64?

    /// Longest interval of checks until the first pass of an app's instance, in milliseconds.
    static var provingIntervalMax: Milliseconds { 100 }
    /// Bytes of a body that are looked at, as in NGINX Plus.
    static var bodyBytesMax: Int { 256 << 10 }
    /// Longest head of an answer, in bytes.
    static var headBytesMax: Int { 16384 }
}

extension HealthCheckRuntime {
    /// The check of an app's instance. A `match` block that the configuration does not have any more judges nothing.
    init(_ check: InstanceCheck.Settings, matches: [String: HealthMatch]) {
        let settings = HealthCheckSettings(
            interval: Int64(clamping: check.interval), timeout: Int64(clamping: check.timeout), fails: Int(check.fails),
            passes: Int(check.passes))
        var proving = settings
        proving.interval = min(settings.interval, Self.provingIntervalMax)
        self.init(
            settings: settings, provingSettings: proving,
            request: Self.head(Array(check.uri.utf8), [("Host", "localhost")], isHTTP11: true, isKept: false),
            match: check.match.flatMap { matches[$0] } ?? .standard, isMandatory: false, port: nil, connectTimeout: check.timeout,
            sendTimeout: check.timeout, readTimeout: check.timeout, keepaliveTime: nil)
    }

    /// A request for a check. Immortal.
    static func head(
        _ uri: [UInt8], _ fields: [(name: ByteView, value: ByteView)], isHTTP11: Bool, isKept: Bool
    ) -> ByteView {
        var bytes = Array("GET ".utf8) + uri + Array((isHTTP11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n").utf8)
        func add(_ name: ByteView, _ value: ByteView) { bytes += name.array + Array(": ".utf8) + value.array + Array("\r\n".utf8) }
        for field in fields where !field.name.equalsIgnoringCase("connection") { add(field.name, field.value) }
        if !fields.contains(where: { $0.name.equalsIgnoringCase("user-agent") }) { add("User-Agent", "goodgate-health-check") }
        if !isKept { add("Connection", "close") } else if !isHTTP11 { add("Connection", "keep-alive") }
        return ByteView.immortal(bytes + Array("\r\n".utf8))
    }
}
