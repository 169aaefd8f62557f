/// What the supervisor's loop listens to.
enum LoopSource: Equatable {
    case signals
    /// Keepers of apps: a set of their own within the loop's.
    case apps
    case control
    /// The end of the old binary that started this one.
    case oldBinary
    /// The word of the new binary that this one started.
    case upgrade
    case worker(WorkerID)

    /// The number by which epoll names it. Workers have their own numbers, far below the others.
    var tag: UInt64 {
        switch self {
        case .signals: .max
        case .apps: .max - 1
        case .control: .max - 2
        case .oldBinary: .max - 3
        case .upgrade: .max - 4
        case .worker(let id): UInt64(id.number)
        }
    }

    init(tag: UInt64) {
        self = [.signals, .apps, .control, .oldBinary, .upgrade].first { $0.tag == tag } ?? .worker(WorkerID(Int(clamping: tag)))
    }
}
