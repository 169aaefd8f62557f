import Config
import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

/// What an app does with names that are its own to choose must not become the deed of a supervisor that may more than it.
@Suite("An app that is not to be trusted", .blocking)
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

    @Test("env_file: what is no regular file is not opened, and none is read without a limit", arguments: [
        ("mkfifo '%'", "is no regular file"), ("ln -s /dev/zero '%'", "is no regular file"),
        ("head -c 1048577 /dev/zero > '%'", "is longer than 1 MB"),
    ])
    func environmentFileKind(command: String, words: String) throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        let path = host.directory.path + "/env"
        specification.environmentFiles = [path]
        #expect(unsafe system(command.replacing("%", with: path)) == 0)
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged("env_file \"\(path)\" \(words)") }, "\(host.log)")
        try System.remove(path)
        _ = host.directory.file("env", "VERSION=7\n")
        #expect(host.run { $0.routes.count == 1 })
    }

    @Test("env_file: a secret of others is not fetched through a folder of the app's user; root's own way to it is fine",
        .enabled(if: System.isRoot, "needs root"))
    func environmentFileOwner() throws {
        let directory = TestDirectory()
        let account = try AppAccount.find(user: "nobody", group: nil)
        let identity = try #require(account.identity)
        let (secret, common) = (directory.file("secret", "A=1\n", mode: 0o600), directory.file("public", "A=2\n", mode: 0o644))
        let own = directory.path + "/own"
        try System.makeDirectory(own, mode: 0o755)
        for (name, target) in [("secret", secret), ("public", common)] { try System.link("\(own)/\(name)", to: target) }
        let mine = directory.file("own/mine", "A=3\n", mode: 0o600)
        for path in [own, mine] { try System.changeOwner(path, user: identity.user, group: identity.group) }
        try System.link(directory.path + "/link", to: secret)
        // Nobody's folder is on this way, though not at its end.
        try System.link(directory.path + "/detour", to: "own/secret")
        let reader = EnvironmentFileReader(account: account)
        func read(_ path: String) -> String {
            do { return String(decoding: try reader.read(path), as: UTF8.self) } catch { return "\(error)" }
        }
        for path in ["\(own)/secret", "\(directory.path)/detour", "\(own)/../own/secret"] {
            #expect(read(path).contains("others can change where \\\"\(own)"), "\(read(path))")
        }
        #expect(read(secret) == "A=1\n" && read(directory.path + "/link") == "A=1\n")
        #expect(read("\(own)/public") == "A=2\n" && read(mine) == "A=3\n")
        // What he could read but for a folder that he may not enter is a secret, too.
        let closed = directory.path + "/closed"
        try System.makeDirectory(closed, mode: 0o700)
        try System.link("\(own)/hidden", to: directory.file("closed/hidden", "A=4\n", mode: 0o644))
        #expect(read("\(own)/hidden").contains("others can change"))
    }

    @Test("READY=1 of a process that is none of its own is not believed, and the operator is told once")
    func foreignNotice() throws {
        let host = try TestHost()
        defer { host.finish() }
        let specification = host.specification(server: """
            open("\(host.directory.path)/name", "w").write(os.environ["NOTIFY_SOCKET"])
            time.sleep(600)

            """)
        host.supervisor.configure([specification])
        #expect(host.run { $0.directory.read("name").hasPrefix("@") })
        let script = host.directory.file("notify.py", KeeperNotifyTests.notify)
        for _ in 0..<2 {
            #expect(unsafe system("NOTIFY_SOCKET='\(host.directory.read("name"))' python3 '\(script)' READY=1") == 0)
        }
        let words = "api.0#1: a message to its NOTIFY_SOCKET was ignored"
        #expect(host.run { $0.logged(words) }, "\(host.log)")
        #expect(!host.run(seconds: 0.3) { !$0.routes.isEmpty })
        #expect(host.log.count { $0.contains(words) } == 1)
    }

    @Test("a process that got the number of an ended app is not its remains, and nor are its children")
    func takenNumber() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(server: """
            import subprocess; subprocess.Popen(["sleep", "60"])
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """))
        let app = try #require(host.supervisor.apps["api"])
        let instance = try #require(app.instances.values.first)
        let state = try #require(instance.state)
        let family = ProcessFacts.family(app: state.appProcess, keeper: -1)
        #expect(family.count == 2)
        // As if another app had had this number before.
        instance.state?.appStartTicks -= 1
        host.supervisor.killRemains(of: instance, app: app)
        for process in family { #expect(ProcessFacts.isAlive(process)) }
        instance.state = state
    }
}
