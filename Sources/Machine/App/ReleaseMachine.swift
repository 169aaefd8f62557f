/// Replaces the processes of an app by new ones: a deploy, a rolling restart, a recycling of one instance.
///
/// ```
///  two at a time:  idle ──► proving(group) ──► soaking ──► proving(next group) … ──► retiring ──► idle
///                              │ a candidate      │ worse, or         │                  (old ones, one at a time,
///                              ▼ is gone          ▼ gone              ▼                   each only while its
///                           withdraw all candidates, the old ones were not touched        successor is ready)
///
///  fixed address:  idle ──► parking ──► provingInPlace ──► idle
///                  (old one ends)          │ gone: the old release starts again
///                                          ▼
///                                        idle
/// ```
/// A deploy proves a first candidate alone, with its slice of the traffic, then all others, and only then retires
/// the first old instance: until that commit, "back" means nothing but withdrawing candidates. A restart runs the
/// same release and proves and retires one slot after the other.
package struct ReleaseMachine: ~Copyable {
    /// What is replaced and how.
    package struct Plan: Hashable, Sendable {
        /// Release of the new processes.
        package var release: UInt32
        /// Slots in the order of their replacement.
        package var slots: [Int]
        /// The first candidate serves a slice for this time; zero: it does not.
        package var soak: Duration
        /// All candidates are proven before the first old instance goes (deploy), or one slot at a time (restart).
        package var provesAllFirst: Bool
        /// Old and new cannot run at the same time.
        package var isInPlace: Bool
    }

    /// What happens to the instances of the slots.
    enum Event: Hashable, Sendable {
        /// The new instance of a slot is ready.
        case newReady(slot: Int)
        /// The new instance of a slot, which had been ready, is not any more.
        case newUnready(slot: Int)
        /// A candidate is gone.
        case candidateGone(slot: Int)
        /// The retired instance of a slot is gone, or there was none.
        case oldGone(slot: Int)
        /// The soak's counts so far.
        case sample(SoakComparison)
        /// The deadline passed.
        case timer
        /// The app is to be stopped, or a committed roll that cannot end is superseded by another.
        case cancel
    }

    /// What the app's machine has to do.
    enum Action: Hashable, Sendable {
        /// Start a candidate beside, or in the place of, what is in the slot.
        case startCandidate(slot: Int, share: RouteShare)
        /// Give a candidate this share.
        case setShare(slot: Int, RouteShare)
        /// The candidates of these slots become the regular occupants, with full share.
        case commit(slots: [Int])
        /// Un-route, drain and stop the old instance of a slot.
        case retireOld(slot: Int)
        /// Stop all candidates.
        case withdraw
        /// Start the old release in the slot again.
        case startOldAgain(slot: Int)
        /// Not replaced after all: the old instances of these slots stay, their successors go.
        case undo(slots: [Int])
        /// The soak began.
        case soaking(until: Duration)
        /// It is over.
        case ended(AppReport.RollResult)
    }

    /// Where the roll stands.
    enum Phase: Hashable, Sendable {
        case idle
        /// Candidates of `groups[group]` were started; those in `waiting` are not ready yet.
        case proving(group: Int, waiting: [Int])
        /// The first candidate has its slice.
        case soaking(until: Duration)
        /// Committed. `current` is on its way out, `remaining` still serve.
        case retiring(group: Int, current: Int?, remaining: [Int])
        /// Fixed address: the old instance is on its way out.
        case parking(slot: Int)
        /// Fixed address: the new one was started.
        case provingInPlace(slot: Int)
    }

    var phase = Phase.idle
    /// The plan in force; meaningless when idle.
    package internal(set) var plan = Plan(release: 0, slots: [], soak: .zero, provesAllFirst: false, isInPlace: false)
    /// Slots that are proven together.
    var groups: [[Int]] = []
    /// Slots whose new instance is ready at present.
    var readySlots: Set<Int> = []

    /// Idle.
    package init() {}

    /// Whether a roll is under way.
    package var isActive: Bool { phase != .idle }

    /// When `.timer` is due.
    package var deadline: Duration? { if case .soaking(let until) = phase { until } else { nil } }
}
