import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// The commands' side of the API: one request over the control socket.
struct ControlClient {
    let path: String

    /// Bytes of one line of an answer, or of an answer that is no stream.
    private static let bytesMax = 64 << 20
    /// How often a question is asked when its connection is lost.
    private static let attemptsMax = 3

    /// An answer whose body comes line by line.
    struct Answer {
        var status: Int
        var body: [UInt8]
    }

    /// Asks for a value.
    /// - Throws: `ClientError`, in words for people.
    func get<Value: Decodable>(_: Value.Type, _ resource: String) async throws -> Value {
        let answer = try await send(.GET, resource)
        return try APICoding.decoder.decode(Value.self, from: Data(answer.body))
    }

    /// Sends a request and waits for the whole answer.
    /// - Parameter each: gets every complete line as it comes; with it, the body of the answer stays empty when the status is a success.
    @discardableResult
    func send(
        _ method: HTTPMethod, _ resource: String, body: Data? = nil, each: (([UInt8]) throws -> Void)? = nil
    ) async throws -> Answer {
        var attemptsLeft = method == .GET ? Self.attemptsMax : 1
        var hasDelivered = false
        let deliver = each.map { each in { (line: [UInt8]) in hasDelivered = true; try each(line) } }
        while true {
            attemptsLeft -= 1
            do {
                let answer = try await sendOnce(method, resource, body: body, each: deliver)
                guard (200..<300).contains(answer.status) else { throw ClientError(answer) }
                return answer
            } catch let error as ClientError where error.isLostConnection && attemptsLeft > 0 && !hasDelivered {
                // A control process that ends (a reload, an upgrade) takes connections it does not serve any more; the next one is there.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func sendOnce(
        _ method: HTTPMethod, _ resource: String, body: Data?, each: (([UInt8]) throws -> Void)?
    ) async throws -> Answer {
        let channel = try await connect()
        var complete: Answer?
        do {
            try await channel.executeThenClose { inbound, outbound in
                complete = try await Self.converse(inbound, outbound, method, resource, body, each)
            }
        } catch where error is ChannelError || error is IOError || error is HTTPParserError {
            // The server closes too, and may be first.
            if complete == nil { throw ClientError(lost: "the connection to the control process broke: \(error)") }
        }
        guard let complete else { throw ClientError(lost: "the control process did not answer") }
        return complete
    }

    private static func converse(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>, _ method: HTTPMethod, _ resource: String, _ body: Data?,
        _ each: (([UInt8]) throws -> Void)?
    ) async throws -> Answer {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: resource)
        head.headers.add(name: "Host", value: "goodgate")
        head.headers.add(name: "Connection", value: "close")
        if let body {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: "\(body.count)")
        }
        var parts: [HTTPClientRequestPart] = [.head(head)]
        if let body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
        parts.append(.end(nil))
        // The server may answer, and close, as soon as it has the head: then the end finds a closed connection, and the answer is there.
        do { try await outbound.write(contentsOf: parts) } catch where error is ChannelError || error is IOError {}
        return try await read(inbound, each: each)
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, each: (([UInt8]) throws -> Void)?
    ) async throws -> Answer {
        var answer = Answer(status: 0, body: [])
        for try await part in inbound {
            switch part {
            case .head(let head): answer.status = Int(head.status.code)
            case .body(let buffer):
                answer.body += buffer.readableBytesView
                guard answer.body.count <= bytesMax else { throw ClientError("the answer of the control process is too large") }
                guard let each, (200..<300).contains(answer.status) else { continue }
                while let end = answer.body.firstIndex(of: UInt8(ascii: "\n")) {
                    try each(Array(answer.body[..<end]))
                    answer.body.removeSubrange(...end)
                }
            case .end: return answer
            }
        }
        throw ClientError(lost: "the control process ended before its answer was complete")
    }

    private func connect() async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
        do {
            return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
        } catch SocketAddressError.unixDomainSocketPathTooLong {
            throw ClientError("the path of the control socket is too long for one: \"\(path)\"")
        } catch let error as IOError {
            throw ClientError(connecting: path, error.errnoCode)
        }
    }
}

/// Why a command could not be done, in words for people.
struct ClientError: Error, Equatable, CustomStringConvertible {
    /// The API's word for it; nil when there was no answer.
    var kind: String?
    var message: String
    /// The connection ended before the answer did.
    var isLostConnection = false

    var description: String { message }

    init(_ message: String) { self.message = message }

    init(lost message: String) {
        self.message = message
        isLostConnection = true
    }

    init(_ answer: ControlClient.Answer) {
        let body = try? APICoding.decoder.decode(APIError.Body.self, from: Data(answer.body))
        kind = body?.error
        message = body?.message ?? "the control process answered with status \(answer.status)"
    }

    init(connecting path: String, _ code: Int32) {
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        if let type = facts?[.type] as? FileAttributeType, type != .typeSocket {
            message = "\"\(path)\" is no socket"
            return
        }
        switch code {
        case ENOENT, ECONNREFUSED:
            message =
                "nothing listens at the control socket \"\(path)\": is goodgate running, and does its configuration say \"app\" or "
                + "\"control\"? Another socket is named by --control or GOODGATE_CONTROL"
        case EACCES, EPERM:
            message = "the control socket \"\(path)\" is not yours: run this as root, or as the user of goodgate"
        default: message = "the control socket \"\(path)\" cannot be used: \(ChannelSystem.errorText(code))"
        }
    }
}
