import Config
import Loop
import Machine
import Wire

/// proxy_pass of a location, compiled: the request head as a list of parts, and which of the client's fields are left out.
struct ProxyRuntime: ~Copyable {
    /// Bytes by which a head that is sent was longer than the client's, at most so far: what to make room for.
    var headMargin = 256
    /// The group, nil when the target has variables.
    let upstream: Ref<Upstream>?
    /// The target with variables.
    let target: CompiledText?
    /// URI part of proxy_pass that replaces the location's prefix; nil: the client's URI goes on as it is.
    let uri: ByteView?
    let replacedPrefixLength: Int
    /// $proxy_host and $proxy_port of a constant target.
    let host: ByteView
    let port: ByteView
    let scheme: ByteView
    let url: ByteView
    /// proxy_set_header and the defaults, in nginx's order.
    let fields: FixedList<ProxyField>
    /// Tokens of client fields that are replaced or dropped.
    let dropped: TokenSet
    /// The same for names without a token.
    let droppedNames: FixedList<ByteView>
    let hiddenTokens: TokenSet
    let hiddenNames: FixedList<ByteView>
    let method: CompiledText?
    let body: CompiledText?
    let usesHTTP11: Bool
    let passesHeaders: Bool
    let passesBody: Bool
    let isBuffering: Bool
    let isRequestBuffering: Bool
    let bufferSize: Int
    let buffersTotal: Int
    let tempFileSizeMax: Int64
    let connectTimeout: UInt64
    let sendTimeout: UInt64
    let readTimeout: UInt64
    let retry: RetrySettings
    let interceptsErrors: Bool
    let ignoresClientAbort: Bool
    let redirects: Bool
    let rewritesCookies: Bool
    let ignored: IgnoredFields
    /// Names the location among the users of an upstream; > 0.
    let tag: Int
    /// proxy_set_header says Upgrade: without it a 101 is an answer to nothing.
    let setsUpgrade: Bool
    /// proxy_replay_idempotency_key
    let replaysWithKey: Bool
}

/// One field that is sent upstream.
struct ProxyField {
    let name: ByteView
    /// `Name: ` as it is sent.
    let prefix: ByteView
    /// What `proxy_set_header` or a default says; nil for the next two where it says nothing.
    let text: CompiledText?
    /// Content-Length and Transfer-Encoding depend on the body and are decided when the head is written, whatever their text is.
    let isContentLength: Bool
    let isTransferEncoding: Bool
}

/// What an attempt left for $upstream_* variables and records.
struct AttemptStat: BitwiseCopyable {
    var peer = ByteView()
    var status = 0
    var startedAt: UInt64 = 0
    var connectTime: Int64 = -1
    var headerTime: Int64 = -1
    var responseTime: Int64 = -1
    var responseLength: Int64 = 0
    var bytesReceived: Int64 = 0
    var bytesSent: Int64 = 0
    /// After an internal redirect the list goes on with ` : ` instead of `, `.
    var startsGroup = false
    /// Why it failed; nil if it did not.
    var reason: ReasonCode?
}

/// proxy_ignore_headers as bits: looked at for each answer.
struct IgnoredFields: OptionSet {
    let rawValue: UInt16

    static let accelRedirect = IgnoredFields(rawValue: 1)
    static let accelExpires = IgnoredFields(rawValue: 2)
    static let accelLimitRate = IgnoredFields(rawValue: 4)
    static let accelBuffering = IgnoredFields(rawValue: 8)
    static let accelCharset = IgnoredFields(rawValue: 16)
    static let expires = IgnoredFields(rawValue: 32)
    static let cacheControl = IgnoredFields(rawValue: 64)
    static let setCookie = IgnoredFields(rawValue: 128)
    static let vary = IgnoredFields(rawValue: 256)

    init(rawValue: UInt16) { self.rawValue = rawValue }

    init(_ headers: Set<IgnoredHeader>) {
        self = []
        for header in headers {
            switch header {
            case .accelRedirect: insert(.accelRedirect)
            case .accelExpires: insert(.accelExpires)
            case .accelLimitRate: insert(.accelLimitRate)
            case .accelBuffering: insert(.accelBuffering)
            case .accelCharset: insert(.accelCharset)
            case .expires: insert(.expires)
            case .cacheControl: insert(.cacheControl)
            case .setCookie: insert(.setCookie)
            case .vary: insert(.vary)
            }
        }
    }
}
