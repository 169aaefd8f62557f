/// A block that is being read: its context and the settings it has so far.
final class BlockScope {
    /// One context.
    let context: DirectiveContext
    let location: SourceLocation
    /// Where each directive stood last that stood in the block already, by name.
    var seen: [String: SourceLocation] = [:]
    /// Settings, at first a copy of the parent's.
    var settings: LocationSettings
    /// Settings of the request head; http and server.
    var head = HeadSettings()
    /// The rewrite program of a server, a location or an `if`.
    var rewrite: [RewriteInstruction] = []
    /// What the enclosing location matches; nil outside of locations.
    var match: LocationMatch?
    /// Whether the block is an `if` or `limit_except`, which have no name of their own.
    var isNameless: Bool { context == .locationIf || context == .limitExcept }
    /// Slot of the settings in `HTTPSettings.locations`.
    var id = LocationID(0)
    /// Index into `HTTPSettings.servers` of the enclosing server.
    var server = 0
    /// Locations directly in the block.
    var children: [LocationNode] = []
    var redirectsToSlash = false
    /// Fields of the parent that `add_header` and `add_trailer` of this block replaced; nil: not replaced.
    var inheritedHeaders: [HeaderSettings.Added]?
    var inheritedTrailers: [HeaderSettings.Added]?
    /// The upstream that is being read.
    var upstream: UpstreamSettings?
    /// Keep-alive of the upstream, as far as said; not local once `keepalive` is given.
    var keepalive = UpstreamKeepalive()
    /// The app of the upstream, looked up when all files are read.
    var appName: (name: String, location: SourceLocation)?
    /// The app that is being read.
    var app: AppSettings?
    /// Work for when all simple directives of the block are applied: nested blocks, and checks that need them all.
    var deferred: [(ConfigurationReader) -> Void] = []

    init(context: DirectiveContext, location: SourceLocation, settings: LocationSettings = LocationSettings()) {
        self.context = context
        self.location = location
        self.settings = settings
    }

    /// Whether a directive stands in the block for the first time.
    func isFirst(_ name: String) -> Bool { seen[name] == nil }

    /// A block within this one, with a copy of the settings but for what nginx does not inherit.
    func makeChild(context: DirectiveContext, location: SourceLocation) -> BlockScope {
        let child = BlockScope(context: context, location: location, settings: settings)
        child.head = head
        child.server = server
        child.match = match
        child.settings.location = location
        child.settings.core.tryFiles = nil
        child.settings.core.limitExcept = nil
        let keepsHandler = context == .locationIf || context == .limitExcept && settings.handler == .proxy
        if !keepsHandler {
            child.settings.handler = .files
            child.settings.proxy.pass = nil
        }
        return child
    }
}
