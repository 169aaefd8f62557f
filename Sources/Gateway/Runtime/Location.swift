import Config
import Loop
import Machine
import Wire

/// A location in the form the data plane reads: numbers and compiled texts for what every request needs, and the typed settings for the
/// rest. Immortal; one per settings block of the configuration (`if` and `limit_except` have their own).
struct Location: ~Copyable {
    let id: Int
    /// nginx's name of it, for messages: the path, the pattern, `@name`.
    let name: ByteView
    /// All typed settings, read in place.
    let settings: Ref<LocationSettings>
    /// `/dir/` with proxy_pass: a request for `/dir` is redirected.
    var redirectsToSlash = false
    /// Locations nested in this one.
    var children: LocationTree?
    var rewrite: Ref<CompiledRewrite>?
    var proxy: Ref<ProxyRuntime>?
    /// Who knows the addresses of hosts that a proxy_pass with variables names.
    var resolver: Ref<ResolverRuntime>?
    /// add_header, expires and add_trailer; nil if there are none.
    var headers: Ref<HeaderRuntime>?
    /// What its body filters need; nil if it has none and no subrequest needs one.
    var filters: Ref<FilterRuntime>?
    /// valid_referers; nil: all are.
    var referers: Ref<RefererRuntime>?
    /// Where its files are; set for every location when the configuration is compiled.
    var files: Ref<FileRuntime>?

    // Read by every request.
    let isInternal: Bool
    let keepaliveTimeout: UInt64
    let keepaliveMinTimeout: UInt64
    let keepaliveRequests: Int
    let keepaliveTime: UInt64
    let sendTimeout: UInt64
    let bodyTimeout: UInt64
    let bodySizeMax: Int64
    let bodyBufferSize: Int
    let lingeringClose: LingeringClose
    let lingeringTime: UInt64
    let lingeringTimeout: UInt64
    let resetsTimedOut: Bool
    let sendsServerToken: ServerTokens
    let hasAccessRules: Bool
    let hasLimits: Bool
    let hasTryFiles: Bool
    let hasLimitExcept: Bool
    /// limit_except: the bits of the methods it is not for.
    let unlimitedMethods: UInt32
    /// `real_ip_header` as a variable's name, if it is a field that has no case of its own.
    let realIPField: ByteView
    /// Any body filter may apply: gzip, gunzip, charset, ssi, sub, addition.
    let hasBodyFilters: Bool
    let hasLimitRate: Bool
    /// tcp_nodelay
    let isNoDelay: Bool
    let chunkedAllowed: Bool
    /// keepalive_disable
    let keepaliveDisabledFor: UserAgent
    let keepaliveHeader: Int
    /// Compiled access logs of this location.
    var accessLogs = FixedList<AccessLog>()
    /// Its error logs, nil for the main ones.
    var errorLogs: FixedList<ErrorLogTarget>?

    init(id: Int, settings: Ref<LocationSettings>) {
        self.id = id
        self.settings = settings
        let core = settings.value.core
        name = ByteView.immortal(settings.value.name)
        isInternal = core.isInternal
        keepaliveTimeout = UInt64(core.keepaliveTimeout)
        keepaliveMinTimeout = UInt64(min(core.keepaliveMinTimeout, core.keepaliveTimeout))
        keepaliveRequests = core.keepaliveRequests
        keepaliveTime = UInt64(core.keepaliveTime)
        sendTimeout = UInt64(core.sendTimeout)
        bodyTimeout = UInt64(core.clientBodyTimeout)
        bodySizeMax = Int64(core.clientBodySizeMax)
        bodyBufferSize = core.clientBodyBufferSize
        lingeringClose = core.lingeringClose
        lingeringTime = UInt64(core.lingeringTime)
        lingeringTimeout = UInt64(core.lingeringTimeout)
        resetsTimedOut = core.resetsTimedOutConnections
        sendsServerToken = core.serverTokens
        hasAccessRules = !settings.value.access.rules.isEmpty
        hasLimits = !settings.value.limitRequests.rules.isEmpty || !settings.value.limitConnections.rules.isEmpty
        hasTryFiles = core.tryFiles != nil
        hasLimitExcept = core.limitExcept != nil
        unlimitedMethods = core.limitExcept?.methods.reduce(0) { $0 | Method.lookup(ByteView.immortal($1)).bit } ?? 0
        if case .header(let name) = settings.value.realIP.source {
            realIPField = ByteView.immortal(name.map { $0 == 0x2d ? 0x5f : asciiLowercase($0) })
        } else {
            realIPField = ByteView()
        }
        hasBodyFilters = settings.value.gzip.isEnabled || settings.value.gunzip.isEnabled || settings.value.ssi.isEnabled
            || !settings.value.sub.rules.isEmpty || settings.value.addition != AdditionSettings()
            || settings.value.charset.charset != .off || settings.value.charset.overrides
        hasLimitRate = core.limitRate != .constant(0)
        isNoDelay = core.isTCPNodelay
        chunkedAllowed = core.isChunkedTransferEncoding
        keepaliveDisabledFor = UserAgent(core.keepaliveDisabledFor)
        keepaliveHeader = core.keepaliveHeader
    }
}

/// A server block, compiled.
struct VirtualServer: ~Copyable {
    let index: Int
    let name: ByteView
    /// Settings of the server block itself.
    let location: Ref<Location>
    var locations = LocationTree()
    var rewrite: Ref<CompiledRewrite>?
    let headOptions: HeadOptions
    let clientHeaderTimeout: UInt64
    let mergesSlashes: Bool

    init(index: Int, settings: ServerSettings, location: Ref<Location>) {
        self.index = index
        name = ByteView.immortal(settings.canonicalName)
        self.location = location
        var options = HeadOptions()
        options.maxFields = UInt32(clamping: settings.head.fieldCountMax)
        options.maxLineLength = UInt32(clamping: max(settings.head.largeBufferSize, settings.head.bufferSize))
        options.maxHeadLength = UInt32(clamping: settings.head.largeBufferCount * settings.head.largeBufferSize + settings.head.bufferSize)
        options.strictLineEndings = settings.head.requiresCRLF
        options.ignoreInvalidHeaders = settings.head.ignoresInvalidFields
        options.underscoresInHeaders = settings.head.allowsUnderscores
        headOptions = options
        clientHeaderTimeout = UInt64(settings.head.timeout)
        mergesSlashes = settings.head.mergesSlashes
    }
}

/// A listening socket with the servers behind it.
struct Listener: ~Copyable {
    let index: UInt32
    /// Place among the worker's listeners, the slot of its events.
    var slot: UInt32 = 0
    var descriptor: Int32 = -1
    let key: String
    let hasProxyProtocol: Bool
    /// Several workers wait on the same socket (no reuseport).
    var isShared = false
    var pace = AcceptPace()
    let defaultServer: Ref<VirtualServer>
    let hosts: HostTable
    /// TCP, not a unix socket.
    let isTCP: Bool
    /// The servers here differ in what they take for a head.
    let hasHeadOptions: Bool
}

extension Ref where Value == Listener {
    /// The same servers behind one more socket of the same address.
    func another() -> Ref<Listener> {
        Ref.immortal(Listener(
            index: value.index, key: value.key, hasProxyProtocol: value.hasProxyProtocol, defaultServer: value.defaultServer,
            hosts: value.hosts, isTCP: value.isTCP, hasHeadOptions: value.hasHeadOptions))
    }
}
