internal import Config
internal import Glibc
internal import Machine

/// One instance as the driver sees it: the channel to its keeper and what is known of the process.
final class AppInstance {
    /// How far the search for its listening socket is.
    enum Probe: Equatable {
        /// Its process does not run yet, or not any more.
        case idle
        /// Looked for again at this time. `elsewhereSince`: since when it listens at another place.
        case waiting(nextAt: Duration, attempts: Int, elsewhereSince: Duration?)
        /// It listens, and the socket is its own.
        case confirmed
    }

    let key: InstanceKey
    let release: UInt32
    let tag: UInt64
    var channel: KeeperChannel?
    /// Process of the keeper, for its collection; nil: not a child of this supervisor.
    var keeperProcess: Int32?
    /// Where it should listen.
    let expected: NetworkAddress?
    /// Where it is dialled.
    var address: NetworkAddress?
    /// Port to give back.
    var port: UInt16?
    /// User it runs as; nil: the supervisor's own.
    var user: UInt32?
    var cgroups: [String] = []
    var isLimited = false
    var state: KeeperState?
    var probe = Probe.idle
    /// READY=1 came before its socket was found.
    var saidReady = false
    /// A connection in the accept queue of `listen fd`, to see whether the app takes it.
    var knock: Descriptor?
    /// The end was told to the machine.
    var isEmptied = false
    /// The keeper is gone; what it left is killed until this succeeds, next at this time.
    var killRemainsAt: Duration?
    /// Time from one attempt to the next: it doubles, since what waits for a device cannot be killed however often it is tried.
    var killRemainsPause: Duration = .milliseconds(20)
    /// Who has its place, and since when; nil: nobody else.
    var taken: (socket: UInt64, since: Duration)?
    /// Said once per instance.
    var hasToldTaken = false
    /// The check that a worker runs; nil: none.
    var healthCheck: AppHealth?
    /// What that saw last, of one that has not passed yet.
    var complaint: String?
    /// Waiting for its last lines: who asked, in the order in which the keeper answers.
    var lineReaders: [(AppSupervisor.InstanceLines) -> Void] = []

    init(key: InstanceKey, release: UInt32, tag: UInt64, expected: NetworkAddress?) {
        self.key = key
        self.release = release
        self.tag = tag
        self.expected = expected
        address = expected
    }

    /// Why what stands at its path cannot be the socket that it listens on; nil: it can.
    func objection(to facts: System.FileFacts) -> String? {
        if facts.kind == S_IFLNK { return "is a symbolic link" }
        if facts.kind != S_IFSOCK { return "is no socket" }
        guard let user, facts.user != user else { return nil }
        return "belongs to user \(facts.user), not to user \(user) that it runs as"
    }

    /// Main process, 0: none known.
    var process: Int32 { state?.appProcess ?? 0 }
}
