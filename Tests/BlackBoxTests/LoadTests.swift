import Testing
import TestKit

/// The judge of every "no failed request" below: what it must not take for harmless.
@Suite("The load of the tests", .blocking)
struct LoadTests {
    /// What a load of one client sees of an origin that answers once on a connection and then does this.
    private func result(_ reaction: Origin.Reaction) throws -> Load.Result {
        let answered = Box(0)
        let origin = try Origin { _ in
            answered.value += 1
            return answered.value == 1 ? .answer() : reaction
        }
        var timeout = 30.0
        if case .silence = reaction { timeout = 0.2 }
        let load = Load(port: origin.port, clients: 1, timeout: timeout)
        #expect(eventually { answered.value > 1 })
        return load.finish()
    }

    @Test("counts a close between requests apart") func idleClose() throws {
        let result = try result(.close)
        #expect(result.idleCloses == 1)
        // A new connection that is closed at once is a failure.
        #expect(result.failures.allSatisfy { $0.contains("end of stream") })
    }

    @Test("takes silence for a failure") func silence() throws {
        let result = try result(.silence)
        #expect(result.idleCloses == 0)
        #expect(result.failures.first?.contains("timed out") == true)
    }

    @Test("takes an answer that is cut for a failure", arguments: [
        "HTTP/1.1 200 OK\r\nContent", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    ])
    func cut(_ bytes: String) throws {
        let result = try result(.sequence([.bytes(Bytes(bytes)), .close]))
        #expect(result.idleCloses == 0)
        #expect(result.failures.first?.contains("end of stream") == true)
    }

    @Test("takes another status for a failure") func status() throws {
        let result = try result(.answer("502 Bad Gateway"))
        #expect(result.failures.first == "status 502")
    }
}
