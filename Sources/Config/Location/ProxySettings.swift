/// Settings of the proxy module (without TLS and cache).
package struct ProxySettings: Sendable {
    /// `proxy_pass`; nil: none. Inherited only by `if` and `limit_except`.
    package var pass: ProxyPass?
    /// `proxy_set_header` in order; an empty value removes the field.
    package var setHeaders: [HeaderField] = []
    /// `proxy_set_body`.
    package var body: Template?
    /// `proxy_method`.
    package var method: Template?
    package var passesRequestHeaders = true
    package var passesRequestBody = true
    package var passesTrailers = false
    /// `proxy_http_version`.
    package var httpVersion: HTTPVersion = .http11
    /// `proxy_hide_header`, lower case, over the built-in ones.
    package var hiddenHeaders: [Bytes] = []
    /// `proxy_pass_header`, lower case: not hidden.
    package var passedHeaders: [Bytes] = []
    package var ignoredHeaders: Set<IgnoredHeader> = []
    /// `proxy_redirect` as said.
    package var redirects: ProxyRedirects = .standard
    /// What `redirects` amounts to in this location, tried in order; the first that matches is applied.
    package var redirectRules: [TextRewrite] = []
    package var cookieDomains: [TextRewrite] = []
    package var cookiePaths: [TextRewrite] = []
    package var cookieFlags: [CookieFlagsRule] = []

    // Buffers.
    /// `proxy_buffering`
    package var isBuffering = true
    /// `proxy_request_buffering`
    package var isRequestBuffering = true
    /// `proxy_buffer_size`: for the response head.
    package var bufferSize: ByteCount = 4_096
    /// `proxy_buffers`: how many.
    package var bufferCount = 8
    /// Size of each of `bufferCount`.
    package var buffersSize: ByteCount = 4_096
    /// `proxy_busy_buffers_size`; nil: twice the larger of the two sizes.
    package var busyBuffersSize: ByteCount?
    package var tempFileSizeMax: ByteCount = 1_073_741_824
    /// `proxy_temp_file_write_size`; nil: twice the larger of the two sizes.
    package var tempFileWriteSize: ByteCount?
    package var tempPath = TempPath(path: "", levels: [1, 2, 0])
    package var limitRate: SizeTemplate = .constant(0)
    package var forcesRanges = false
    package var store: ProxyStore = .off
    /// `proxy_store_access`: mode of stored files.
    package var storeAccess: UInt16 = 0o600

    // Connections.
    /// `proxy_connect_timeout`
    package var connectTimeout: Milliseconds = 60_000
    /// `proxy_send_timeout`: between two successful writes.
    package var sendTimeout: Milliseconds = 60_000
    /// `proxy_read_timeout`: between two successful reads.
    package var readTimeout: Milliseconds = 60_000
    /// `proxy_next_upstream`.
    package var nextUpstream: NextUpstream = [.error, .timeout]
    /// `proxy_next_upstream_tries`; 0: no limit.
    package var nextUpstreamTries = 0
    /// `proxy_next_upstream_timeout`; 0: no limit.
    package var nextUpstreamTimeout: Milliseconds = 0
    package var interceptsErrors = false
    package var ignoresClientAbort = false
    /// `proxy_bind`; nil or empty: the system chooses.
    package var bind: ProxyBind?
    package var isSocketKeepalive = false
    /// `proxy_socket_rcvbuf`; nil: the system's.
    package var socketReceiveBuffer: ByteCount?
    /// `proxy_socket_sndbuf`; nil: the system's.
    package var socketSendBuffer: ByteCount?
    /// `proxy_replay_idempotency_key` (our own, decision 0008).
    package var replaysWithIdempotencyKey = false

    package init() {}

    /// What is effective for `busyBuffersSize`.
    package var effectiveBusyBuffersSize: ByteCount { busyBuffersSize ?? 2 * max(bufferSize, buffersSize) }
    /// What is effective for `tempFileWriteSize`.
    package var effectiveTempFileWriteSize: ByteCount { tempFileWriteSize ?? 2 * max(bufferSize, buffersSize) }
}

/// `proxy_pass`.
package struct ProxyPass: Hashable, Sendable {
    /// What requests are passed to.
    package enum Target: Hashable, Sendable {
        /// A group or a literal host: index into `HTTPSettings.upstreams`.
        case upstream(Int)
        /// The URL has variables: the whole URL, evaluated for each request.
        case dynamic(Template)
    }
    /// What requests are passed to.
    package var target: Target
    /// `http`; empty for dynamic URLs.
    package var scheme: Bytes = []
    /// `$proxy_host` and the default `Host` field: `HOST[:PORT]` without the default port, `localhost` for Unix-domain sockets.
    package var authority: Bytes = []
    /// `$proxy_port`; empty for Unix-domain sockets.
    package var portText: Bytes = []
    /// URI part, which replaces the part that the location matched; nil: the request's URI goes unchanged.
    package var uri: Bytes?
    /// The path of the location, which `uri` replaces; empty for expressions, named locations, `if` and `limit_except`.
    package var replacedPrefix: Bytes = []
    /// The URL as written.
    package var url: Bytes
    package var location: SourceLocation

    package init(target: Target, url: Bytes, location: SourceLocation) {
        self.target = target
        self.url = url
        self.location = location
    }

    /// Length of `replacedPrefix`.
    package var replacedPrefixLength: Int { replacedPrefix.count }

    /// What `proxy_redirect default` does; nil for dynamic URLs.
    package var standardRedirect: TextRewrite? {
        guard case .upstream = target else { return nil }
        let slash = [UInt8(ascii: "/")]
        let match = Template(literal: uri == nil ? url + slash : url)
        return TextRewrite(match: .text(match), replacement: Template(literal: uri == nil ? slash : replacedPrefix))
    }
}

/// A field name with its value.
package struct HeaderField: Hashable, Sendable {
    /// As written.
    package var name: Bytes
    package var value: Template

    package init(name: Bytes, value: Template) {
        self.name = name
        self.value = value
    }
}

/// `proxy_redirect`.
package enum ProxyRedirects: Hashable, Sendable {
    /// Nothing said: what `default` does, where `proxy_pass` has a constant URL.
    case standard
    case off
    /// Tried in order; the first that matches is applied.
    case rules([TextRewrite])
}

/// What the text of a response's field must be or match, for a rule to be applied.
package enum TextMatch: Hashable, Sendable {
    /// `proxy_redirect`, `proxy_cookie_path`: text at the start. `proxy_cookie_domain`: the whole value without a
    /// leading dot, ignoring case. `proxy_cookie_flags`: the cookie's name, ignoring case.
    case text(Template)
    case pattern(PatternID)
}

/// One rule of `proxy_redirect`, `proxy_cookie_domain` or `proxy_cookie_path`.
package struct TextRewrite: Hashable, Sendable {
    /// What the text must be or match.
    package var match: TextMatch
    /// What the matching part becomes.
    package var replacement: Template

    package init(match: TextMatch, replacement: Template) {
        self.match = match
        self.replacement = replacement
    }
}

/// One rule of `proxy_cookie_flags`; the first whose cookie matches is applied.
package struct CookieFlagsRule: Hashable, Sendable {
    /// A flag to set or to remove.
    package enum Flag: Hashable, Sendable {
        case secure, noSecure, httpOnly, noHTTPOnly
        case sameSiteStrict, sameSiteLax, sameSiteNone, noSameSite
    }

    /// A flag, constant or given by a variable at run time.
    package enum FlagSource: Hashable, Sendable {
        case constant(Flag)
        case dynamic(Template)
    }
    /// Which cookies it is for.
    package var match: TextMatch
    /// In order.
    package var flags: [FlagSource]

    package init(match: TextMatch, flags: [FlagSource]) {
        self.match = match
        self.flags = flags
    }
}

/// `proxy_bind`.
package struct ProxyBind: Hashable, Sendable {
    /// The local address.
    package enum Address: Hashable, Sendable {
        case constant(NetworkAddress)
        /// Text that is parsed for each request; empty: the system chooses.
        case dynamic(Template)
    }
    /// The local address.
    package var address: Address
    /// `transparent`: the address need not be of this machine.
    package var isTransparent = false

    package init(address: Address, isTransparent: Bool = false) {
        self.address = address
        self.isTransparent = isTransparent
    }
}

/// `proxy_store`.
package enum ProxyStore: Hashable, Sendable {
    case off
    /// Under `root`/`alias`.
    case on
    case path(Template)
}

/// Values of `proxy_http_version` and `gzip_http_version`.
package enum HTTPVersion: String, Hashable, Sendable, CaseIterable { case http10 = "1.0", http11 = "1.1", http2 = "2" }

/// Fields of responses that `proxy_ignore_headers` switches off.
package enum IgnoredHeader: String, Hashable, Sendable, CaseIterable {
    case accelRedirect = "X-Accel-Redirect", accelExpires = "X-Accel-Expires", accelLimitRate = "X-Accel-Limit-Rate"
    case accelBuffering = "X-Accel-Buffering", accelCharset = "X-Accel-Charset"
    case expires = "Expires", cacheControl = "Cache-Control", setCookie = "Set-Cookie", vary = "Vary"
}

/// `proxy_next_upstream`.
package struct NextUpstream: OptionSet, Hashable, Sendable {
    /// One bit for each.
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `error`
    package static let error = NextUpstream(rawValue: 1 << 0)
    /// `timeout`
    package static let timeout = NextUpstream(rawValue: 1 << 1)
    /// `invalid_header`
    package static let invalidHeader = NextUpstream(rawValue: 1 << 2)
    /// `http_500`
    package static let http500 = NextUpstream(rawValue: 1 << 3)
    /// `http_502`
    package static let http502 = NextUpstream(rawValue: 1 << 4)
    /// `http_503`
    package static let http503 = NextUpstream(rawValue: 1 << 5)
    /// `http_504`
    package static let http504 = NextUpstream(rawValue: 1 << 6)
    /// `http_403`
    package static let http403 = NextUpstream(rawValue: 1 << 7)
    /// `http_404`
    package static let http404 = NextUpstream(rawValue: 1 << 8)
    /// `http_429`
    package static let http429 = NextUpstream(rawValue: 1 << 9)
    /// `non_idempotent`
    package static let nonIdempotent = NextUpstream(rawValue: 1 << 10)
    /// `updating`
    package static let updating = NextUpstream(rawValue: 1 << 11)
    /// `off`
    package static let off = NextUpstream(rawValue: 1 << 31)
}
