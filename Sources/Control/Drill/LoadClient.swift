import NIOCore
import NIOHTTP1
import NIOPosix

/// One client of the drill's load: requests one after the other, on one connection while it lasts, or each on its own.
/// Every fourth is a POST.
struct LoadClient: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    private typealias Writer = NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>

    /// 0 and up: odd ones connect anew for each request.
    let number: Int
    let target: LoadTarget
    let account: LoadAccount
    let group: MultiThreadedEventLoopGroup

    /// Between two requests, and longest wait for an answer: longer than any request may be parked.
    static let pause: Duration = .milliseconds(40)
    static let patience: TimeAmount = .seconds(35)

    private var keepsAlive: Bool { number % 2 == 0 }

    /// Until the account is closed.
    func run() async {
        // So that they do not all come at once.
        try? await Task.sleep(for: Self.pause * number / 64)
        var turn = number
        while await account.isOpen, !Task.isCancelled {
            turn += 1
            let first = await account.begin(isPost: target.isDemo && turn % 4 == 0)
            do {
                let connection = try await connect()
                await converse(connection, first: first, turn: &turn)
            } catch {
                await account.end(first, .refused)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func connect() async throws -> Connection {
        try await ClientBootstrap(group: group).connect(host: target.host, port: target.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                return try Connection(wrappingChannelSynchronously: channel)
            }
        }
    }

    /// Requests on one connection, until it ends or one goes wrong.
    private func converse(_ connection: Connection, first: LoadResult, turn: inout Int) async {
        var current: LoadResult? = first
        var isReused = false
        var next = turn
        try? await connection.executeThenClose { inbound, outbound in
            var answers = inbound.makeAsyncIterator()
            while let request = current {
                let timer = connection.channel.eventLoop.scheduleTask(in: Self.patience) {
                    connection.channel.close(promise: nil)
                }
                var reader = AnswerReader(id: target.isDemo ? request.id : nil)
                do {
                    await send(request, outbound)
                    while reader.ending == nil, let part = try await answers.next() { reader.take(part) }
                } catch {}
                timer.cancel()
                let ending = reader.ending ?? reader.cut(isReused: isReused)
                let isLate = ContinuousClock.now - request.began > .nanoseconds(Self.patience.nanoseconds)
                await account.end(request, isLate ? .timedOut : ending)
                current = nil
                guard keepsAlive, !reader.endsConnection, case .answered = ending else { return }
                isReused = true
                try await Task.sleep(for: Self.pause)
                guard await account.isOpen else { return }
                next += 1
                current = await account.begin(isPost: target.isDemo && next % 4 == 0)
            }
        }
        turn = next
    }

    private func send(_ request: LoadResult, _ outbound: Writer) async {
        var head = HTTPRequestHead(version: .http1_1, method: request.isPost ? .POST : .GET, uri: target.path)
        head.headers.add(name: "Host", value: target.authority)
        head.headers.add(name: "X-Request-Id", value: request.id)
        if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
        let body = ByteBuffer(string: "order \(request.id)")
        if request.isPost { head.headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
        var parts: [HTTPClientRequestPart] = [.head(head)]
        if request.isPost { parts.append(.body(.byteBuffer(body))) }
        // A GET may be answered, and its connection closed, before its end is written here: what came says how it ended.
        try? await outbound.write(contentsOf: parts + [.end(nil)])
    }
}

/// Takes an answer of the demo app part by part.
private struct AnswerReader {
    /// Of the request: the answer repeats it. nil: it does not.
    let id: String?
    /// nil: not complete.
    private(set) var ending: LoadResult.Ending?
    /// The server said that it ends the connection.
    private(set) var endsConnection = false
    private var status = 0
    private var body = ByteBuffer()

    init(id: String?) { self.id = id }

    mutating func take(_ part: HTTPClientResponsePart) {
        switch part {
        case .head(let head):
            status = Int(head.status.code)
            endsConnection = !head.isKeepAlive
        case .body(var bytes): body.writeBuffer(&bytes)
        case .end:
            let isOurs = status >= 300 || id.map { String(buffer: body).contains(" \($0)\n") } ?? true
            ending = isOurs ? .answered(status: status) : .mistaken
        }
    }

    /// The connection ended before the answer did.
    func cut(isReused: Bool) -> LoadResult.Ending { status != 0 ? .truncated : isReused ? .idleClosed : .reset }
}
