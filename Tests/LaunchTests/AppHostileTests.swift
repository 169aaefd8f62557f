import Config
import Glibc
import Machine
import Testing

@testable import Supervisor

/// What an app does with names that are its own to choose must not become the deed of a supervisor that may more than it.
@Suite("An app that is not to be trusted")
struct AppHostileTests {
    /// A socket of somebody else, which others than its owner cannot use.
    private static func foreignSocket(at path: String) throws -> Descriptor {
        let address = NetworkAddress.unix(Array(path.utf8))
        let socket = try System.streamSocket(for: address)
        try System.bind(socket.number, to: address)
        try System.listen(socket.number, backlog: 8)
        try System.changeMode(path, to: 0o600)
        return socket
    }

    @Test("listen unix: what is no socket of its own at $SOCKET_PATH is neither opened to others nor dialled", arguments: [
        ("os.symlink(sys.argv[1], path)", "is a symbolic link: it is not used"),
        ("open(path, 'w')", "is no socket: it is not used"),
        ("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(path); os.chmod(path, 0o600)", ""),
        // A hard link, where the kernel lets it: the test's own, as root.
        ("", "belongs to user 0, not to user"),
    ])
    func foreignSocket(deed: String, words: String) throws {
        let isLinked = deed.isEmpty
        if isLinked, !System.isRoot { return }
        let host = try TestHost()
        defer { host.finish() }
        let foreign = host.directory.path + "/foreign"
        let socket = try Self.foreignSocket(at: foreign)
        defer { withExtendedLifetime(socket) {} }
        let program = host.directory.file("api.py", """
            import os, socket, sys, time
            path = os.environ["SOCKET_PATH"]
            \(deed)
            time.sleep(60)

            """)
        var specification = AppSpecification(name: "api", command: ["/usr/bin/python3", program, foreign])
        specification.listen = .unix
        if System.isRoot { specification.user = "nobody" }
        host.supervisor.configure([specification])
        let path = host.supervisor.directories.sockets + "/api/0.1"
        if isLinked {
            #expect(host.run { _ in System.exists(path) == false && host.processes.count == 1 })
            #expect(unsafe link(foreign, path) == 0)
        }
        #expect(host.run { words.isEmpty ? System.exists(path) : $0.logged("app api.0#1: \"\(path)\" \(words)") }, "\(host.log)")
        #expect(!host.run(seconds: 0.5) { !$0.routes.isEmpty })
        #expect(try System.facts(of: foreign).mode == 0o600)
        #expect(try System.facts(of: path).mode != 0o666)
        #expect(host.log.count { $0.contains("it is not used") } == (words.isEmpty ? 0 : 1))
    }
}
