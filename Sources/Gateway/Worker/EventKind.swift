/// What an event or a timer is about; the `kind` of a token.
enum EventKind {
    static let listener: UInt8 = 1
    /// Events of a client's socket; its read timer.
    static let client: UInt8 = 2
    /// The write timer of a client's connection.
    static let clientWrite: UInt8 = 3
    /// Events of an upstream connection; its timer.
    static let upstream: UInt8 = 4
    /// The channel to the supervisor, and by what the next one comes: see `Succession`.
    static let channel: UInt8 = 5
    /// A delay inside a request (limit_req, limit_rate).
    static let request: UInt8 = 6
    /// A resolver's socket; its timers.
    static let resolver: UInt8 = 7
    /// The worker itself: flushing logs, resuming accept, the end of a drain.
    static let worker: UInt8 = 8
    /// The timer of a `server NAME resolve`.
    static let followedServer: UInt8 = 9
    /// Events of the connection of a health check; its timer.
    static let health: UInt8 = 10
}
