import Wire

/// What a resolver needs to know of its directive.
package struct ResolverMachineSettings: Sendable {
    /// Name servers, >= 1.
    package var serverCount: Int
    /// `valid=`; nil: as long as the answer says.
    package var valid: Milliseconds?
    package var usesIPv4: Bool
    package var usesIPv6: Bool
    /// Names in the cache, and names being asked for at the same time.
    package var namesMax = 4_096
    package var queriesMax = 512

    /// A question is repeated after this time, then after twice as long, up to nginx's interval.
    static var intervalMin: Milliseconds { 1_000 }
    static var intervalMax: Milliseconds { 5_000 }
    /// Aliases followed, one after the other.
    static var aliasesMax: Int { 16 }
    /// Addresses of a name.
    static var addressesMax: Int { 64 }
    /// Answers count for a day at most, those that there is none for five seconds.
    static var secondsMax: UInt32 { 86_400 }
    static var negativeSecondsMax: UInt32 { 5 }

    package init(serverCount: Int, valid: Milliseconds? = nil, usesIPv4: Bool = true, usesIPv6: Bool = true) {
        precondition(serverCount > 0)
        self.serverCount = serverCount
        self.valid = valid
        self.usesIPv4 = usesIPv4
        self.usesIPv6 = usesIPv6
    }
}

/// What a look-up says.
package enum ResolverLookUp: Equatable, Sendable {
    case known(ResolverOutcome)
    /// The outcome comes with `.finish`.
    case waits
}

/// What the driver has to do.
package enum ResolverAction: Equatable, Sendable {
    /// Open a new socket to the server, send the messages (over a stream each with its length before it), and call
    /// `timerFired` at `until` instead of any earlier time. Sockets that were opened for the query before stay open:
    /// a slow server's answer still counts.
    case ask(query: Int, server: Int, usesStream: Bool, messages: [[UInt8]], until: Milliseconds)
    /// Call `timerFired` at `until`.
    case wait(query: Int, until: Milliseconds)
    /// Close the query's sockets; its number may be used again. Tell those who wait.
    case finish(query: Int, waiters: [UInt64], outcome: ResolverOutcome)
}
