/// Everything a keeper needs to start an instance: what goes into the memfd of its first message.
struct KeeperInstructions: Equatable {
    /// User, group and supplementary groups.
    struct Identity: Equatable {
        var user: UInt32
        var group: UInt32
        var groups: [UInt32] = []
    }

    /// One resource limit.
    struct Limit: Equatable {
        /// `RLIMIT_…`.
        var resource: UInt64
        var soft: UInt64
        var hard: UInt64
    }

    var name: String
    var slot: UInt32
    var arguments: [String]
    var environment: [String] = []
    /// nil: the root directory.
    var directory: String?
    /// nil: the supervisor's own.
    var identity: Identity?
    var creationMask: UInt32 = 0o022
    var limits: [Limit] = []
    /// Directories of cgroups that exist; the keeper removes them at the end.
    var cgroups: [String] = []
    /// Where the keeper listens for the next supervisor.
    var socketPath: String
    var logPath: String?
    var logRotateBytes: UInt64 = 0
    var logKeep: UInt64 = 7
    /// One for each listener.
    var listenerNames: [String] = []
    /// `WATCHDOG_USEC`; 0: none.
    var watchdogMicroseconds: UInt64 = 0
    var stopSignal: Int32 = 15
    var stopTimeoutMilliseconds: UInt32 = 30_000
    /// How long the keeper of an ended app waits for a supervisor.
    var orphanSeconds: UInt64 = 3600

    /// The content of the memfd. Strings with a zero byte are cut there.
    var encoded: [UInt8] {
        var body: [UInt8] = []
        func put(_ tag: KeeperProtocol.Tag, _ value: [UInt8]) {
            body.appendHost(tag.rawValue)
            body.appendHost(UInt16(0))
            body.appendHost(UInt32(value.count))
            body += value
            while body.count % 8 != 0 { body.append(0) }
        }
        func put(_ tag: KeeperProtocol.Tag, _ text: String) { put(tag, text.utf8.prefix { $0 != 0 } + [0]) }
        func put(_ tag: KeeperProtocol.Tag, numbers: [UInt64]) {
            var value: [UInt8] = []
            for number in numbers { value.appendHost(number) }
            put(tag, value)
        }
        func put(_ tag: KeeperProtocol.Tag, shorts: [UInt32]) {
            var value: [UInt8] = []
            for number in shorts { value.appendHost(number) }
            put(tag, value)
        }
        put(.name, name)
        put(.slot, shorts: [slot])
        for argument in arguments { put(.argument, argument) }
        for variable in environment { put(.environment, variable) }
        if let directory { put(.directory, directory) }
        if let identity { put(.identity, shorts: [identity.user, identity.group] + identity.groups) }
        put(.creationMask, shorts: [creationMask])
        for limit in limits { put(.limit, numbers: [limit.resource, limit.soft, limit.hard]) }
        for cgroup in cgroups { put(.cgroup, cgroup) }
        put(.socketPath, socketPath)
        if let logPath {
            put(.logPath, logPath)
            put(.logRotation, numbers: [logRotateBytes, logKeep])
        }
        for name in listenerNames { put(.listenerName, name) }
        if watchdogMicroseconds > 0 { put(.watchdog, numbers: [watchdogMicroseconds]) }
        put(.stopDefault, shorts: [UInt32(bitPattern: stopSignal), stopTimeoutMilliseconds])
        put(.orphanTime, numbers: [orphanSeconds])
        return KeeperProtocol.packet(kind: KeeperProtocol.launchKind, body: body)
    }
}
