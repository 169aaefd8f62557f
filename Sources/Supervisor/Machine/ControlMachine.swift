/// Decides when the control process runs. Pure: events and the time go in, actions come out.
///
///              want              exited, could not be started
///      off ──────────▶ running ───────────────────────────────▶ resting ──pause over──▶ running
///       ▲                │ unwant, other settings
///       └──── exited ◀───┴▶ stopping ──exited, wanted again──▶ running
///
/// A process that ends is started again: at once after a long life, else after a pause that grows from 0.1 s to 10 s. Traffic and apps
/// never depend on it.
struct ControlMachine {
    /// What the driver is to do.
    enum Action: Equatable {
        case spawn
        /// Close its channel: it ends by itself.
        case stop
        /// It did not: SIGKILL.
        case kill
        /// It keeps ending; the next start is in so many milliseconds.
        case tellPause(UInt64)
    }

    /// Times in milliseconds of the monotonic clock.
    enum State: Equatable {
        case off
        case running(since: UInt64)
        case stopping(killAt: UInt64?)
        case resting(until: UInt64)
    }

    static let killDelay: UInt64 = 5_000
    static let pauseMin: UInt64 = 100
    static let pauseMax: UInt64 = 10_000
    static let stableAfter: UInt64 = 10_000

    private(set) var state = State.off
    private var isWanted = false
    /// Short lives in a row.
    private var failures = 0

    /// When `timer` is due; nil: never.
    var deadline: UInt64? {
        switch state {
        case .off, .running: nil
        case .stopping(let time): time
        case .resting(let time): time
        }
    }

    /// Whether it should run, at the start and after each reload.
    /// - Parameter isChanged: what it was started with holds no more: it has to start anew.
    mutating func want(_ wanted: Bool, isChanged: Bool = false, now: UInt64) -> [Action] {
        isWanted = wanted
        switch state {
        case .off: return wanted ? spawn(now: now) : []
        case .resting:
            guard !wanted || isChanged else { return [] }
            failures = 0
            state = .off
            return wanted ? spawn(now: now) : []
        case .running:
            guard !wanted || isChanged else { return [] }
            state = .stopping(killAt: now + Self.killDelay)
            return [.stop]
        case .stopping: return []
        }
    }

    /// It ended.
    mutating func exited(now: UInt64) -> [Action] {
        switch state {
        case .off, .resting: return []
        case .stopping:
            failures = 0
            state = .off
            return isWanted ? spawn(now: now) : []
        case .running(let since):
            if now - since >= Self.stableAfter {
                failures = 0
                return spawn(now: now)
            }
            return rest(now: now)
        }
    }

    /// It could not be started at all.
    mutating func spawnFailed(now: UInt64) -> [Action] { rest(now: now) }

    /// `deadline` has come.
    mutating func timer(now: UInt64) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch state {
        case .resting: return spawn(now: now)
        case .stopping:
            state = .stopping(killAt: nil)
            return [.kill]
        case .off, .running: return []
        }
    }

    private mutating func spawn(now: UInt64) -> [Action] {
        state = .running(since: now)
        return [.spawn]
    }

    private mutating func rest(now: UInt64) -> [Action] {
        let pause = min(Self.pauseMin << UInt64(min(failures, 16)), Self.pauseMax)
        failures += 1
        state = .resting(until: now + pause)
        return [.tellPause(pause)]
    }
}
