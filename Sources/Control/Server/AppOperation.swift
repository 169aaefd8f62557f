import Foundation
import Messages

/// An order for an app, from the supervisor's answer to its end: what happens meanwhile, and how it ended.
struct AppOperation: Sendable {
    /// When it is over.
    enum Goal: Equatable, Sendable {
        /// All wanted instances are ready, and no others run.
        case running
        /// As `running`; of an app that is stopped, nothing is to be waited for.
        case scaled
        /// No process is left.
        case stopped
        /// The deploy, restart or rollback ended.
        case rolled
    }

    let center: ControlCenter
    let app: String
    let goal: Goal

    private static let interval = Duration.milliseconds(500)
    /// How often a line comes at least, so that a client that is gone is noticed.
    private static let heartbeat = Duration.seconds(5)
    /// How long the last words of an instance are waited for.
    private static let wordsTimeout = Duration.seconds(2)
    private static let linesMax = 20
    /// Happenings that a client may be behind.
    private static let unreadMax = 256

    /// Gives the order.
    /// - Returns: what happens, the last value being the result.
    /// - Throws: `APIError` when the supervisor did not take the order.
    func begin(_ make: @Sendable (UInt32) -> ControlRequest) async throws -> AsyncStream<ProgressReport> {
        let happenings = await center.happenings()
        let before = try await snapshot()
        let reply = try await center.ask(make)
        if let error = APIError(reply.answer) { throw error }
        let release = reply.answer.release == 0 ? before?.release ?? 0 : reply.answer.release
        let firstSerial = (before?.instances.map(\.serial).max() ?? 0) + 1
        // A client that does not read misses what happens, never how it ends: the newest stay.
        let (stream, continuation) = AsyncStream.makeStream(of: ProgressReport.self, bufferingPolicy: .bufferingNewest(Self.unreadMax))
        let judge = Judge(app: app, goal: goal, release: release, before: before)
        let task = Task {
            var follower = Follower(operation: self, judge: judge, firstSerial: firstSerial, output: continuation)
            await follower.run(happenings)
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    /// The app as it is; nil: there is none of this name.
    private func snapshot() async throws -> AppReport? {
        try await StatusRoutes(center: center).status().apps.first { $0.name == app }
    }

    /// Follows one order.
    private struct Follower {
        let operation: AppOperation
        var judge: Judge
        /// Instances from this serial on were started by the order.
        let firstSerial: UInt32
        let output: AsyncStream<ProgressReport>.Continuation
        var lastWords: [UInt32: AppLines] = [:]
        var told: (done: UInt32, total: UInt32) = (0, 0)
        var lastReport = ContinuousClock.now
        private var release: UInt32 { judge.release }

        init(operation: AppOperation, judge: Judge, firstSerial: UInt32, output: AsyncStream<ProgressReport>.Continuation) {
            self.operation = operation
            self.judge = judge
            self.firstSerial = firstSerial
            self.output = output
        }

        mutating func run(_ happenings: AsyncStream<ControlCenter.Happening>) async {
            let (steps, continuation) = AsyncStream.makeStream(of: ControlCenter.Happening?.self)
            let events = Task { for await happening in happenings { continuation.yield(happening) } }
            let ticks = Task {
                while !Task.isCancelled {
                    continuation.yield(nil)
                    try? await Task.sleep(for: interval)
                }
            }
            defer {
                events.cancel()
                ticks.cancel()
            }
            for await step in steps {
                if Task.isCancelled { return }
                let ending: Verdict?
                switch step {
                case .event(let event)?:
                    guard event.app == operation.app else { continue }
                    ending = take(event)
                case .lastLines(let app, let lines)?:
                    if app == operation.app, lines.serial >= firstSerial { lastWords[lines.serial] = lines }
                    continue
                case nil: ending = await look()
                }
                guard let ending else { continue }
                return await end(ending, steps)
            }
        }

        private func name(slot: UInt32, serial: UInt32) -> String { "\(operation.app).\(slot)#\(serial)" }

        private mutating func emit(_ report: ProgressReport) {
            lastReport = .now
            output.yield(report)
        }

        /// How the order ended with this event; nil: it did not.
        private mutating func take(_ event: AppEvent) -> Verdict? {
            var report = ProgressReport(kind: "event", text: event.text)
            report.event = "\(event.kind)"
            report.instance = event.hasInstance ? name(slot: event.slot, serial: event.serial) : nil
            emit(report)
            return judge.hear(event)
        }

        /// Looks at the app itself: events may be lost, and not every goal has one.
        private mutating func look() async -> Verdict? {
            let app: AppReport?
            do {
                app = try await operation.snapshot()
            } catch {
                tellProgress(told)
                return nil
            }
            if let app {
                let ready = UInt32(app.instances.count { $0.state == "ready" && ($0.serial >= firstSerial || operation.goal != .rolled) })
                let living = UInt32(app.instances.count { $0.process != nil })
                let total = max(app.instancesWanted, living)
                let wanted = app.instancesWanted
                tellProgress(
                    operation.goal == .stopped ? (total - living, total) : (min(ready, wanted), wanted), waitingFor: Self.lingering(app))
            }
            return judge.judge(app)
        }

        /// Instances that finish what they have, in words.
        private static func lingering(_ app: AppReport) -> String {
            let leaving = app.instances.filter { $0.state == "draining" }
            guard let longest = leaving.compactMap(\.nextMilliseconds).max() else { return "" }
            let names = leaving.map { "\(app.name).\($0.slot)#\($0.serial)" }.joined(separator: ", ")
            return "; \(names): finishing requests, at most \(StatusText.span(longest)) more"
        }

        /// Says how far it is: when that is new, and now and then, so that a client that is gone is noticed.
        private mutating func tellProgress(_ now: (done: UInt32, total: UInt32), waitingFor: String = "") {
            guard now != told || ContinuousClock.now - lastReport > heartbeat else { return }
            told = now
            let state = operation.goal == .stopped ? "stopped" : "ready"
            var report = ProgressReport(kind: "progress", text: "\(now.done) of \(now.total) instances \(state)\(waitingFor)")
            (report.done, report.total, report.release) = (now.done, now.total, release)
            emit(report)
        }

        private mutating func end(_ verdict: Verdict, _ steps: AsyncStream<ControlCenter.Happening?>) async {
            // What was told last of its progress may be older than its end.
            if verdict.succeeded { _ = await look() } else { await collectWords(steps) }
            var report = ProgressReport(kind: "result", text: verdict.text)
            report.succeeded = verdict.succeeded
            report.release = operation.goal == .rolled ? release : nil
            if !verdict.succeeded {
                report.lastLines = lastWords.values.sorted { $0.serial < $1.serial }.map { words in
                    InstanceLinesReport(
                        instance: name(slot: words.slot, serial: words.serial), release: words.release,
                        lines: Array(words.lines.suffix(linesMax)))
                }
            }
            emit(report)
        }

        /// The last lines of what the order started: of those that ended they come by themselves, the others are asked for.
        private mutating func collectWords(_ steps: AsyncStream<ControlCenter.Happening?>) async {
            let deadline = ContinuousClock.now + wordsTimeout
            if let reply = try? await operation.center.ask({
                .lines(request: $0, name: operation.app, count: UInt32(linesMax), isWhole: false)
            }) {
                for case .lines(_, let lines) in reply.parts where lines.serial >= firstSerial && !lines.lines.isEmpty {
                    lastWords[lines.serial] = lines
                }
            }
            guard lastWords.isEmpty else { return }
            for await step in steps {
                if case .lastLines(let app, let lines)? = step, app == operation.app, lines.serial >= firstSerial {
                    lastWords[lines.serial] = lines
                    return
                }
                if ContinuousClock.now > deadline { return }
            }
        }
    }
}
