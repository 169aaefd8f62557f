internal import Machine

/// What a keeper says of itself and its app (`gg_state`): always everything, with a mark on what is new.
struct KeeperState: Equatable {
    /// `gg_state.changes`.
    struct Changes: OptionSet {
        let rawValue: UInt32
        static let started = Changes(rawValue: 1)
        static let failed = Changes(rawValue: 2)
        static let ready = Changes(rawValue: 4)
        static let stopping = Changes(rawValue: 8)
        static let reloading = Changes(rawValue: 16)
        static let watchdog = Changes(rawValue: 32)
        static let status = Changes(rawValue: 64)
        static let exited = Changes(rawValue: 128)
        static let emptied = Changes(rawValue: 256)
        static let log = Changes(rawValue: 512)
        static let lines = Changes(rawValue: 1024)
    }

    /// `gg_state.phase`.
    enum Phase: UInt32 { case waiting, forked, running, exited, empty, failed }

    var key: UInt64
    var changes: Changes
    var phase: Phase
    var keeperProcess: Int32
    /// 0: none yet.
    var appProcess: Int32
    /// Start of the app in clock ticks since boot; with the boot's identifier it names the process for ever.
    var appStartTicks: UInt64
    var runtimeNanoseconds: UInt64
    var failure: StartFailure
    var waitStatus: Int32
    var outOfMemoryKills: UInt32
    var processesLeft: UInt32
    var isReady: Bool
    var isStopping: Bool
    /// Datagrams of strangers to the notify socket.
    var foreignNotices: UInt32
    var lines: UInt64
    var linesDropped: UInt64
    /// Why lines are being dropped; 0: they are not.
    var logErrorNumber: Int32
    var slot: UInt32
    var peakResidentBytes: UInt64
    var name: String
    /// The app's last `STATUS=`.
    var status: String
    /// `PORT` of the app's environment; nil: it has none, or this keeper is older than the field.
    var port: UInt16?
    /// A supervisor told it to end the app. False of a keeper that is older than the field.
    var isStopOrdered: Bool

    /// Reads a packet's body. Fields that an older keeper does not send are zero.
    init(body: ArraySlice<UInt8>) {
        let bytes = Array(body)
        key = bytes.host(at: 0)
        changes = Changes(rawValue: bytes.host(at: 8))
        phase = Phase(rawValue: bytes.host(at: 12)) ?? .waiting
        keeperProcess = bytes.host(at: 16)
        appProcess = bytes.host(at: 20)
        appStartTicks = bytes.host(at: 24)
        runtimeNanoseconds = bytes.host(at: 32)
        failure = StartFailure(
            step: StartFailure.Step(rawValue: bytes.host(at: 40)) ?? .prepare, errorNumber: bytes.host(at: 44))
        waitStatus = bytes.host(at: 48)
        outOfMemoryKills = bytes.host(at: 52)
        processesLeft = bytes.host(at: 56)
        isReady = bytes.host(at: 60, UInt32.self) != 0
        isStopping = bytes.host(at: 64, UInt32.self) != 0
        foreignNotices = bytes.host(at: 68)
        lines = bytes.host(at: 72)
        linesDropped = bytes.host(at: 80)
        logErrorNumber = bytes.host(at: 88)
        slot = bytes.host(at: 92)
        peakResidentBytes = bytes.host(at: 96)
        name = Self.text(bytes, at: 104, size: Self.nameMax)
        status = Self.text(bytes, at: 168, size: Self.statusMax)
        let port = bytes.host(at: 296, UInt32.self)
        self.port = port == 0 ? nil : UInt16(exactly: port)
        isStopOrdered = bytes.host(at: 300, UInt32.self) != 0
    }

    /// Longest texts, each with its final NUL.
    static let nameMax = 64
    static let statusMax = 128

    private static func text(_ bytes: [UInt8], at offset: Int, size: Int) -> String {
        guard offset < bytes.count else { return "" }
        return String(decoding: bytes[offset..<min(offset + size, bytes.count)].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The end of the main process, from the status that wait(2) gave.
    var exit: InstanceExit {
        let signal = waitStatus & 0x7F
        return InstanceExit(
            cause: signal == 0 ? .status(waitStatus >> 8 & 0xFF) : .signal(signal),
            hasCore: signal != 0 && waitStatus & 0x80 != 0, outOfMemoryKills: outOfMemoryKills,
            processesLeft: processesLeft)
    }
}
