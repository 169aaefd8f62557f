import Messages

/// The last lines of an app's instances, and those that come.
struct AppLog: Sendable {
    let center: ControlCenter
    let app: String

    private static let interval = Duration.milliseconds(300)
    /// All that a keeper has.
    private static let linesMax: UInt32 = 200
    /// Lines that a client may be behind, at least.
    private static let unreadMin = 2_000

    /// - Parameters:
    ///   - count: last lines of each instance.
    ///   - follows: whether to go on with the lines that come.
    /// - Throws: `APIError` when there is no such app.
    func lines(_ count: Int, follows: Bool) async throws -> AsyncStream<LogLineReport> {
        let first = try await ask(UInt32(max(count, 1)), isWhole: true)
        // A client that does not read is waited for with so much; what is older then makes room.
        let room = max(Self.unreadMin, 2 * Int(Self.linesMax) * first.count)
        let (stream, continuation) = AsyncStream.makeStream(of: LogLineReport.self, bufferingPolicy: .bufferingNewest(room))
        var totals: [UInt32: UInt32] = [:]
        var reports: [LogLineReport] = []
        for lines in first {
            totals[lines.serial] = lines.total
            let missing = min(count, Int(lines.total)) - lines.lines.count
            if missing > 0 { reports.append(LogLineReport(instance: name(lines), line: "... \(missing) lines are left out")) }
            reports += lines.lines.suffix(count).map { LogLineReport(instance: name(lines), line: $0) }
        }
        // Each line begins with its time.
        for report in Self.inOrder(reports) { continuation.yield(report) }
        guard follows else {
            continuation.finish()
            return stream
        }
        let known = totals
        let task = Task {
            await follow(known, continuation)
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private func follow(_ known: [UInt32: UInt32], _ output: AsyncStream<LogLineReport>.Continuation) async {
        var totals = known
        var dropped = 0
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
            guard let answer = try? await ask(Self.linesMax, isWhole: false) else { continue }
            var reports: [LogLineReport] = []
            for lines in answer {
                let new = Int(lines.total &- (totals[lines.serial] ?? 0))
                totals[lines.serial] = lines.total
                if new > lines.lines.count, lines.total != 0 {
                    let skipped = new - lines.lines.count
                    reports.append(LogLineReport(instance: name(lines), line: "... \(skipped) lines are left out"))
                }
                reports += lines.lines.suffix(new).map { LogLineReport(instance: name(lines), line: $0) }
            }
            reports = Self.inOrder(reports)
            if dropped > 0, !reports.isEmpty {
                reports.insert(LogLineReport(instance: app, line: "... \(dropped) lines before this one were not read in time"), at: 0)
                dropped = 0
            }
            for report in reports { if case .dropped = output.yield(report) { dropped += 1 } }
            // Instances that are gone need no place.
            let living = Set(answer.map(\.serial))
            totals = totals.filter { living.contains($0.key) }
        }
    }

    /// One answer of each instance. If it is not to be whole, a burst of long lines may come without its first ones, as `total` shows.
    private func ask(_ count: UInt32, isWhole: Bool) async throws -> [AppLines] {
        let reply = try await center.ask { .lines(request: $0, name: app, count: count, isWhole: isWhole) }
        if let error = APIError(reply.answer) { throw error }
        var answers: [AppLines] = []
        for case .lines(_, let lines) in reply.parts {
            // The packets of an instance follow one another.
            if let last = answers.indices.last, answers[last].serial == lines.serial {
                answers[last].lines += lines.lines
                answers[last].total = lines.total
            } else {
                answers.append(lines)
            }
        }
        return answers
    }

    private func name(_ lines: AppLines) -> String { "\(app).\(lines.slot)#\(lines.serial)" }

    /// By time across instances; lines of one instance stay in their order.
    private static func inOrder(_ reports: [LogLineReport]) -> [LogLineReport] {
        func time(_ report: LogLineReport) -> Substring { report.line.prefix { $0 != " " } }
        return reports.enumerated().sorted { left, right in
            (time(left.element), left.offset) < (time(right.element), right.offset)
        }.map(\.element)
    }
}
