/// Index into `VariableTable`.
package struct VariableID: Hashable, Sendable {
    /// Position in the array that it refers to, from 0.
    package var index: Int

    package init(_ index: Int) { self.index = index }
}

/// What computes a variable.
package enum VariableKind: Hashable, Sendable {
    /// Referred to, but nobody defined it (only while parsing).
    case undefined
    case builtin(BuiltinVariable)
    /// `$http_NAME`; the name in lower case with `_` for `-`, as it stands in the variable.
    case requestHeader(Bytes)
    /// `$sent_http_NAME`.
    case sentHeader(Bytes)
    /// `$sent_trailer_NAME`.
    case sentTrailer(Bytes)
    /// `$upstream_http_NAME`.
    case upstreamHeader(Bytes)
    /// `$upstream_trailer_NAME`.
    case upstreamTrailer(Bytes)
    /// `$upstream_cookie_NAME`.
    case upstreamCookie(Bytes)
    /// `$cookie_NAME`.
    case cookie(Bytes)
    /// `$arg_NAME`.
    case argument(Bytes)
    /// `$proxy_protocol_tlv_NAME`; see `ProxyProtocolTLV`.
    case proxyProtocolTLV(ProxyProtocolTLV)
    /// Index into `HTTPSettings.maps`.
    case map(Int)
    /// Index into `HTTPSettings.geos`.
    case geo(Int)
    /// Index into `HTTPSettings.splitClients`.
    case splitClients(Int)
    /// Defined by `set` only: empty until set.
    case set
    /// Defined by a named group of a regular expression only.
    case namedCapture
}

/// Which TLV of a PROXY protocol v2 header a variable shows.
package enum ProxyProtocolTLV: Hashable, Sendable {
    /// A TLV by its type.
    case type(UInt8)
    /// A sub-TLV of the SSL TLV (0x20) by its type.
    case sslType(UInt8)
    /// The `verify` field of the SSL TLV, in decimal.
    case sslVerify
    /// A name that is no TLV: never found.
    case unknown
}

/// One variable of a configuration.
package struct Variable: Hashable, Sendable {
    /// Name without `$`.
    package var name: String
    package var kind: VariableKind
    /// Whether its value is computed anew at each use (`volatile`, `$args`…).
    package var isVolatile: Bool
    /// Whether a `set`, a named group or a directive such as `auth_request_set` may store a value in it.
    package var isAssigned: Bool

    package init(name: String, kind: VariableKind, isVolatile: Bool = false, isAssigned: Bool = false) {
        self.name = name
        self.kind = kind
        self.isVolatile = isVolatile
        self.isAssigned = isAssigned
    }
}

/// Every variable that the configuration mentions, each once.
package struct VariableTable: Hashable, Sendable {
    /// By `VariableID`.
    package var entries: [Variable] = []

    package init() {}

    /// Number of variables.
    package var count: Int { entries.count }

    /// The entry of an id.
    package subscript(id: VariableID) -> Variable { entries[id.index] }
}
