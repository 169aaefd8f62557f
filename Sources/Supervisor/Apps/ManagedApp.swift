internal import Config
internal import Machine

/// One app as the driver sees it: its machine, its releases, its running instances.
final class ManagedApp {
    let name: String
    /// The block of the configuration in force.
    var block: AppSpecification
    /// A block that no roll could be begun for yet: another one was under way, or what it had withdrawn was.
    var pendingBlock: AppSpecification?
    var machine: AppMachine
    /// By number; the active one, the one before it, and one that is being rolled out.
    var releases: [UInt32: AppState.Release] = [:]
    /// What each of them runs.
    var specifications: [UInt32: AppSpecification] = [:]
    /// The highest number that a release of this app ever had.
    var lastRelease: UInt32 = 1
    var instances: [InstanceKey: AppInstance] = [:]
    /// Listeners of `listen fd`, by slot.
    var listeners: [Int: [SlotListener]] = [:]
    /// Number of instances set by hand; nil: the block's.
    var scale: Int?
    /// The block is gone from the configuration; the app is being stopped.
    var isRemoved = false
    /// The block is gone, and workers of before still have requests.
    var isKept = false
    /// Whether it was to run when its block went.
    var wasRunning = false
    /// Release that was active before the present one, for `rollback`.
    var previousRelease: UInt32?
    /// Release that was active when the deploy or rollback under way began.
    var rollsFrom: UInt32?
    /// How the roll to the block in force was given up, in words; nil: it was not.
    var refusedBlock: String?
    /// Why instances could not be started, until that is reported.
    var refusals: [InstanceKey: String] = [:]
    /// What hinders the next start, by slot, in words: why the last one failed. Until an instance of it is ready.
    var lastFailures: [Int: String] = [:]
    /// What the last instance of each slot that ended wrote last: its keeper is gone.
    var lastWords: [Int: AppSupervisor.InstanceLines] = [:]
    /// Release that the roll under way brings; nil: none, or it only renews processes.
    var rollsTo: UInt32?
    /// A roll that the state file has not taken since its commit, and what was told of that.
    var unsavedRoll: UnsavedRoll?
    /// How long its first new instance serves a slice.
    var rollSoak: Duration = .zero
    /// Instances of another release than the active one were taken over.
    var isMixed = false
    /// The soak under way: counts at its beginning.
    var soak: SoakBaseline?

    struct UnsavedRoll: Equatable {
        var release: UInt32
        var isCommitted: Bool
    }

    struct SoakBaseline {
        var until: Duration
        var nextAt: Duration
        var counts: [InstanceKey: SoakComparison.Counts] = [:]
    }

    init(name: String, block: AppSpecification, machine: consuming AppMachine) {
        self.name = name
        self.block = block
        self.machine = machine
    }

    /// Whether the active release was made for a block that starts the same.
    func runs(_ block: AppSpecification) -> Bool { releases[machine.activeRelease]?.block == block.processFingerprint }

    /// Whether the roll under way is to a release that was made for a block that starts the same.
    func rolls(to block: AppSpecification) -> Bool {
        rollsTo.flatMap { releases[$0] }?.block == block.processFingerprint
    }

    /// Whether any of its releases has a limit of memory.
    var watchesMemory: Bool { specifications.values.contains { $0.memoryMax != nil || $0.memoryRecycle != nil } }

    /// The roll under way, for the next supervisor.
    var roll: AppState.Roll? {
        guard machine.isRolling, let rollsTo else { return nil }
        return AppState.Roll(release: rollsTo, from: rollsFrom, soakMilliseconds: UInt64(clamping: rollSoak.milliseconds))
    }

    /// What a release runs.
    func specification(of release: UInt32) -> AppSpecification { specifications[release] ?? block }

    /// The same, with the number of instances that was set by hand.
    func scaled(_ release: UInt32) -> AppSpecification {
        var specification = specification(of: release)
        if let scale { specification.instances = scale }
        return specification
    }

    /// Takes in a release. If it was made for the block in force, what needs no new process is as that says now.
    func add(_ release: AppState.Release) {
        var release = release
        if release.block == block.processFingerprint {
            release.base = block
            release.isWhole = true
        }
        releases[release.number] = release
        specifications[release.number] = release.applied(to: block)
        lastRelease = max(lastRelease, release.number)
    }

    /// Forgets releases.
    func keepReleases(where isKept: (UInt32) -> Bool) {
        releases = releases.filter { isKept($0.key) }
        specifications = specifications.filter { isKept($0.key) }
    }
}

/// A listening socket of the gateway that an instance gets as descriptor 3. It outlives the instance: what waits in its
/// queue is served by the next one.
struct SlotListener {
    let socket: Descriptor
    let address: NetworkAddress
    let port: UInt16
    var user: InstanceKey?
    /// When its queue is looked at once more: workers may have connected before they knew of the end. nil: not again.
    var lookAt: Duration?
}
