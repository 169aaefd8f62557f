/// Settings of nginx's http core module for a location.
package struct CoreSettings: Sendable {
    // Files.
    /// `root` or `alias`; a constant is already absolute.
    package var root = Template()
    /// Whether `root` came from `alias`.
    package var isAlias = false
    /// With `alias`: how many bytes of the URI it replaces; nil in a location given by an expression: all of it.
    package var aliasedPrefixLength: Int? = 0
    /// `index`, in order; a name that starts with `/` ends the search by an internal redirect.
    package var index: [Template] = [Template(literal: Array("index.html".utf8))]
    /// `random_index`.
    package var isRandomIndex = false
    /// `try_files`; nil: none. Not inherited.
    package var tryFiles: TryFiles?
    /// Lower-case extension → type. `types`.
    package var types: [Bytes: Bytes] = CoreSettings.builtinTypes
    /// `default_type`.
    package var defaultType: Bytes = Array("text/plain".utf8)
    package var hasETag = true
    package var ifModifiedSince: IfModifiedSince = .exact
    /// `max_ranges`; nil: no limit, 0: ranges off.
    package var rangeCountMax: Int?
    package var disableSymlinks: DisableSymlinks = .off
    /// Part of the path that `disable_symlinks … from=` does not check.
    package var disableSymlinksFrom: Template?
    package var logsNotFound = true
    /// `sendfile`.
    package var isSendfileEnabled = false
    /// `sendfile_max_chunk`; 0: no limit.
    package var sendfileChunkMax: ByteCount = 2_097_152
    /// `output_buffers`.
    package var outputBufferCount = 2
    package var outputBufferSize: ByteCount = 32_768
    /// `postpone_output`.
    package var postponeOutput: ByteCount = 1_460
    /// `subrequest_output_buffer_size`.
    package var subrequestOutputBufferSize: ByteCount = 4_096

    // Request bodies.
    /// `client_max_body_size`; 0: no limit.
    package var clientBodySizeMax: ByteCount = 1_048_576
    package var clientBodyBufferSize: ByteCount = 8_192
    package var clientBodyTimeout: Milliseconds = 60_000
    package var clientBodyInFile: BodyInFile = .off
    package var clientBodyInSingleBuffer = false
    package var clientBodyTempPath = TempPath(path: "")

    // Connection.
    /// `send_timeout`: between two successful writes.
    package var sendTimeout: Milliseconds = 60_000
    /// `keepalive_timeout`; 0: no keep-alive.
    package var keepaliveTimeout: Milliseconds = 75_000
    /// Second argument of `keepalive_timeout`; 0: no `Keep-Alive` field.
    package var keepaliveHeader: Seconds = 0
    package var keepaliveRequests = 1_000
    package var keepaliveTime: Milliseconds = 3_600_000
    /// `keepalive_min_timeout`; 0: off.
    package var keepaliveMinTimeout: Milliseconds = 0
    /// `keepalive_disable`.
    package var keepaliveDisabledFor: Set<KeepaliveBrowser> = [.msie6]
    package var lingeringClose: LingeringClose = .on
    package var lingeringTime: Milliseconds = 30_000
    package var lingeringTimeout: Milliseconds = 5_000
    package var resetsTimedOutConnections = false
    package var isTCPNopush = false
    package var isTCPNodelay = true
    /// `auth_delay` (with a later auth).
    package var authDelay: Milliseconds = 0

    // Responses.
    /// `limit_rate` in bytes per second; 0: no limit.
    package var limitRate: SizeTemplate = .constant(0)
    package var limitRateAfter: SizeTemplate = .constant(0)
    package var errorPages: [ErrorPage] = []
    package var isRecursiveErrorPages = false
    package var serverTokens: ServerTokens = .on
    package var isAbsoluteRedirect = true
    package var usesServerNameInRedirect = false
    package var usesPortInRedirect = true
    package var isChunkedTransferEncoding = true
    package var msiePadding = true
    package var msieRefresh = false
    /// `early_hints`: pass 103 responses on when every text is neither empty nor `0`.
    package var earlyHints: [Template] = []
    /// `proxy_status` (our own); nil: `type`, off when started as `nginx`.
    package var proxyStatus: ProxyStatus?
    /// `verdict_to` (our own): who may see a verdict in a response.
    package var verdictTo: [AddressRange] = []

    // Access and routing.
    /// `internal`
    package var isInternal = false
    /// `satisfy`
    package var satisfy: Satisfy = .all
    /// `limit_except`; nil: none. Not inherited.
    package var limitExcept: LimitExcept?
    /// `post_action`; nil: none.
    package var postAction: Template?
    /// `log_subrequest`
    package var logsSubrequests = false
    /// `resolver`; nil: none.
    package var resolver: ResolverSettings?
    package var resolverTimeout: Milliseconds = 30_000
    /// `error_log`; empty: those of the main context.
    package var errorLogs: [ErrorLogSettings] = []
    /// `rewrite_log`.
    package var logsRewrites = false
    /// `uninitialized_variable_warn`.
    package var warnsOfUninitializedVariables = true

    package init() {}

    /// The types that hold when no `types` block stands anywhere.
    package static let builtinTypes: [Bytes: Bytes] = [
        Array("html".utf8): Array("text/html".utf8),
        Array("gif".utf8): Array("image/gif".utf8),
        Array("jpg".utf8): Array("image/jpeg".utf8),
    ]
}

/// `try_files`.
package struct TryFiles: Hashable, Sendable {
    /// A file or directory that is looked for.
    package struct Candidate: Hashable, Sendable {
        /// Without the slash of a directory.
        package var path: Template
        /// Ends in `/`: a directory is looked for.
        package var isDirectory: Bool

        package init(path: Template, isDirectory: Bool) {
            self.path = path
            self.isDirectory = isDirectory
        }
    }

    /// What happens when none is found.
    package enum Fallback: Hashable, Sendable {
        /// Internal redirect to a URI or `@name`.
        case uri(Template)
        /// `=code`
        case status(Int)
    }
    /// In order.
    package var candidates: [Candidate]
    /// The last argument.
    package var fallback: Fallback

    package init(candidates: [Candidate], fallback: Fallback) {
        self.candidates = candidates
        self.fallback = fallback
    }
}

/// One `error_page` for one status code.
package struct ErrorPage: Hashable, Sendable {
    /// Which status the client sees.
    package enum StatusChange: Hashable, Sendable {
        /// The original status is kept.
        case keep
        /// `=code`
        case to(Int)
        /// `=`: that of the answer.
        case fromResponse
    }
    /// Status that it is for, 300…599; 494…497 and 499 are nginx's own.
    package var status: Int
    package var change: StatusChange
    /// URI, `@name` or absolute URL.
    package var target: Template
    /// Arguments of a constant target, after its `?`; nil: none.
    package var arguments: Bytes?

    package init(status: Int, change: StatusChange, target: Template, arguments: Bytes?) {
        self.status = status
        self.change = change
        self.target = target
        self.arguments = arguments
    }
}

/// `limit_except METHODS { }`.
package struct LimitExcept: Hashable, Sendable {
    /// Methods that are not limited; `GET` includes `HEAD`.
    package var methods: Set<Bytes>
    /// Settings for all others.
    package var settings: LocationID

    package init(methods: Set<Bytes>, settings: LocationID) {
        self.methods = methods
        self.settings = settings
    }
}

/// A directory for temporary files.
package struct TempPath: Hashable, Sendable {
    /// Absolute path.
    package var path: String
    /// Digits per level of subdirectories, up to three.
    package var levels: [Int] = []

    package init(path: String, levels: [Int] = []) {
        self.path = path
        self.levels = levels
    }
}

/// `resolver`.
package struct ResolverSettings: Hashable, Sendable {
    /// Name servers; port 53 when none was given.
    package var servers: [HostAddress] = []
    /// Addresses of servers given by name, as far as resolved while parsing, and of all others.
    package var addresses: [NetworkAddress] = []
    /// `valid=`; nil: the answer's own.
    package var valid: Seconds?
    package var usesIPv4 = true
    package var usesIPv6 = true

    package init() {}
}

/// Values of `if_modified_since`.
package enum IfModifiedSince: String, Hashable, Sendable, CaseIterable { case off, exact, before }
/// Values of `satisfy`.
package enum Satisfy: String, Hashable, Sendable, CaseIterable { case all, any }
/// Values of `lingering_close`.
package enum LingeringClose: String, Hashable, Sendable, CaseIterable { case off, on, always }
/// Values of `client_body_in_file_only`.
package enum BodyInFile: String, Hashable, Sendable, CaseIterable { case off, clean, on }
/// Values of `keepalive_disable`.
package enum KeepaliveBrowser: String, Hashable, Sendable, CaseIterable { case none, msie6, safari }
/// Values of `disable_symlinks`.
package enum DisableSymlinks: String, Hashable, Sendable, CaseIterable {
    case off, on, ifNotOwner = "if_not_owner"
}
/// Values of `server_tokens`.
package enum ServerTokens: String, Hashable, Sendable, CaseIterable { case off, on, build }
/// Values of `proxy_status`.
package enum ProxyStatus: String, Hashable, Sendable, CaseIterable { case off, type, full }
