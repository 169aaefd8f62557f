import Foundation
import Synchronization
import Testing

/// A scripted upstream server on its own port: for each request a closure says how to react.
///
/// It reads requests strictly and keeps a ledger of them, so a test can ask what reached the origin, how often a POST
/// was executed, and how many connections were opened. One thread per connection, all blocking.
public final class Origin: Sendable {
    public typealias Script = @Sendable (Request) -> Reaction

    /// What arrived, framed and complete.
    public struct Request: Sendable {
        public let method: String
        public let target: String
        public let version: String
        public let headers: [(name: String, value: String)]
        public let body: Bytes
        /// The head as received, with its empty line.
        public let head: String
        /// Number of the connection at this origin, from 1.
        public let connection: Int
        /// Number of the request on its connection, from 1.
        public let index: Int
        /// Whether the body came in chunks.
        public let isChunked: Bool

        /// The value of a field, lines joined by ", "; nil when absent.
        public subscript(_ name: String) -> String? {
            let values = headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
    }

    /// How to react to a request.
    public indirect enum Reaction: Sendable {
        /// A complete answer with Content-Length, the connection kept.
        case answer(_ status: String = "200 OK", fields: [String] = [], body: Bytes = [])
        /// Exactly these bytes; the connection is kept.
        case bytes(Bytes)
        /// Chunks with a pause in seconds before each, then the last chunk.
        case chunks([Bytes], pause: Double = 0, fields: [String] = [])
        /// Head and body of the request come back as the body of the answer.
        case echo
        /// Waits so many seconds first.
        case delay(Double, Reaction)
        /// Reacts one after the other.
        case sequence([Reaction])
        /// Ends the connection properly (FIN).
        case close
        /// Ends it by a reset (RST).
        case reset
        /// Says nothing more, until the other side goes away or the origin stops.
        case silence
        /// Hands the connection to a closure, and closes it afterwards.
        case takeOver(@Sendable (Client) throws -> Void)
    }

    /// What the threads share with the handle. They hold only this, so a test that drops its origin ends them.
    private final class Core: Sendable {
        let state = Mutex(State())
        let script: Script
        let raw: (@Sendable (Client) throws -> Void)?

        init(_ script: @escaping Script, raw: (@Sendable (Client) throws -> Void)? = nil) {
            self.script = script
            self.raw = raw
        }
    }

    private struct State {
        var listener: Int32 = -1
        var sockets: [Int: Socket] = [:]
        var requests: [Request] = []
        var malformed: [String] = []
        var connections = 0
    }

    public let port: Int
    private let core: Core
    private let unixPath: String?

    /// Listens on `port` (by default a free one) or on a unix path.
    public init(port: Int? = nil, unixPath: String? = nil, listening: Bool = true, _ script: @escaping Script) throws {
        self.port = port ?? Ports.free()
        self.unixPath = unixPath
        core = Core(script)
        if listening { try start() }
    }

    /// An origin that gives the same 200 answer to everything.
    public convenience init(answer: String) throws {
        try self.init { _ in .answer(body: Bytes(answer)) }
    }

    /// An origin that knows nothing of requests.
    init(raw: @escaping @Sendable (Client) throws -> Void) throws {
        port = Ports.free()
        unixPath = nil
        core = Core({ _ in .close }, raw: raw)
        try start()
    }

    deinit { stop() }

    /// Every complete request so far, in order of arrival.
    public var requests: [Request] { core.state.withLock { $0.requests } }
    /// Bytes that were no strict HTTP/1.1 request.
    public var malformed: [String] { core.state.withLock { $0.malformed } }
    /// Connections accepted so far.
    public var connections: Int { core.state.withLock { $0.connections } }
    /// Connections open now.
    public var openConnections: Int { core.state.withLock { $0.sockets.count } }
    /// The last request; records an issue when none has arrived.
    public var last: Request {
        if let last = requests.last { return last }
        Issue.record("no request reached the origin")
        return Request(method: "", target: "", version: "", headers: [], body: [], head: "", connection: 0, index: 0, isChunked: false)
    }

    /// Starts to listen (again).
    public func start() throws {
        let family = unixPath == nil ? AF_INET : AF_UNIX
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var bound: Int32
        if let unixPath {
            unlink(unixPath)
            var address = unixAddress(unixPath)
            bound = withSocketAddress(&address) { bind(descriptor, $0, $1) }
            chmod(unixPath, 0o666)
        } else {
            var address = Socket.loopback(port: port)
            bound = withSocketAddress(&address) { bind(descriptor, $0, $1) }
        }
        if bound == 0 { bound = listen(descriptor, 1024) }
        guard bound == 0 else { throw KitError("origin cannot listen on \(unixPath ?? String(port)): \(errnoText())") }
        core.state.withLock { $0.listener = descriptor }
        let core = core
        Thread.detachNewThread { Origin.acceptLoop(descriptor, core) }
    }

    /// Refuses new connections and drops the open ones, as a killed process does.
    public func stop() {
        let (listener, sockets) = core.state.withLock { state in
            defer { state.listener = -1 }
            return (state.listener, Array(state.sockets.values))
        }
        if listener >= 0 {
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
        sockets.forEach { $0.interrupt() }
    }

    /// Drops the open connections and keeps listening, as a server does with idle ones.
    public func dropConnections() { core.state.withLock { Array($0.sockets.values) }.forEach { $0.interrupt() } }

    /// Waits until at least `count` requests have arrived.
    public func waitForRequests(_ count: Int, seconds: Double = 30) -> Bool {
        eventually(within: seconds) { requests.count >= count }
    }

    private static func acceptLoop(_ listener: Int32, _ core: Core) {
        while true {
            // Close-on-exec from the first moment: another test may start a process between two calls.
            let descriptor = acceptWithFlags(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
            if descriptor < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            let socket = Socket(adopting: descriptor)
            let number = core.state.withLock { state in
                state.connections += 1
                state.sockets[state.connections] = socket
                return state.connections
            }
            Thread.detachNewThread {
                Origin.serve(Client(socket, timeout: 60), number, core)
                socket.close()
                core.state.withLock { _ = $0.sockets.removeValue(forKey: number) }
            }
        }
    }

    private static func serve(_ client: Client, _ number: Int, _ core: Core) {
        if let raw = core.raw { return (try? raw(client)) ?? () }
        for index in 1... {
            do {
                guard let request = try Request.read(client, connection: number, index: index) else { return }
                core.state.withLock { $0.requests.append(request) }
                guard try core.script(request).perform(on: client, request) else { return }
            } catch {
                core.state.withLock { $0.malformed.append("\(error)") }
                return
            }
        }
    }
}

extension Origin.Request {
    /// Reads one request; nil when the connection ended before its first byte.
    static func read(_ client: Client, connection: Int, index: Int) throws -> Origin.Request? {
        guard let first = client.nextByte() else { return nil }
        let head = try [first] + client.readUntil("\r\n\r\n")
        let (start, headers) = try Reply.parseHead(head)
        let words = start.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3 else { throw KitError("bad request line: \(start)") }
        func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }
        let lengths = values("content-length"), codings = values("transfer-encoding")
        guard lengths.count <= 1, lengths.isEmpty || codings.isEmpty, values("host").count <= 1 else {
            throw KitError("ambiguous request: \(head.text)")
        }
        var body = Bytes()
        if !codings.isEmpty {
            guard codings == ["chunked"] else { throw KitError("unknown coding: \(codings)") }
            body = try client.readChunked()
        } else if let length = lengths.first {
            guard let count = Int(length) else { throw KitError("bad length: \(length)") }
            body = try client.readExactly(count)
        }
        return Origin.Request(method: words[0], target: words[1], version: words[2], headers: headers, body: body, head: head.text,
                              connection: connection, index: index, isChunked: !codings.isEmpty)
    }
}

extension Origin.Reaction {
    /// Carries it out; false when the connection is over.
    func perform(on client: Client, _ request: Origin.Request) throws -> Bool {
        switch self {
        case .answer(let status, let fields, let body):
            let head = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + fields
            try client.send(Bytes(head.joined(separator: "\r\n") + "\r\n\r\n") + (request.method == "HEAD" ? [] : body))
            return true
        case .bytes(let bytes):
            try client.send(bytes)
            return true
        case .chunks(let chunks, let pause, let fields):
            let head = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"] + fields
            try client.send(Bytes(head.joined(separator: "\r\n") + "\r\n\r\n"))
            for chunk in chunks {
                if pause > 0 { usleep(UInt32(pause * 1e6)) }
                try client.send(Bytes(String(chunk.count, radix: 16) + "\r\n") + chunk + [13, 10])
            }
            try client.send("0\r\n\r\n")
            return true
        case .echo:
            return try Origin.Reaction.answer(body: Bytes(request.head) + request.body).perform(on: client, request)
        case .delay(let seconds, let then):
            usleep(UInt32(seconds * 1e6))
            return try then.perform(on: client, request)
        case .sequence(let reactions):
            return try reactions.allSatisfy { try $0.perform(on: client, request) }
        case .close: return false
        case .reset:
            client.reset()
            return false
        case .silence:
            _ = client.drain(seconds: 30)
            return false
        case .takeOver(let body):
            try body(client)
            return false
        }
    }
}

/// accept4(2): Glibc's module does not show it, because it needs _GNU_SOURCE.
@_silgen_name("accept4")
private func acceptWithFlags(
    _ socket: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?, _ flags: Int32
) -> Int32
