package import Machine

/// What the supervisor told of an app that it runs itself: exact, where other evidence is collected.
///
/// Rules know backends as units, so an app has the form of one, named `app NAME`.
package struct AppHistory: Sendable {
    /// Name in the configuration.
    package let app: String
    /// What happened, oldest first, at most `eventsMax`.
    package private(set) var events: [LifeEvent] = []
    /// As a unit.
    package internal(set) var unit: UnitState
    /// Ends that nobody asked for, oldest first, at most `endsMax`.
    package private(set) var ends: [AppEnd] = []
    /// Releases in the order in which they came into force, at most `releasesMax`. What was before this process began is not known.
    package private(set) var releases: [AppRelease] = []
    /// When the app last failed for a reason before the incident that is judged.
    package internal(set) var earlier: [ReasonCode: Timestamp] = [:]
    /// Instances that run.
    private var running: Set<String> = []
    /// The instance whose group lost a process for want of memory; its end follows.
    private var outOfMemoryInstance: String?

    /// Events and ends kept; the oldest go. And lines of each end.
    package static let eventsMax = 200
    package static let endsMax = 20
    package static let releasesMax = 20
    package static let linesMax = 40
    /// Where a person sees them.
    package static let source = "goodgate status"

    package init(app: String) {
        self.app = app
        unit = UnitState(name: "app \(app)")
        unit.isOwn = true
        unit.type = "notify"
    }

    /// Takes an event in; its unit becomes this one's.
    ///
    /// - Parameter instance: `SLOT#SERIAL`; empty when it is about the app.
    package mutating func add(_ event: LifeEvent, instance: String) {
        var event = event
        event.unit = unit.name
        events.append(event)
        if events.count > Self.eventsMax { events.removeFirst() }
        switch event.kind {
        case .started:
            running.insert(instance)
            unit.activeState = "active"
            unit.activeSince = event.time
        case .exited(let code): ended(event, instance, code: 1, status: code, result: code == 0 ? "success" : "exit-code")
        case .killed(let signal, let dumped):
            ended(event, instance, code: dumped ? 3 : 2, status: signal, result: dumped ? "core-dump" : "signal")
        case .outOfMemory: outOfMemoryInstance = instance
        case .stopped:
            running.remove(instance)
            if running.isEmpty { unit.activeState = "inactive" }
        case .restartScheduled(let count):
            unit.restarts = count
            if running.isEmpty { unit.activeState = "activating" }
        default: break
        }
    }

    /// An instance of a release is ready to serve.
    package mutating func serves(_ release: AppRelease) {
        guard releases.last?.number != release.number else { return }
        releases.append(release)
        if releases.count > Self.releasesMax { releases.removeFirst() }
    }

    /// A release was given up; the one before it serves on.
    package mutating func withdrew(_ number: Int, at time: Timestamp) {
        guard releases.last?.number == number, let former = releases.dropLast().last else { return }
        serves(AppRelease(number: former.number, since: time))
    }

    /// Keeps the facts of an end.
    package mutating func ended(_ end: AppEnd) {
        ends.append(end)
        if ends.count > Self.endsMax { ends.removeFirst() }
    }

    /// What an instance that ended wrote last.
    ///
    /// - Returns: whether its end is known.
    package mutating func wrote(_ lines: [String], instance: String) -> Bool {
        guard let index = ends.lastIndex(where: { $0.instance == instance }) else { return false }
        ends[index].lastLines = Array(SecretMask.mask(lines: lines).suffix(Self.linesMax))
        return true
    }

    /// The ends that an incident has to do with, at most `count` and the newest of them: those in its time, or the one since which the app
    /// is down.
    package func ends(around incident: Incident, count: Int) -> [AppEnd] {
        let near = ends.filter {
            $0.time >= incident.first.advanced(byMilliseconds: -60_000) && $0.time <= incident.last.advanced(byMilliseconds: 65_000)
        }
        if near.isEmpty, let last = ends.last, last.time < incident.first, RuleSupport.isUnitDownSince(last.time, unit) { return [last] }
        return near.suffix(count)
    }

    private mutating func ended(_ event: LifeEvent, _ instance: String, code: Int, status: Int, result: String) {
        running.remove(instance)
        unit.mainCode = code
        unit.mainStatus = status
        unit.mainExited = event.time
        unit.result = outOfMemoryInstance == instance ? "oom-kill" : result
        outOfMemoryInstance = nil
        if running.isEmpty { unit.activeState = "failed" }
    }
}
