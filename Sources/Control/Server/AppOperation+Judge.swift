import Messages

extension AppOperation {
    /// How an order ended.
    struct Verdict: Equatable, Sendable {
        var succeeded: Bool
        var text: String

        init(succeeded: Bool, text: String) {
            self.succeeded = succeeded
            self.text = text
        }

        /// What became of a roll to a release, by what the app looks like when it is over.
        init(_ report: AppReport, after release: UInt32) {
            succeeded = report.release == release
            let end = !succeeded ? "does not run" : report.running ? "runs" : "is taken at the next start, unproven: the app is stopped"
            text = "release \(release) \(end)"
        }
    }

    /// Decides by what an app looks like whether an order is over. Pure.
    struct Judge: Sendable {
        let app: String
        let goal: Goal
        /// The release that is to run in the end.
        let release: UInt32
        /// Failed starts in a row by slot, that are not of this order.
        private var oldFailures: [UInt32: UInt32] = [:]
        /// A roll of this release was heard to begin, or there can be no other.
        private var hasBegun: Bool
        /// Looks in a row that found it over, without having heard of its end.
        private var quietLooks = 0

        /// So many quiet looks end it: the event would have come.
        private static let quietLooksMax = 3

        /// - Parameter before: The app before the order.
        init(app: String, goal: Goal, release: UInt32, before: AppReport?) {
            self.app = app
            self.goal = goal
            self.release = release
            hasBegun = release != before?.release
            for instance in before?.instances ?? [] { oldFailures[instance.slot] = instance.failedStarts }
        }

        /// Hears what happens. A restart is of the release that runs: the end of the one before it, which may come when
        /// this one is ordered, is not its own.
        /// - Returns: nil while the order is under way.
        mutating func hear(_ event: AppEvent) -> Verdict? {
            guard goal == .rolled, event.release == release else { return nil }
            switch event.kind {
            case .rollBegan: hasBegun = true
            case .rollCompleted where hasBegun: return Verdict(succeeded: true, text: event.text)
            case .rollFailed where hasBegun: return Verdict(succeeded: false, text: event.text)
            default: break
            }
            return nil
        }

        /// Looks at the app.
        /// - Parameter report: nil: it is there no more.
        /// - Returns: nil while the order is under way.
        mutating func judge(_ report: AppReport?) -> Verdict? {
            guard let report else {
                return Verdict(succeeded: goal == .stopped, text: "app \(app): it is in no block of the configuration any more")
            }
            switch goal {
            case .stopped:
                // One whose process is about to come, or to go, may have no number.
                let isGone = report.instances.allSatisfy { $0.process == nil && $0.state == "stopped" }
                return isGone ? Verdict(succeeded: true, text: "app \(app): stopped") : nil
            case .running, .scaled: return running(report)
            case .rolled:
                quietLooks = report.rolling ? 0 : quietLooks + 1
                guard quietLooks >= Self.quietLooksMax else { return nil }
                return Verdict(report, after: release)
            }
        }

        private mutating func running(_ report: AppReport) -> Verdict? {
            let ready = report.instances.count { $0.state == "ready" }
            let living = report.instances.count { $0.process != nil }
            if ready == Int(report.instancesWanted), living == ready, !report.rolling {
                return Verdict(succeeded: true, text: "app \(app): \(ready) of \(report.instancesWanted) instances ready")
            }
            // An instance that came to its end, which is not to be started again, may also be one that is about to be.
            let finished = report.instances.count { $0.state == "finished" }
            let isQuiet = finished > 0 && ready + finished == Int(report.instancesWanted) && living == ready && !report.rolling
            quietLooks = isQuiet ? quietLooks + 1 : 0
            if quietLooks >= Self.quietLooksMax {
                let wanted = report.instancesWanted
                return Verdict(succeeded: true, text: "app \(app): \(ready) of \(wanted) instances ready, \(finished) finished")
            }
            if goal == .scaled, !report.running {
                let instances = report.instancesWanted == 1 ? "instance" : "instances"
                return Verdict(succeeded: true, text: "app \(app): \(report.instancesWanted) \(instances), once it is started")
            }
            guard report.running else {
                return Verdict(succeeded: false, text: "app \(app) is stopped: start it with \"goodgate app start \(app)\"")
            }
            for instance in report.instances {
                let known = oldFailures[instance.slot] ?? 0
                guard instance.failedStarts > known else {
                    // It has been ready meanwhile: from now on each failure counts.
                    oldFailures[instance.slot] = instance.failedStarts
                    continue
                }
                let name = "\(app).\(instance.slot)#\(instance.serial)"
                let why = instance.lastFailure ?? "did not become ready" + (instance.lastExit.map { " (\($0))" } ?? "")
                let next = instance.state == "finished" ? "it is not started again (restart)" : "it is tried again"
                return Verdict(succeeded: false, text: "\(name) \(why); \(next)")
            }
            return nil
        }
    }
}
