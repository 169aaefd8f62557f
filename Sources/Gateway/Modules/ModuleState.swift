import Loop
import Wire

/// State that modules keep in a request. Small values only; what is rarely there hangs on it.
struct ModuleState: ~Copyable {
    /// X-Accel-Buffering said so.
    var bufferingOverride: Bool?
    var overrideCharset: ByteView?
    /// URI of a proxy_pass with variables, as evaluated.
    var dynamicURI: ByteView?
    /// Host and port of it, for $proxy_host and $proxy_port.
    var dynamicHost: ByteView?
    var dynamicPort: ByteView?
    /// Input buffers whose views must stay valid until the end.
    private var kept: [Ref<Buffer>] = []
    var requestID: ByteView?
    var gzip = GzipCount()
    /// What the SSI of this request and its subrequests share.
    var ssi: SSIContext?
    /// The main answer is recoded to this charset; bodies of subrequests follow.
    var mainCharset: ByteView?
    /// It was already there when the request before it ended.
    var isPipelined = false
    /// real_ip replaced the address: text and binary form of the client's own.
    var clientAddress: CompactAddress?

    init() {}

    mutating func keepUntilEnd(_ buffer: Ref<Buffer>) { kept.append(buffer) }

    mutating func leaveContent() {
        bufferingOverride = nil
        overrideCharset = nil
        dynamicURI = nil
    }

    mutating func reset() {
        leaveContent()
        dynamicHost = nil
        dynamicPort = nil
        requestID = nil
        gzip = GzipCount()
        if ssi != nil { ssi = nil }
        mainCharset = nil
        isPipelined = false
        clientAddress = nil
    }

    /// Buffers to give back at the end of the request.
    mutating func takeKept() -> [Ref<Buffer>] {
        if kept.isEmpty { return [] }
        defer { kept.removeAll() }
        return kept
    }
}
