import Foundation
import Messages

/// An order for an app, from the supervisor's answer to its end: what happens meanwhile, and how it ended.
struct AppOperation: Sendable {
    /// When it is over.
    enum Goal: Equatable, Sendable {
        /// All wanted instances are ready.
        case running
        /// No process is left.
        case stopped
        /// So many instances are ready, and no others run.
        case scaled(UInt32)
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
        let (stream, continuation) = AsyncStream.makeStream(of: ProgressReport.self)
        let task = Task {
            var follower = Follower(operation: self, release: release, firstSerial: firstSerial, output: continuation)
            await follower.run(happenings)
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private func snapshot() async throws -> AppReport? {
        let reply = try await center.ask { .status(request: $0) }
        guard let hello = await center.hello else { return nil }
        return StatusReport(hello, reply.parts).apps.first { $0.name == app }
    }

    /// Follows one order.
    private struct Follower {
        let operation: AppOperation
        /// The release that is to run in the end.
        let release: UInt32
        /// Instances from this serial on were started by the order.
        let firstSerial: UInt32
        let output: AsyncStream<ProgressReport>.Continuation
        var lastWords: [UInt32: AppLines] = [:]
        var told: (done: UInt32, total: UInt32) = (0, 0)
        var lastReport = ContinuousClock.now
        /// Looks in a row that found the roll over, without having heard of its end.
        var quietLooks = 0
        var lastText = ""

        init(
            operation: AppOperation, release: UInt32, firstSerial: UInt32, output: AsyncStream<ProgressReport>.Continuation
        ) {
            self.operation = operation
            self.release = release
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
                let ending: Bool?
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

        /// Whether the order ended with this event, and if so, how.
        private mutating func take(_ event: AppEvent) -> Bool? {
            var report = ProgressReport(kind: "event", text: event.text)
            report.event = "\(event.kind)"
            report.instance = event.hasInstance ? name(slot: event.slot, serial: event.serial) : nil
            emit(report)
            guard operation.goal == .rolled, event.release == release else { return nil }
            switch event.kind {
            case .rollCompleted:
                lastText = event.text
                return true
            case .rollFailed:
                lastText = event.text
                return false
            default: return nil
            }
        }

        /// Looks at the app itself: events may be lost, and not every goal has one.
        private mutating func look() async -> Bool? {
            guard let app = try? await operation.snapshot() else { return nil }
            let ready = UInt32(app.instances.count { $0.state == "ready" && ($0.serial >= firstSerial || operation.goal != .rolled) })
            let living = UInt32(app.instances.count { $0.process != nil })
            let isStop = operation.goal == .stopped
            let total = max(app.instancesWanted, living)
            let now = (done: isStop ? total - living : min(ready, app.instancesWanted), total: isStop ? total : app.instancesWanted)
            if now != told || ContinuousClock.now - lastReport > heartbeat {
                told = now
                var report = ProgressReport(
                    kind: "progress", text: "\(now.done) of \(now.total) instances " + (isStop ? "stopped" : "ready"))
                (report.done, report.total, report.release) = (now.done, now.total, release)
                emit(report)
            }
            return judge(app, ready: ready)
        }

        private mutating func judge(_ app: AppReport, ready: UInt32) -> Bool? {
            let living = app.instances.count { $0.process != nil }
            switch operation.goal {
            case .stopped:
                guard living == 0 else { return nil }
                lastText = "app \(operation.app): stopped"
                return true
            case .running, .scaled:
                if ready == app.instancesWanted, living == Int(ready), !app.rolling {
                    lastText = "app \(operation.app): \(ready) of \(app.instancesWanted) instances ready"
                    return true
                }
                guard let failed = app.instances.first(where: { $0.failedStarts > 0 }) else { return nil }
                let exit = failed.lastExit.map { " (\($0))" } ?? ""
                lastText = "\(name(slot: failed.slot, serial: failed.serial)) did not become ready\(exit); it is tried again"
                return false
            case .rolled:
                quietLooks = app.rolling ? 0 : quietLooks + 1
                guard quietLooks >= 3 else { return nil }
                lastText = "release \(release) " + (app.release == release ? "runs" : "does not run")
                return app.release == release
            }
        }

        private mutating func end(_ succeeded: Bool, _ steps: AsyncStream<ControlCenter.Happening?>) async {
            if !succeeded { await collectWords(steps) }
            var report = ProgressReport(kind: "result", text: lastText)
            report.succeeded = succeeded
            report.release = operation.goal == .rolled ? release : nil
            if !succeeded {
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
                .lines(request: $0, name: operation.app, count: UInt32(linesMax))
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
