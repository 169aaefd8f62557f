import Foundation
import Synchronization

/// Steady load of keep-alive clients, with every request classified.
///
/// A keep-alive connection that ends between two requests, before any byte of an answer, is counted apart: any HTTP
/// client repeats such a request by itself (RFC 9112 9.3.1), and so does this one. Everything else is a failure.
public final class Load: Sendable {
    /// What the load saw.
    public struct Result: Sendable {
        /// Requests answered with the expected status.
        public var count = 0
        /// Reused connections that were closed before any byte of an answer.
        public var idleCloses = 0
        /// One text per failed request.
        public var failures: [String] = []
        /// The longest time of a request, in seconds.
        public var slowest = 0.0
    }

    private let result = Mutex(Result())
    private let stopping = Atomic(false)
    private let running: Atomic<Int>
    private let port: Int
    private let target: String
    private let pause: UInt32
    private let timeout: Double

    /// Starts `clients` threads that ask for `target` until `finish()`, each pausing `pause` seconds between requests and
    /// waiting `timeout` seconds for each piece of an answer.
    public init(port: Int, target: String = "/load", clients: Int, pause: Double = 0.002, timeout: Double = 30) {
        self.port = port
        self.target = target
        self.pause = UInt32(pause * 1e6)
        self.timeout = timeout
        running = Atomic(clients)
        for _ in 0..<clients {
            Thread.detachNewThread { [self] in
                work()
                running.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    /// Requests answered so far.
    public var count: Int { result.withLock { $0.count } }

    /// Stops the clients and returns what they saw.
    public func finish() -> Result {
        stopping.store(true, ordering: .sequentiallyConsistent)
        if !eventually({ running.load(ordering: .sequentiallyConsistent) == 0 }) {
            result.withLock { $0.failures.append("a client hangs") }
        }
        return result.withLock { $0 }
    }

    private func work() {
        var client: Client?, served = 0
        while !stopping.load(ordering: .relaxed) {
            let start = Deadline.now()
            let receivedBefore = client?.received ?? 0
            do {
                let isFresh = client == nil
                let connection = try client ?? Client(port, timeout: timeout)
                client = connection
                if isFresh { served = 0 }
                try connection.send(Client.head("GET", target))
                let reply = try connection.readReply()
                served += 1
                record(reply, start)
                if reply["Connection"] == "close" {
                    connection.close()
                    client = nil
                }
            } catch {
                // Served before, and closed before any byte of this answer: what HTTP allows a server to do. Silence is not.
                let isClose = (error as? KitError)?.isClose ?? false
                let isIdleClose = served > 0 && isClose && client?.received == receivedBefore
                result.withLock { if isIdleClose { $0.idleCloses += 1 } else { $0.failures.append("\(error)") } }
                client = nil
            }
            if pause > 0 { usleep(pause) }
        }
    }

    private func record(_ reply: Reply, _ start: UInt64) {
        let seconds = Double(Deadline.now() - start) / 1e9
        result.withLock { result in
            if reply.status == 200 { result.count += 1 } else { result.failures.append("status \(reply.status)") }
            result.slowest = max(result.slowest, seconds)
        }
    }
}
