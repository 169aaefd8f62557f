import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// The application behind `goodgate demo-app`: HTTP/1.1, one thread.
struct DemoApp: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    let state: DemoAppState
    /// How it calls itself in its answers.
    let name: String

    /// Serves until the process ends.
    func run(at address: DemoAppAddress, backlog: Int32) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let server: NIOAsyncChannel<Connection, Never>
        switch address {
        case .descriptor(let number):
            server = try await bootstrap.bind(number, cleanupExistingSocketFile: false, childChannelInitializer: Self.prepare)
        case .unix(let path):
            server = try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: Self.prepare)
        case .tcp(let host, let port):
            server = try await bootstrap.bind(host: host, port: port, childChannelInitializer: Self.prepare)
        }
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { try? await serve(connection) }
                }
            }
        }
    }

    private static func prepare(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(IdleCloser())
            return try Connection(wrappingChannelSynchronously: channel)
        }
    }

    private func serve(_ connection: Connection) async throws {
        let channel = connection.channel
        try await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var bodyLength = 0
            for try await part in inbound {
                switch part {
                case .head(let next): (head, bodyLength) = (next, 0)
                case .body(let bytes): bodyLength += bytes.readableBytes
                case .end:
                    guard let request = head else { return }
                    let fate = await state.begin()
                    if fate.isDropped { return }
                    let answer = try await answer(request, bodyLength: bodyLength)
                    try await send(answer, request, outbound)
                    if !request.isKeepAlive { return }
                    if let time = fate.idleMilliseconds {
                        try await channel.triggerUserOutboundEvent(IdleCloser.After(time: .milliseconds(time)))
                    }
                }
            }
        }
    }

    private func send(
        _ answer: Answer, _ request: HTTPRequestHead, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        let body = ByteBuffer(string: answer.text)
        var head = HTTPResponseHead(version: .http1_1, status: answer.status)
        head.headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        // In one write: whoever is killed between head and body leaves an answer that nobody can repeat.
        let hasBody = request.method != .HEAD
        try await outbound.write(contentsOf: [.head(head)] + (hasBody ? [.body(.byteBuffer(body))] : []) + [.end(nil)])
    }

    private struct Answer {
        var status: HTTPResponseStatus = .ok
        var text: String
    }

    private func answer(_ request: HTTPRequestHead, bodyLength: Int) async throws -> Answer {
        let target = URLComponents(string: request.uri)
        let id = request.headers.first(name: "X-Request-Id") ?? ""
        let who = "\(name): \(request.method.rawValue) \(request.uri), \(bodyLength) bytes of body \(id)\n"
        func number(_ key: String) -> Int {
            target?.queryItems?.first { $0.name == key }?.value.flatMap { Int($0) } ?? 0
        }
        if request.method == .POST {
            try await state.execute(id)
            return Answer(status: .created, text: who)
        }
        switch target?.path {
        case "/health": return Answer(text: "well\n")
        case "/slow": try await Task.sleep(for: .milliseconds(max(0, number("ms"))))
        case "/eat": await state.eat(megabytes: number("mb"))
        case "/faults": await state.setFaults(closeEvery: number("close_every"), idleClose: number("idle_close"))
        case "/crash": Foundation.exit(1)
        default: break
        }
        return Answer(text: who)
    }
}
