/// `add_header`, `add_trailer`, `expires`, and what decides about inheritance of them.
package struct HeaderSettings: Hashable, Sendable {
    /// One `add_header` or `add_trailer`.
    package struct Added: Hashable, Sendable {
        /// The name as written.
        package var name: Bytes
        /// Its value; an empty one adds nothing.
        package var value: Template
        /// `always`: whatever the status.
        package var isAlways: Bool

        package init(name: Bytes, value: Template, isAlways: Bool) {
            self.name = name
            self.value = value
            self.isAlways = isAlways
        }
    }
    /// `add_header`, in order.
    package var headers: [Added] = []
    /// `add_trailer`, in order.
    package var trailers: [Added] = []
    /// `expires`
    package var expires: Expires = .off
    /// `add_header_inherit`; already applied.
    package var headersInheritance: HeaderInheritance = .on
    /// `add_trailer_inherit`; already applied.
    package var trailersInheritance: HeaderInheritance = .on

    package init() {}
}

/// What a block with own fields does with those of its parent: `on` drops them, `off` inherits nothing ever, `merge` adds.
package enum HeaderInheritance: String, Hashable, Sendable, CaseIterable { case on, off, merge }

/// `expires`.
package enum Expires: Hashable, Sendable {
    case off, epoch, max
    /// From now; negative: `no-cache`.
    case after(Seconds)
    /// From the time of modification.
    case afterModified(Seconds)
    /// `@` time of day.
    case daily(Seconds)
    /// Text that is parsed for each request.
    case dynamic(Template, isModified: Bool)
}

/// `access_log` and `open_log_file_cache`.
package struct LogSettings: Hashable, Sendable {
    /// In order; empty: `off`.
    package var targets: [AccessLogTarget] = []
    /// `open_log_file_cache`; nil: off.
    package var fileCache: LogFileCache?

    package init() {}
}

/// One `access_log`.
package struct AccessLogTarget: Hashable, Sendable {
    /// Where lines go.
    package enum Destination: Hashable, Sendable {
        /// Absolute path.
        case file(String)
        /// Path with variables, absolute or relative to the prefix after evaluation.
        case dynamicFile(Template)
        case syslog(SyslogSettings)
    }
    /// Where lines go.
    package var destination: Destination
    /// Index into `HTTPSettings.logFormats`.
    package var format: Int
    /// `buffer=`; nil: each line is written at the end of the loop's tick.
    package var bufferSize: ByteCount?
    /// `flush=`; nil: only when full.
    package var flush: Milliseconds?
    /// `gzip[=level]`; nil: plain.
    package var gzipLevel: Int?
    /// `if=`: a line is written unless the text is empty or `0`.
    package var condition: Template?
    /// nil: the one that nobody wrote.
    package var location: SourceLocation?

    package init(destination: Destination, format: Int, location: SourceLocation?) {
        self.destination = destination
        self.format = format
        self.location = location
    }
}

/// `open_log_file_cache`.
package struct LogFileCache: Hashable, Sendable {
    /// `max`: open files.
    package var entryCountMax: Int
    /// `inactive`: closed when unused for so long.
    package var inactive: Seconds = 10
    /// `min_uses` within `inactive`.
    package var usesMin = 1
    /// `valid`: after which it is checked that the path still names the file.
    package var valid: Seconds = 60

    package init(entryCountMax: Int) { self.entryCountMax = entryCountMax }
}

/// `allow` and `deny`: the first rule that matches decides; none: allowed.
package struct AccessSettings: Hashable, Sendable {
    /// One `allow` or `deny`.
    package struct Rule: Hashable, Sendable {
        /// Whom it is about.
        package var range: AddressRange
        /// `deny`
        package var isDenied: Bool

        package init(range: AddressRange, isDenied: Bool) {
            self.range = range
            self.isDenied = isDenied
        }
    }
    /// In order.
    package var rules: [Rule] = []

    package init() {}
}

/// `limit_req`.
package struct LimitRequestsSettings: Hashable, Sendable {
    /// One `limit_req`.
    package struct Rule: Hashable, Sendable {
        /// Index into `HTTPSettings.limitRequestZones`.
        package var zone: Int
        /// In thousandths of a request, as nginx counts.
        package var burst: Int
        /// Excess from which requests are delayed, in thousandths; `.max`: `nodelay`.
        package var delay: Int

        package init(zone: Int, burst: Int, delay: Int) {
            self.zone = zone
            self.burst = burst
            self.delay = delay
        }
    }
    /// In order; the strictest decides.
    package var rules: [Rule] = []
    /// `limit_req_log_level`, for rejected requests; delayed ones log one level lower.
    package var logLevel: LogLevel = .error
    /// `limit_req_status`
    package var status = 503
    /// `limit_req_dry_run`
    package var isDryRun = false

    package init() {}
}

/// `limit_conn`.
package struct LimitConnectionsSettings: Hashable, Sendable {
    /// The most `limit_conn` of one place: a request keeps its places in fixed room.
    package static let rulesMax = 8

    /// One `limit_conn`.
    package struct Rule: Hashable, Sendable {
        /// Index into `HTTPSettings.limitConnectionZones`.
        package var zone: Int
        package var connections: Int

        package init(zone: Int, connections: Int) {
            self.zone = zone
            self.connections = connections
        }
    }
    /// In order.
    package var rules: [Rule] = []
    /// `limit_conn_log_level`
    package var logLevel: LogLevel = .error
    /// `limit_conn_status`
    package var status = 503
    /// `limit_conn_dry_run`
    package var isDryRun = false

    package init() {}
}

/// Media types for a body filter.
package enum MediaTypes: Hashable, Sendable {
    /// `*`
    case all
    /// Lower case.
    case only(Set<Bytes>)
}

/// `gzip*`.
package struct GzipSettings: Hashable, Sendable {
    /// `gzip`
    package var isEnabled = false
    /// 1…9.
    package var level = 1
    package var bufferCount = 32
    package var bufferSize: ByteCount = 4_096
    package var lengthMin: ByteCount = 20
    package var httpVersionMin: HTTPVersion = .http11
    package var proxied: Proxied = []
    package var types: MediaTypes = .only([Array("text/html".utf8)])
    package var hasVary = false
    /// `gzip_disable`: expressions on User-Agent.
    package var disabledFor: [PatternID] = []
    /// `gzip_disable msie6`.
    package var isDisabledForMSIE6 = false
    /// zlib's window bits, from `gzip_window`.
    package var windowBits = 15
    /// zlib's memLevel, from `gzip_hash`.
    package var memoryLevel = 8
    /// `postpone_gzipping`.
    package var postpone: ByteCount = 0
    /// `gzip_no_buffer`.
    package var isUnbuffered = false

    /// `gzip_proxied`.
    package struct Proxied: OptionSet, Hashable, Sendable {
        /// One bit for each.
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        /// `expired`
        package static let expired = Proxied(rawValue: 1)
        /// `no-cache`
        package static let noCache = Proxied(rawValue: 2)
        /// `no-store`
        package static let noStore = Proxied(rawValue: 4)
        /// `private`
        package static let `private` = Proxied(rawValue: 8)
        /// `no_last_modified`
        package static let noLastModified = Proxied(rawValue: 16)
        /// `no_etag`
        package static let noETag = Proxied(rawValue: 32)
        /// `auth`
        package static let auth = Proxied(rawValue: 64)
        /// `any`
        package static let any = Proxied(rawValue: 128)
        /// `off`
        package static let off = Proxied(rawValue: 256)
    }

    package init() {}
}

/// `gunzip`.
package struct GunzipSettings: Hashable, Sendable {
    /// `gunzip`
    package var isEnabled = false
    /// `gunzip_buffers`: how many.
    package var bufferCount = 32
    /// `gunzip_buffers`: how big.
    package var bufferSize: ByteCount = 4_096

    package init() {}
}

/// `gzip_static`.
package struct GzipStaticSettings: Hashable, Sendable {
    /// Values of `gzip_static`.
    package enum Mode: String, Hashable, Sendable, CaseIterable { case off, on, always }
    /// `gzip_static`
    package var mode: Mode = .off

    package init() {}
}

/// `charset`, `source_charset`, `override_charset`, `charset_types`.
package struct CharsetSettings: Hashable, Sendable {
    /// A charset.
    package enum Name: Hashable, Sendable {
        case off
        case constant(Bytes)
        case dynamic(Template)
    }
    /// `charset`
    package var charset: Name = .off
    /// `source_charset`
    package var source: Name = .off
    /// `override_charset`
    package var overrides = false
    /// `charset_types`
    package var types: MediaTypes = .only(CharsetSettings.defaultTypes)

    /// Types when `charset_types` is not given.
    package static let defaultTypes: Set<Bytes> = Set(
        [
            "text/html", "text/xml", "text/plain", "text/vnd.wap.wml", "application/javascript", "application/rss+xml",
        ].map { Array($0.utf8) })

    package init() {}
}

/// `ssi*`.
package struct SSISettings: Hashable, Sendable {
    /// `ssi`
    package var isEnabled = false
    /// `ssi_silent_errors`
    package var isSilent = false
    /// `ssi_ignore_recycled_buffers`
    package var ignoresRecycledBuffers = false
    /// `ssi_last_modified`
    package var keepsLastModified = false
    /// `ssi_min_file_chunk`
    package var minFileChunk: ByteCount = 1_024
    /// `ssi_value_length`, in bytes.
    package var valueLengthMax = 255
    /// `ssi_types`
    package var types: MediaTypes = .only([Array("text/html".utf8)])

    package init() {}
}

/// `sub_filter*`.
package struct SubSettings: Hashable, Sendable {
    /// One `sub_filter`.
    package struct Rule: Hashable, Sendable {
        /// Text that is looked for, in lower case; ASCII case is ignored.
        package var match: Template
        /// What it becomes.
        package var replacement: Template

        package init(match: Template, replacement: Template) {
            self.match = match
            self.replacement = replacement
        }
    }
    /// In order.
    package var rules: [Rule] = []
    /// `sub_filter_once`
    package var isOnce = true
    /// `sub_filter_last_modified`
    package var keepsLastModified = false
    /// `sub_filter_types`
    package var types: MediaTypes = .only([Array("text/html".utf8)])

    package init() {}
}

/// `add_before_body`, `add_after_body`, `addition_types`.
package struct AdditionSettings: Hashable, Sendable {
    /// URI of a subrequest; empty: off.
    package var before: Bytes = []
    package var after: Bytes = []
    package var types: MediaTypes = .only([Array("text/html".utf8)])

    package init() {}
}

/// `autoindex*`.
package struct AutoindexSettings: Hashable, Sendable {
    /// Values of `autoindex_format`.
    package enum Format: String, Hashable, Sendable, CaseIterable { case html, json, jsonp, xml }
    /// `autoindex`
    package var isEnabled = false
    /// `autoindex_format`
    package var format: Format = .html
    /// `autoindex_localtime`
    package var showsLocalTime = false
    /// `autoindex_exact_size`
    package var showsExactSize = true

    package init() {}
}

/// `set_real_ip_from`, `real_ip_header`, `real_ip_recursive`.
package struct RealIPSettings: Hashable, Sendable {
    /// Where the client's address is taken from.
    package enum Source: Hashable, Sendable {
        case xRealIP, xForwardedFor, proxyProtocol
        /// Another field; lower case.
        case header(Bytes)
    }
    /// Networks that are trusted.
    package var trusted: [AddressRange] = []
    package var source: Source = .xRealIP
    package var isRecursive = false

    package init() {}
}

/// `valid_referers`, `$invalid_referer`.
package struct RefererSettings: Hashable, Sendable {
    /// A name of `valid_referers`.
    package struct Name: Hashable, Sendable {
        /// How a name matches.
        package enum Kind: Hashable, Sendable { case exact, leadingWildcard, suffix, trailingWildcard }
        /// How the name matches.
        package var kind: Kind
        /// Lower case, without wildcard.
        package var name: Bytes
        /// URI prefix after the name; empty: any.
        package var uri: Bytes

        package init(kind: Kind, name: Bytes, uri: Bytes) {
            self.kind = kind
            self.name = name
            self.uri = uri
        }
    }
    /// nil: no `valid_referers`, nothing is invalid.
    package var names: [Name]?
    /// Matched against the text after the scheme.
    package var patterns: [PatternID] = []
    /// Expressions among the names of the server, with `server_names`: matched against the host name in lower case.
    package var serverPatterns: [PatternID] = []
    /// `none`: no field is valid.
    package var allowsNone = false
    /// `blocked`: a value without `http://` or `https://` is valid.
    package var allowsBlocked = false
    /// `server_names`: the names of the server are valid.
    package var allowsServerNames = false

    package init() {}
}
