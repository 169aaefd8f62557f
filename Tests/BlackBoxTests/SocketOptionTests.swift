import Foundation
import Glibc
import Testing
import TestKit

/// Sockets of another process, taken to read their options back.
private struct ForeignSockets {
    let descriptors: [Int32]

    /// All stream sockets of a process.
    init(of process: pid_t) {
        let handle = pidfdOpen(process, 0)
        defer { Glibc.close(handle) }
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
        descriptors = numbers.compactMap { number -> Int32? in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(number)")
            guard target?.hasPrefix("socket:") == true, let number = Int32(number) else { return nil }
            let copy = pidfdGet(handle, number, 0)
            return copy < 0 ? nil : copy
        }
    }

    func close() { descriptors.forEach { Glibc.close($0) } }

    /// Whether this process may take what belongs to others; the first process is asked.
    static let isPossible: Bool = {
        let handle = pidfdOpen(1, 0)
        guard Target.isRoot, handle >= 0 else { return false }
        defer { Glibc.close(handle) }
        let copy = pidfdGet(handle, 0, 0)
        guard copy < 0 else { return Glibc.close(copy) == 0 }
        return errno == EBADF
    }()

    /// The port that a socket is bound to, or connected to.
    static func port(_ descriptor: Int32, ofPeer: Bool = false) -> Int? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer -> Int? in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general -> Int? in
                guard (ofPeer ? getpeername : getsockname)(descriptor, general, &size) == 0 else { return nil }
                guard [AF_INET, AF_INET6].contains(Int32(general.pointee.sa_family)) else { return nil }
                // The port is at the same place in both families.
                return general.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Int(UInt16(bigEndian: $0.pointee.sin_port)) }
            }
        }
    }

    static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, level, name, &value, &size) == 0 ? Int(value) : nil
    }

    /// The backlog of a listening socket (`tcpi_sacked` of its TCP_INFO).
    static func backlog(_ descriptor: Int32) -> Int? {
        var words = [UInt32](repeating: 0, count: 26)
        var size = socklen_t(words.count * 4)
        return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &words, &size) == 0 ? Int(words[7]) : nil
    }
}

/// Glibc's module shows neither.
@_silgen_name("pidfd_open")
private func pidfdOpen(_ process: pid_t, _ flags: UInt32) -> Int32
@_silgen_name("pidfd_getfd")
private func pidfdGet(_ handle: Int32, _ descriptor: Int32, _ flags: UInt32) -> Int32

@Suite("Options of sockets", .blocking, .enabled(if: ForeignSockets.isPossible, "needs root: other processes' sockets"))
struct SocketOptions {
    private static let tcp = Int32(IPPROTO_TCP)

    /// What a listening socket is to have.
    private struct Expected {
        var backlog = 511
        var fastOpen = 0
        var isDeferred = false
        var keepalive: [Int] = [0]
        var receive: Int?
        var send: Int?
    }

    private func check(_ gateway: GatewayProcess, _ port: Int, _ expected: Expected) {
        let process = gateway.process.pid
        /// nil: as it is to be.
        func difference() -> String? {
            let sockets = ForeignSockets(of: process)
            defer { sockets.close() }
            guard let socket = sockets.descriptors.first(where: { ForeignSockets.port($0) == port }) else { return "not there" }
            var found: [String] = []
            func compare(_ name: String, _ value: Int?, _ wanted: Int?) {
                if let wanted, value != wanted { found.append("\(name) is \(value.map(String.init) ?? "unknown"), not \(wanted)") }
            }
            compare("backlog", ForeignSockets.backlog(socket), expected.backlog)
            compare("fastopen", ForeignSockets.option(socket, Self.tcp, TCP_FASTOPEN), expected.fastOpen)
            compare("deferred", (ForeignSockets.option(socket, Self.tcp, TCP_DEFER_ACCEPT) ?? 0) > 0 ? 1 : 0, expected.isDeferred ? 1 : 0)
            let names = [(SOL_SOCKET, SO_KEEPALIVE), (Self.tcp, TCP_KEEPIDLE), (Self.tcp, TCP_KEEPINTVL), (Self.tcp, TCP_KEEPCNT)]
            for (name, wanted) in zip(names, expected.keepalive) {
                compare("keepalive \(name)", ForeignSockets.option(socket, name.0, name.1), wanted)
            }
            // The kernel doubles what it is told.
            compare("rcvbuf", ForeignSockets.option(socket, SOL_SOCKET, SO_RCVBUF), expected.receive.map { 2 * $0 })
            compare("sndbuf", ForeignSockets.option(socket, SOL_SOCKET, SO_SNDBUF), expected.send.map { 2 * $0 })
            return found.isEmpty ? nil : found.joined(separator: ", ")
        }
        #expect(eventually { difference() == nil }, "port \(port): \(difference() ?? "")")
    }

    @Test("of listen are set, and set anew by a reload")
    func listen() throws {
        let ports = (0..<4).map { _ in Ports.free() }
        func http(_ options: [String]) -> String {
            zip(ports, options).map { "server { listen 127.0.0.1:\($0) \($1); return 200; }" }.joined(separator: "\n")
        }
        let gateway = try GatewayProcess(http: http([
            "", "backlog=33 rcvbuf=20k sndbuf=30k", "fastopen=7 deferred", "so_keepalive=600s:20s:5",
        ]))
        defer { gateway.stop() }
        check(gateway, ports[0], Expected())
        check(gateway, ports[1], Expected(backlog: 33, receive: 20_480, send: 30_720))
        check(gateway, ports[2], Expected(fastOpen: 7, isDeferred: true))
        check(gateway, ports[3], Expected(keepalive: [1, 600, 20, 5]))
        try gateway.rewrite(http: http(["so_keepalive=on", "backlog=44 rcvbuf=40k", "fastopen=9", "so_keepalive=off"]))
        gateway.signal(SIGHUP)
        check(gateway, ports[0], Expected(keepalive: [1]))
        check(gateway, ports[1], Expected(backlog: 44, receive: 40_960))
        check(gateway, ports[2], Expected(fastOpen: 9))
        check(gateway, ports[3], Expected(keepalive: [0]))
        for port in ports { #expect(try Client.get(port).status == 200) }
    }

    @Test("of listen on IPv6: ipv6only, on unless it is off", .enabled(if: Ports.haveIPv6, "no IPv6 here"))
    func ipv6Only() throws {
        let (only, both) = (Ports.free(), Ports.free())
        let gateway = try GatewayProcess(http: "server { listen [::1]:\(only); listen [::1]:\(both) ipv6only=off; return 200; }")
        defer { gateway.stop() }
        let sockets = ForeignSockets(of: gateway.process.pid)
        defer { sockets.close() }
        for (port, value) in [(only, 1), (both, 0)] {
            let socket = try #require(sockets.descriptors.first { ForeignSockets.port($0) == port })
            #expect(ForeignSockets.option(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == value, "\(value)")
        }
    }

    @Test("to an upstream: proxy_socket_keepalive")
    func upstream() throws {
        let (plain, kept) = (try Origin(answer: "x"), try Origin(answer: "x"))
        let site = try Site(
            http: """
                upstream plain { server 127.0.0.1:\(plain.port); keepalive 1; }
                upstream kept { server 127.0.0.1:\(kept.port); keepalive 1; }
                """,
            server: """
                \(Site.keepAlive)
                location /plain { proxy_pass http://plain; } location /kept { proxy_socket_keepalive on; proxy_pass http://kept; }
                """)
        defer { site.stop() }
        #expect(eventually { site.gateway.workers.count == 1 })
        let worker = try #require(site.gateway.workers.first)
        for (path, origin, isOn) in [("/plain", plain, 0), ("/kept", kept, 1)] {
            #expect(try site.get(path).text == "x")
            let sockets = ForeignSockets(of: worker)
            defer { sockets.close() }
            let socket = try #require(sockets.descriptors.first { ForeignSockets.port($0, ofPeer: true) == origin.port })
            #expect(ForeignSockets.option(socket, SOL_SOCKET, SO_KEEPALIVE) == isOn, "\(path)")
        }
    }
}
