/// What the supervisor tells a keeper after its launch.
enum KeeperCommand: Equatable {
    /// Signal the group; kill everything after a time.
    case stop(signal: Int32, killAfterMilliseconds: UInt32)
    /// Kill everything.
    case kill
    /// Send the last lines, at most so many.
    case lines(UInt32)
    /// Open the log file anew.
    case reopenLog
    /// The end was read: go when nothing is left.
    case forget
    /// Say the state.
    case status
    /// Give the app's listeners back.
    case listeners

    /// The packet.
    var packet: [UInt8] {
        var body: [UInt8] = []
        let kind: UInt16
        switch self {
        case .stop(let signal, let time):
            kind = 2
            body.appendHost(signal)
            body.appendHost(time)
        case .kill: kind = 3
        case .lines(let count):
            kind = KeeperProtocol.linesKind
            body.appendHost(count)
            body.appendHost(UInt32(0))
            body.appendHost(UInt64(0))
        case .reopenLog: kind = 6
        case .forget: kind = 7
        case .status: kind = 8
        case .listeners: kind = KeeperProtocol.listenersKind
        }
        return KeeperProtocol.packet(kind: kind, body: body)
    }
}
