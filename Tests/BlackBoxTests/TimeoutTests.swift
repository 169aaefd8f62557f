import Foundation
import Testing
import TestKit

@Suite("A time-out", .blocking)
struct Timeouts {
    @Test("while waiting for an answer is a 504")
    func readTimeout() throws {
        let origin = try Origin { _ in .silence }
        let site = try Site(origin, location: "proxy_read_timeout 200ms;")
        defer { site.stop() }
        var status = 0
        let seconds = try secondsTaken { status = try site.get().status }
        #expect(status == 504)
        #expect(seconds > 0.15 && seconds < 10)
        #expect(site.gateway.waitForError(
            "upstream timed out (110: Connection timed out) while reading response header from upstream, client: 127.0.0.1"))
        #expect(site.gateway.accessLines(1)[0].contains("\" 504 "))
    }

    @Test("while connecting is a 504")
    func connectTimeout() throws {
        // A listener whose queue is full answers no SYN.
        let stuck = try FullListener()
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(stuck.port); proxy_connect_timeout 200ms; }")
        defer { site.stop() }
        var status = 0
        let seconds = try secondsTaken { status = try site.get().status }
        #expect(status == 504)
        #expect(seconds > 0.15 && seconds < 10)
        #expect(site.gateway.waitForError("upstream timed out (110: Connection timed out) while connecting to upstream"))
    }

    @Test("in the middle of an answer cuts it off")
    func midBody() throws {
        let origin = try Origin { _ in .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")), .silence]) }
        let site = try Site(origin, location: "proxy_read_timeout 200ms;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        let (bytes, how) = client.drain(seconds: 20)
        #expect(how == .end || how == .reset)
        #expect(bytes.text.contains("Content-Length: 9\r\n"), "and the client can see that it was")
        #expect(site.gateway.waitForError("upstream timed out (110: Connection timed out) while reading upstream"))
    }

    @Test("is per read: a slow origin that keeps sending is not cut off")
    func steadyTrickle() throws {
        let origin = try Origin { _ in .chunks((0..<5).map { Bytes("\($0)") }, pause: 0.5) }
        let site = try Site(origin, location: "proxy_read_timeout 2s;")
        defer { site.stop() }
        #expect(try site.get().text == "01234", "2.5 seconds in all, but none of its pauses is as long as two")
    }

    @Test("of a head that never ends closes the connection (408)")
    func slowHead() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "client_header_timeout 300ms;")
        defer { site.stop() }
        let client = try site.client()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n")
        // A byte now and then does not buy more time: it ends although they go on.
        let hasEnded = eventually(within: 20) {
            usleep(60_000)
            try? client.send("X")
            return site.gateway.accessLog.contains(" 408 ")
        }
        #expect(hasEnded)
        let (bytes, how) = client.drain(seconds: 20)
        #expect(how == .end || how == .reset)
        #expect(bytes.isEmpty || bytes.text.hasPrefix("HTTP/1.1 408 "))
        #expect(origin.requests.isEmpty)
    }

    @Test("of a slow crowd leaves everybody else unharmed")
    func slowLoris() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "client_header_timeout 500ms;")
        defer { site.stop() }
        let crowd = try (0..<100).map { _ in try site.client() }
        try crowd.forEach { try $0.send("GET / HTTP/1.1\r\nHo") }
        #expect(try site.get().text == "x")
        #expect(crowd.allSatisfy { $0.drain(seconds: 20).how != .timeout })
        #expect(try site.get().text == "x")
    }

    @Test("of a client that does not read closes the connection")
    func sendTimeout() throws {
        let body = Bytes.patterned(6_000_000)
        let origin = try Origin { _ in .answer(body: body) }
        let site = try Site(origin, location: "proxy_max_temp_file_size 0;", server: "send_timeout 300ms;")
        defer { site.stop() }
        let client = try Client(site.port, receiveBuffer: 4_096)
        try client.send(Client.head("GET", "/"))
        #expect(site.gateway.accessLines(1).count == 1, "the request is over although the client read nothing")
    }
}

/// Listens with the smallest queue and fills it, so that further connection attempts get no answer.
private final class FullListener {
    let port = Ports.free()
    private var fillers: [Int32] = []
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, size) == 0, listen(listener, 0) == 0 else { throw KitError("cannot listen") }
                for _ in 0..<4 {
                    let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | O_NONBLOCK, 0)
                    connect(filler, address, size)
                    fillers.append(filler)
                }
            }
        }
        usleep(20_000)
    }

    deinit {
        fillers.forEach { close($0) }
        close(listener)
    }
}
