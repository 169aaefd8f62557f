import Foundation
import NIOHTTP1
import Testing
import TestKit

@testable import Control

@Suite("A command's question to the control process", .blocking)
struct ControlClientTests {
    /// A control process that ends closes connections that it will not serve any more.
    @Test("is asked again when the connection is lost before the answer, if it changes nothing", arguments: [
        (HTTPVerb.get, 2, true), (.get, 3, false), (.post, 1, false),
    ])
    func lostConnection(_ verb: HTTPVerb, _ losses: Int, _ isAnswered: Bool) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/control.sock"
        let origin = try Origin(unixPath: path) { $0.connection <= losses ? .close : .answer(body: Bytes("{}")) }
        let client = ControlClient(path: path)
        if isAnswered {
            #expect(try await client.send(verb.method, "/v1/status").status == 200)
        } else {
            await #expect(throws: ClientError.self) { try await client.send(verb.method, "/v1/status") }
        }
        #expect(origin.requests.count == (isAnswered ? losses + 1 : verb == .get ? 3 : 1))
    }

    @Test("is not asked again after a part of a stream was delivered")
    func halfStream() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/control.sock"
        let origin = try Origin(unixPath: path) { _ in
            .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\n")), .close])
        }
        var lines: [String] = []
        await #expect(throws: ClientError.self) {
            try await ControlClient(path: path).send(.GET, "/v1/logs") { lines.append(String(decoding: $0, as: UTF8.self)) }
        }
        #expect(lines == ["one"])
        #expect(origin.requests.count == 1)
    }

    enum HTTPVerb: Sendable {
        case get, post
        var method: NIOHTTP1.HTTPMethod { self == .get ? .GET : .POST }
    }
}
