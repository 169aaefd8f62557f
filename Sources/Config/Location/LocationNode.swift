/// `location { }`.
package struct LocationNode: Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// What it matches.
    package var match: LocationMatch
    /// Its settings.
    package var settings: LocationID
    /// Its rewrite program.
    package var rewrite = RewriteProgram()
    /// Nested locations, in the order of the files.
    package var children: [LocationNode] = []
    /// A prefix that ends in `/` and passes requests on: the prefix without the slash is redirected to it.
    package var redirectsToSlash = false

    package init(location: SourceLocation, match: LocationMatch, settings: LocationID) {
        self.location = location
        self.match = match
        self.settings = settings
    }
}

/// What a location matches.
package enum LocationMatch: Hashable, Sendable {
    /// `= /path`
    case exact(Bytes)
    /// `/path`
    case prefix(Bytes)
    /// `^~ /path`: no expressions are tried when it is the longest.
    case prefixNoRegex(Bytes)
    /// `~` and `~*`; the id knows about case.
    case regex(PatternID)
    /// `@name`, with the `@`.
    case named(Bytes)

    /// The path of an exact or prefix location; nil for the others.
    package var path: Bytes? {
        switch self {
        case .exact(let path), .prefix(let path), .prefixNoRegex(let path): path
        case .regex, .named: nil
        }
    }

    /// Length of `path`.
    package var pathLength: Int? { path?.count }

    /// The name as nginx prints it: the path, expression or `@name`.
    package func name(patterns: [PatternSource]) -> Bytes {
        switch self {
        case .exact(let path), .prefix(let path), .prefixNoRegex(let path), .named(let path): path
        case .regex(let id): patterns[id.index].bytes
        }
    }
}

/// The settings of one place where a request can be: a struct for each nginx module.
///
/// A block's settings start as a copy of its parent's.
package struct LocationSettings: Sendable {
    /// Where the block stands.
    package var location = SourceLocation(file: "", line: 0)
    /// The name of the location, as in `LocationMatch.name`; empty for http and server level.
    package var name: Bytes = []
    package var core = CoreSettings()
    package var proxy = ProxySettings()
    package var headers = HeaderSettings()
    package var log = LogSettings()
    package var access = AccessSettings()
    package var limitRequests = LimitRequestsSettings()
    package var limitConnections = LimitConnectionsSettings()
    package var gzip = GzipSettings()
    package var gunzip = GunzipSettings()
    package var gzipStatic = GzipStaticSettings()
    package var charset = CharsetSettings()
    package var ssi = SSISettings()
    package var sub = SubSettings()
    package var addition = AdditionSettings()
    package var autoindex = AutoindexSettings()
    package var realIP = RealIPSettings()
    package var referer = RefererSettings()
    /// What answers a request that no rewrite, access or redirect ended.
    package var handler: ContentHandler = .files

    package init() {}
}

/// What produces the response of a location. Not inherited by nested locations.
package enum ContentHandler: Hashable, Sendable {
    /// Static files: index, random_index, autoindex, gzip_static and files in turn.
    case files
    /// `proxy_pass`, see `ProxySettings.pass`.
    case proxy
    case stubStatus
    case emptyGIF
    /// `upstream_health [NAME]`: index into `HTTPSettings.upstreams`; nil: all.
    case upstreamHealth(Int?)
    /// `api [write=on];` is answered by the control process.
    case api(isWritable: Bool)
}
