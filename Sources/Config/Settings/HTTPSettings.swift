/// `http { }`.
package struct HTTPSettings: Sendable {
    /// In the order of the files.
    package var servers: [ServerSettings] = []
    /// Every listening address, in the order of the files.
    package var listeners: [ListenerSettings] = []
    /// Explicit upstreams first in order of appearance, then those that `proxy_pass` implies.
    package var upstreams: [UpstreamSettings] = []
    /// Settings of every server, location, `if` and `limit_except`, by `LocationID`.
    package var locations: [LocationSettings] = []
    /// Whether any of them lets somebody see verdicts.
    package var showsVerdicts: Bool { locations.contains { !$0.core.verdictTo.isEmpty } }
    /// `log_format`; index 0 is `combined`.
    package var logFormats: [LogFormat] = []
    package var maps: [MapSettings] = []
    package var geos: [GeoSettings] = []
    package var splitClients: [SplitClientsSettings] = []
    package var limitRequestZones: [LimitRequestZone] = []
    package var limitConnectionZones: [LimitConnectionZone] = []
    /// `match NAME { }`.
    package var matches: [MatchSettings] = []
    /// `charset_map`.
    package var charsetMaps: [CharsetMap] = []
    /// Whether `set_real_ip_from` stands anywhere.
    package var usesRealIP = false
    package var location = SourceLocation(file: "", line: 0)

    package init() {}

    /// The settings of an id.
    package subscript(id: LocationID) -> LocationSettings { locations[id.index] }
}

/// Index into `HTTPSettings.locations`.
package struct LocationID: Hashable, Sendable {
    /// Position in the array that it refers to, from 0.
    package var index: Int

    package init(_ index: Int) { self.index = index }
}
