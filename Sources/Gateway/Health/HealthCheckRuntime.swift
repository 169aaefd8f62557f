import Loop
import Machine
import Wire

/// A health check, compiled: `health_check` of a location, or `health` of an app. Immortal.
struct HealthCheckRuntime: ~Copyable {
    let settings: HealthCheckSettings
    /// Until an app's instance has passed for the first time: it is asked more often, because requests may be waiting for it.
    let provingSettings: HealthCheckSettings
    /// The request as it is sent.
    let request: ByteView
    let match: HealthMatch
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
