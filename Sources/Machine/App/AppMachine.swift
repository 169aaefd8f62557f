/// One app: its slots, their instances, and the roll that may be replacing them.
///
/// ```
///   commands ─┐                        ┌─► InstanceMachine (slot 0, current)
///             ▼                        ├─► InstanceMachine (slot 0, candidate or outgoing)
///        AppMachine ──events by key────┼─► InstanceMachine (slot 1, current) …
///             │  ▲                     └─ readiness, ends
///             ▼  │ roll actions              │
///        ReleaseMachine ◄────────────────────┘
/// ```
/// A slot has at most one current instance and, during a roll, one more: a candidate before the commit, an outgoing
/// one after it. Values and `now` (monotonic) in, actions out; no clock, no input or output. The driver calls
/// `timerFired` at `deadline`. Each entry point is O(instances).
package struct AppMachine: ~Copyable {
    /// After so many failed starts in a row a slot's next start is not plausible any more: nobody should wait for it.
    package static let failedStartsMax = UpstreamOutlook.failedStartsMax

    /// What an instance is in its slot.
    package enum Role: Hashable, Sendable {
        /// The regular occupant.
        case current
        /// Started by a roll, not yet committed.
        case candidate
        /// Replaced, serving or on its way out.
        case outgoing
    }

    /// An instance and its part in a roll.
    struct Occupant: Sendable {
        var role: Role
        /// Started by the roll that is under way.
        var isNew: Bool
        /// What the roll was told last.
        var wasReady = false
        var instance: InstanceMachine
    }

    /// Whether the app is to run.
    package internal(set) var isRunning = false
    /// Number of slots that are to be filled.
    package internal(set) var count: Int
    /// Release that restarted instances run.
    package internal(set) var activeRelease: UInt32
    /// Whether two instances can run in one slot.
    var allowsTwo: Bool

    var occupants: [Occupant] = []
    var roll = ReleaseMachine()
    /// Policy of the release that a roll brings; from its commit on, `policy`.
    var rollPolicy: InstancePolicy
    var policy: InstancePolicy
    /// Scale asked for during a roll.
    var pendingCount: Int?
    /// Scale and kind of address of the release that a roll brings; taken over when it succeeds.
    var rollCount: Int?
    var rollAllowsTwo: Bool
    /// What the roll still has to be told.
    var rollEvents: [ReleaseMachine.Event] = []
    var nextSerial: UInt32
    /// The slot whose instance the roll under way replaces because it is sick or has grown.
    var replacedSlot: Int?
    /// When the next one may be replaced so, and how that delay grows.
    var nextReplacement: Duration = .zero
    var replacements = RestartBackoff()
    var lastOutlook = AppOutlook.down

    /// An app at rest.
    ///
    /// - Parameters:
    ///   - specification: The block.
    ///   - release: Number of the release the block stands for.
    ///   - nextSerial: Number of the next spawn, from the state file; 1 for a new app.
    package init(specification: AppSpecification, release: UInt32, nextSerial: UInt32 = 1) {
        count = specification.listen.allowsTwo ? specification.instances : 1
        activeRelease = release
        allowsTwo = specification.listen.allowsTwo
        rollAllowsTwo = allowsTwo
        policy = InstancePolicy(specification)
        rollPolicy = policy
        self.nextSerial = nextSerial
    }

    /// When `timerFired` has to be called, at the latest.
    package var deadline: Duration? {
        var result = roll.deadline
        for occupant in occupants { result = earliest(result, occupant.instance.deadline) }
        return earliest(result, replacementDeadline)
    }

    /// Whether a deploy, restart or recycling is under way.
    package var isRolling: Bool { roll.isActive }

    /// Number of the next spawn, for the state file.
    package var serialToUse: UInt32 { nextSerial }

    /// What can be expected of the app, as last reported.
    package var outlook: AppOutlook { lastOutlook }
}
