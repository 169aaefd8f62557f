import Config
import Foundation
import HTTPTypes
import Messages
import Pattern

/// What the control process knows, and its conversation with the supervisor: each request with its answer, and who listens to events.
actor ControlCenter {
    /// An answer with the parts that came before it.
    struct Reply: Sendable {
        var parts: [ControlCommand] = []
        var answer: ControlAnswer
    }

    private struct Waiting {
        var parts: [ControlCommand] = []
        var continuation: CheckedContinuation<Reply, any Error>
    }

    /// What happens to apps.
    enum Happening: Sendable {
        case event(AppEvent)
        case lastLines(app: String, AppLines)
    }

    /// Longest time for an answer; the supervisor answers at once, unless it is being stopped with a debugger.
    static let answerTimeout = Duration.seconds(10)
    /// Requests that may wait at one time.
    static let waitingMax = 256
    /// Events that a slow listener may be behind.
    static let eventsMax = 4096

    private let sinks: [any AttemptSink]
    private var channel: SupervisorChannel?
    /// Whom this process serves; set before the first request.
    private(set) var hello: ControlHello?
    /// The configuration in force; nil when it could not be read here.
    private(set) var configuration: Configuration?
    /// When the supervisor answered last.
    private(set) var lastAnswer: ContinuousClock.Instant?
    private var nextRequest: UInt32 = 1
    private var waiting: [UInt32: Waiting] = [:]
    private var listeners: [Int: AsyncStream<Happening>.Continuation] = [:]
    private var nextListener = 0

    init(sinks: [any AttemptSink]) { self.sinks = sinks }

    /// Takes everything from the supervisor until it is gone.
    /// - Parameter ready: called once, when the supervisor has said whom to serve.
    func follow(_ channel: SupervisorChannel, ready: @Sendable (ControlHello) -> Void) async {
        self.channel = channel
        for sink in sinks { await sink.connect(channel) }
        channel.start()
        for await delivery in channel.deliveries {
            await take(delivery)
            channel.taken()
            if case .hello(let hello) = delivery.command { ready(hello) }
        }
    }

    private func take(_ delivery: SupervisorChannel.Delivery) async {
        switch delivery.command {
        case .hello(let hello): self.hello = hello
        case .configuration:
            await read(bundle: delivery.descriptors[0])
            for descriptor in delivery.descriptors { ChannelSystem.close(descriptor) }
        case .attempt(let record): for sink in sinks { await sink.take(record) }
        case .failures(let tally): for sink in sinks { await sink.take(tally) }
        case .event(let event):
            for listener in listeners.values { listener.yield(.event(event)) }
            for sink in sinks { await sink.take(event) }
        case .lastLines(let app, let lines):
            for listener in listeners.values { listener.yield(.lastLines(app: app, lines)) }
            for sink in sinks { await sink.take(lines, of: app) }
        case .overview(let request, _), .workers(let request, _), .app(let request, _), .instances(let request, _, _),
            .peers(let request, _), .lines(let request, _):
            waiting[request]?.parts.append(delivery.command)
        case .answer(let request, let answer):
            guard let waiter = waiting.removeValue(forKey: request) else { return }
            lastAnswer = .now
            waiter.continuation.resume(returning: Reply(parts: waiter.parts, answer: answer))
        }
    }

    private func read(bundle: Int32) async {
        // By its name, so that the supervisor's own position in the file is not shared.
        guard let data = FileManager.default.contents(atPath: "/proc/self/fd/\(bundle)"),
            let recorded = try? ConfigurationBundle(decoding: Array(data))
        else {
            tellSupervisor(.failed("the configuration bundle cannot be read"))
            return
        }
        configuration = Configuration.parse(recorded, patterns: PatternCompiler()).configuration
        guard let configuration else { return }
        for sink in sinks { await sink.configure(configuration) }
    }

    /// Records that came from the supervisor and were dropped here.
    var dropped: UInt64 { channel?.dropped ?? 0 }

    /// Says something that has no answer.
    func tellSupervisor(_ request: ControlRequest) { channel?.send(request) }

    /// Asks the supervisor, and waits for its answer.
    /// - Throws: `APIError` when it does not come in time, or the request cannot be sent.
    func ask(within timeout: Duration = answerTimeout, _ make: (UInt32) -> ControlRequest) async throws -> Reply {
        guard let channel, waiting.count < Self.waitingMax else {
            throw APIError(.serviceUnavailable, "busy", "too many requests wait for the supervisor")
        }
        let number = nextRequest
        nextRequest &+= 1
        let request = make(number)
        let timer = Task {
            try await Task.sleep(for: timeout)
            self.giveUp(number)
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            waiting[number] = Waiting(continuation: continuation)
            guard channel.send(request) else {
                waiting[number] = nil
                continuation.resume(throwing: APIError(.contentTooLarge, "too_large", "the order is too long: at most 32 KB"))
                return
            }
        }
    }

    private func giveUp(_ number: UInt32) {
        waiting.removeValue(forKey: number)?.continuation.resume(
            throwing: APIError(.gatewayTimeout, "timeout", "the supervisor did not answer in time"))
    }

    /// Everything that happens to apps from now on. Ends when the listener goes away.
    func happenings() -> AsyncStream<Happening> {
        let (stream, continuation) = AsyncStream.makeStream(of: Happening.self, bufferingPolicy: .bufferingOldest(Self.eventsMax))
        let number = nextListener
        nextListener += 1
        listeners[number] = continuation
        continuation.onTermination = { _ in Task { await self.remove(listener: number) } }
        return stream
    }

    private func remove(listener: Int) { listeners[listener] = nil }
}
