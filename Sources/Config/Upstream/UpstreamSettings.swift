/// `upstream { }`, or what a `proxy_pass` with a literal host implies.
package struct UpstreamSettings: Sendable {
    /// Name of the group, or host of an implied one.
    package var name: String
    /// Where it stands.
    package var location: SourceLocation
    /// Implied by a `proxy_pass http://HOST:PORT`: one server list from resolution, no `keepalive`.
    package var isImplicit = false
    /// Port of an implied upstream; 0 for Unix-domain sockets.
    package var implicitPort: UInt16 = 0
    package var servers: [UpstreamServer] = []
    package var policy: BalancingPolicy = .roundRobin
    package var sticky: StickySettings?
    /// nil: `keepalive 0`, or implied.
    package var keepalive: UpstreamKeepalive? = UpstreamKeepalive()
    /// `zone`; nil: state per worker in nginx (we share it anyway).
    package var zone: Zone?
    /// `queue`; nil: none.
    package var queue: QueueSettings?
    /// `app NAME`; index into `MainSettings.apps`.
    package var app: Int?
    /// It says `app`, whether or not there is one of that name.
    var namesApp = false
    /// `app NAME slow_start=T`; 0: none.
    package var appSlowStart: Milliseconds = 0
    /// `panic on`: never-empty pool, half-open probing, retry budget (D9); also on with `app` or a health check.
    package var isPanicEnabled = false
    /// `state FILE`.
    package var statePath: String?
    /// `resolver` of the upstream; nil: that of the location or http block.
    package var resolver: ResolverSettings?
    /// `resolver_timeout`.
    package var resolverTimeout: Milliseconds = 30_000
    /// Whether the upstream itself said `resolver_timeout`.
    var hasResolverTimeout = false
    /// Health checks of locations that pass to this upstream.
    package var healthChecks: [HealthCheckSettings] = []

    /// `zone NAME [SIZE];`
    package struct Zone: Hashable, Sendable {
        /// Name of the zone.
        package var name: String
        /// nil: given elsewhere.
        package var size: ByteCount?

        package init(name: String, size: ByteCount?) {
            self.name = name
            self.size = size
        }
    }

    package init(name: String, location: SourceLocation) {
        self.name = name
        self.location = location
    }

    /// What people and the board call it: nginx's name of an implied one lacks the port, and many services share a host.
    package var label: String {
        if !isImplicit { name } else if implicitPort == 0 { "unix:" + name } else { "\(name):\(implicitPort)" }
    }
}

/// `server` of an upstream.
package struct UpstreamServer: Hashable, Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// The text as written, e.g. `127.0.0.1:8080`, `app.internal`, `unix:/tmp/s`; the `$upstream_addr` of a name is its address.
    package var text: Bytes
    package var address: HostAddress
    /// Addresses, as far as known while parsing; ports set.
    package var resolved: [NetworkAddress] = []
    package var weight = 1
    /// 0: never counted as failed.
    package var maxFails = 1
    /// Both the window of counting and the time of being out.
    package var failTimeout: Milliseconds = 10_000
    /// 0: no limit.
    package var maxConnections = 0
    package var isBackup = false
    package var isDown = false
    /// `drain`.
    package var isDraining = false
    /// `resolve`: follow DNS at run time.
    package var isResolved = false
    /// `service=`; nil: none.
    package var service: String?
    /// `route=`; nil: made by the sticky method.
    package var route: Bytes?
    /// `slow_start`; 0: none.
    package var slowStart: Milliseconds = 0
    /// `id=` (accepted).
    package var identifier: Int?

    package init(location: SourceLocation, text: Bytes, address: HostAddress) {
        self.location = location
        self.text = text
        self.address = address
    }
}

/// How an upstream chooses among its servers.
package enum BalancingPolicy: Hashable, Sendable {
    case roundRobin
    case leastConnections
    case ipHash
    case hash(key: Template, isConsistent: Bool)
    case random(RandomChoice)
    case leastTime(LeastTime)

    /// `random [two [method]]`.
    package enum RandomChoice: Hashable, Sendable {
        case one
        case two(LeastTime?)
    }

    /// What `least_time` compares; in `random two`, nil of it means connections.
    package enum LeastTime: Hashable, Sendable {
        case header(inflight: Bool)
        case lastByte(inflight: Bool)
    }
}

/// `sticky`.
package enum StickySettings: Hashable, Sendable {
    case cookie(Cookie)
    /// What a session of `learn` takes of its zone, so that a size means about the number of sessions it means to nginx.
    package static var bytesPerSession: Int { 128 }

    /// The first template that is not empty names the route.
    case route([Template])
    case learn(Learn)

    /// `sticky cookie`
    package struct Cookie: Hashable, Sendable {
        /// Name of the cookie.
        package var name: Bytes
        /// `$cookie_NAME`, which carries the route of a request.
        package var variable: VariableID
        /// nil: none.
        package var domain: Template?
        package var path: Template?
        /// nil: none; `.max` of Int stands for `max`.
        package var expires: Seconds?
        package var isHTTPOnly = false
        package var isSecure = false
        /// `samesite=`.
        package var sameSite: Template?

        package init(name: Bytes, variable: VariableID) {
            self.name = name
            self.variable = variable
        }
    }

    /// `sticky learn`
    package struct Learn: Hashable, Sendable {
        /// Variables with the session id of a response.
        package var create: [Template]
        /// Variables with the session id of a request.
        package var lookup: [Template]
        package var zoneName: String
        package var zoneSize: ByteCount
        package var timeout: Milliseconds = 600_000
        /// `header`: learn when the head is there.
        package var learnsFromHead = false

        package init(create: [Template], lookup: [Template], zoneName: String, zoneSize: ByteCount) {
            self.create = create
            self.lookup = lookup
            self.zoneName = zoneName
            self.zoneSize = zoneSize
        }
    }
}

/// Idle connections of an upstream; on by default in every explicit upstream.
package struct UpstreamKeepalive: Hashable, Sendable {
    /// `keepalive N`: idle connections of one worker.
    package var connections = 32
    /// `keepalive_requests`.
    package var requests = 1_000
    /// `keepalive_time`.
    package var time: Milliseconds = 3_600_000
    /// `keepalive_timeout`.
    package var timeout: Milliseconds = 60_000
    /// `local`: connections are not shared between locations. True for the implied default.
    package var isLocal = true

    package init() {}
}

/// `queue N timeout=T`.
package struct QueueSettings: Hashable, Sendable {
    /// Requests that may wait, over all workers.
    package var length: Int
    package var timeout: Milliseconds = 60_000

    package init(length: Int, timeout: Milliseconds = 60_000) {
        self.length = length
        self.timeout = timeout
    }
}

/// `health_check` of a location.
package struct HealthCheckSettings: Hashable, Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// Settings of the location: `proxy_pass`, header fields and timeouts of the check are its.
    package var settings: LocationID
    package var interval: Milliseconds = 5_000
    /// Random part added to each interval, at most.
    package var jitter: Milliseconds = 0
    package var fails = 1
    package var passes = 1
    package var uri: Bytes = Array("/".utf8)
    /// nil: the server's own.
    package var port: UInt16?
    /// Index into `HTTPSettings.matches`; nil: status 2xx or 3xx.
    package var match: Int?
    package var isMandatory = false
    package var isPersistent = false
    /// nil: a new connection for each check.
    package var keepaliveTime: Milliseconds?

    package init(location: SourceLocation, settings: LocationID) {
        self.location = location
        self.settings = settings
    }
}

/// `match NAME { }`.
package struct MatchSettings: Sendable {
    /// The name as written.
    package var name: String
    /// Where it stands.
    package var location: SourceLocation
    /// All must hold.
    package var conditions: [Condition] = []

    /// One line of the block.
    package enum Condition: Hashable, Sendable {
        /// `status 200 301-303`, `status ! 500`.
        case status(ranges: [ClosedRange<Int>], isNegated: Bool)
        /// `header NAME = VALUE`, `header NAME ~ EXPRESSION`, `header NAME`.
        case header(name: Bytes, test: Test)
        /// `body ~ EXPRESSION`.
        case body(PatternID, isNegated: Bool)
    }

    /// What is asked of a field.
    package enum Test: Hashable, Sendable {
        case exists, missing
        case equal(Bytes), notEqual(Bytes)
        case matches(PatternID), doesNotMatch(PatternID)
    }

    package init(name: String, location: SourceLocation) {
        self.name = name
        self.location = location
    }
}
