import Config
import Loop
import Machine
import Wire

/// The compiled configuration of the http block. Immortal.
struct HTTPRuntime: ~Copyable {
    let configuration: Ref<Configuration>
    var variables = FixedList<VariableEntry>()
    var patterns = FixedList<Ref<CompiledPattern>>()
    /// By `LocationID`.
    var locations = FixedList<Ref<Location>>()
    var servers = FixedList<Ref<VirtualServer>>()
    var listeners: [Ref<Listener>] = []
    var upstreams = FixedList<Ref<Upstream>>()
    /// By the index that their variables have.
    var maps = FixedList<Ref<MapRuntime>>()
    var geos = FixedList<Ref<GeoRuntime>>()
    /// Keys of limit_req_zone and limit_conn_zone, by zone.
    var requestZoneKeys = FixedList<CompiledText>()
    var connectionZoneKeys = FixedList<CompiledText>()
    /// What holds for an address that only a request names.
    let temporaryUpstreamSettings = Ref.immortal(UpstreamSettings(name: "", location: SourceLocation(file: "", line: 0)))
    /// Charsets that the configuration names, and how they are recoded.
    var charsets = CharsetTable(names: [], recodings: [])
    /// `match` blocks that checks of apps may name.
    var matches: [String: HealthMatch] = [:]
    let usesRealIP: Bool
    /// `$request_body` stands somewhere: bodies that are streamed are remembered as far as they fit.
    var usesRequestBody = false
    /// `$request_body_file` stands somewhere: bodies go to a file exactly where nginx puts them there.
    var usesRequestBodyFile = false
    let warnsUninitialized: Bool

    var settings: HTTPSettings { configuration.value.http! }
}

/// One variable of the configuration, as the data plane looks it up.
struct VariableEntry {
    enum Kind: UInt8 {
        case none, builtin, requestHeader, sentHeader, sentTrailer, upstreamHeader, upstreamTrailer, upstreamCookie, cookie, argument
        case proxyProtocolTLV, map, geo, splitClients, assigned
    }

    let kind: Kind
    let builtin: BuiltinVariable
    /// Name for families (`user_agent` of `$http_user_agent`), else the whole name.
    let name: ByteView
    /// Index of the map, geo or split_clients block; TLV code.
    let number: Int
    /// `set`, a named group or a directive may store a value.
    let isAssigned: Bool
    /// Computed once per request.
    let isCached: Bool
}
