import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

@Suite("What an instance says", .blocking)
struct KeeperNotifyTests {
    /// Sends a datagram to $NOTIFY_SOCKET.
    static let notify = """
        import os, socket, sys
        name = os.environ["NOTIFY_SOCKET"]
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.sendto(sys.argv[1].encode(), "\\0" + name[1:])
        """

    @Test("READY, STATUS, RELOADING, WATCHDOG and STOPPING of the app count")
    func own() throws {
        let directory = TestDirectory()
        let script = directory.file("notify.py", """
            import os, socket, time
            name = os.environ["NOTIFY_SOCKET"]
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            for text in ["STATUS=warming up\\nFDNAME=x", "READY=1", "WATCHDOG=1", "RELOADING=1\\nMONOTONIC_USEC=5", "STOPPING=1"]:
                s.sendto(text.encode(), "\\0" + name[1:])
            time.sleep(600)
            """)
        let keeper = try TestKeeper(["/usr/bin/python3", script], directory: directory)
        #expect(keeper.waitFor([.ready, .watchdog, .reloading, .stopping, .status]))
        #expect(keeper.last?.isReady == true)
        #expect(keeper.last?.isStopping == true)
        #expect(keeper.last?.status == "warming up")
        #expect(keeper.last?.foreignNotices == 0)
    }

    @Test("READY of a stranger is ignored and counted, that of a grandchild in another session counts")
    func foreign() throws {
        let directory = TestDirectory()
        let script = directory.file("notify.py", Self.notify)
        let keeper = try TestKeeper(
            shell: "echo $NOTIFY_SOCKET > \(directory.path)/name; while [ ! -e \(directory.path)/go ]; do sleep 0.02; done; "
                + "setsid python3 -c \"exec(open('\(script)').read()); import time; time.sleep(1)\" READY=1; sleep 600",
            directory: directory)
        #expect(eventually { directory.read("name").hasPrefix("@") })
        let name = directory.read("name").split(separator: "\n").first ?? ""
        // The test is no child of the keeper.
        _ = unsafe system("NOTIFY_SOCKET='\(name)' python3 '\(script)' READY=1")
        _ = directory.file("probe", "")
        keeper.channel.send(.status)
        #expect(keeper.wait { ($0.last?.foreignNotices ?? 0) == 1 })
        #expect(keeper.last?.isReady == false)
        #expect(!keeper.changes.contains(.ready))
        _ = directory.file("go", "")
        #expect(keeper.waitFor(.ready))
        #expect(keeper.last?.foreignNotices == 1)
    }

    @Test("a sender that waits by BARRIER=1 is released")
    func barrier() throws {
        let directory = TestDirectory()
        let script = directory.file("barrier.py", """
            import array, os, socket
            name = "\\0" + os.environ["NOTIFY_SOCKET"][1:]
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.sendto(b"READY=1", name)
            r, w = os.pipe()
            s.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [w]))], 0, name)
            os.close(w)
            print("released", os.read(r, 1))
            """)
        let keeper = try TestKeeper(["/usr/bin/python3", script], directory: directory)
        #expect(keeper.waitFor([.ready, .exited, .emptied]))
        #expect(directory.read("app.log").contains("released b''"))
    }
}

@Suite("A supervisor that goes and comes back", .blocking)
struct KeeperReconnectTests {
    @Test("the app runs on without a supervisor, and the next one learns everything")
    func reconnect() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(
            shell: "n=0; while [ ! -e \(directory.path)/go ]; do echo tick $n; n=$((n+1)); sleep 0.02; done; exit 4",
            directory: directory)
        #expect(keeper.waitFor(.started))
        let app = keeper.app
        keeper.channel = try KeeperChannel.connect(path: directory.path + "/k.sock")
        keeper.states = []
        keeper.changes = []
        // The first channel is closed by the release of its descriptor; the app does not notice.
        #expect(keeper.waitFor(.started))
        #expect(keeper.app == app && keeper.last?.name == "api" && keeper.last?.slot == 1)
        #expect(keeper.last?.appStartTicks ?? 0 > 0)
        #expect(TestKeeper.exists(app))
        // Now nobody is there while it ends.
        keeper.channel = KeeperChannel(try System.packetPair().0)
        let before = directory.read("app.log").count
        #expect(eventually { directory.read("app.log").count > before + 200 })
        _ = directory.file("go", "")
        #expect(eventually { !TestKeeper.exists(app) })
        keeper.channel = try KeeperChannel.connect(path: directory.path + "/k.sock")
        keeper.changes = []
        keeper.isClosed = false
        #expect(keeper.waitFor([.started, .exited, .emptied]))
        #expect(keeper.last?.exit.cause == .status(4))
        keeper.channel.send(.forget)
        #expect(keeper.waitForEnd())
    }

    @Test("a supervisor that died before the keeper could be found: the app is not started at all")
    func diedEarly() throws {
        let directory = TestDirectory()
        let instructions = TestKeeper.instructions(directory, ["/usr/bin/touch", directory.path + "/ran"])
        let (mine, theirs) = try System.packetPair()
        let memory = try System.sealedMemory(named: "test", content: instructions.encoded)
        var body: [UInt8] = []
        body.appendHost(UInt64(5))
        body.appendHost(UInt64(0))
        let packet = KeeperProtocol.packet(kind: KeeperProtocol.launchKind, body: body)
        try System.send(packet, descriptors: [memory.number], over: mine.number)
        let process = try spawnAfterDeath(mine: mine, theirs: theirs)
        var status: Int32 = -1
        #expect(eventually { unsafe waitpid(process, &status, WNOHANG) == process })
        #expect(status == 0)
        #expect(!System.exists(directory.path + "/ran"))
        #expect(!System.exists(directory.path + "/k.sock"))
    }

    /// Closes the supervisor's end, then starts the keeper.
    private func spawnAfterDeath(mine: Descriptor, theirs: Descriptor) throws -> Int32 {
        // Closing by number: the owner object lives on in the caller.
        let null = try System.open("/dev/null", flags: O_RDONLY)
        try System.replace(mine.number, with: null.number)
        return try System.spawn(
            System.Program(path: TestKeeper.executable, arguments: ["goodgate: keeper of test"], environment: [], channel: theirs))
    }

    @Test("the newest supervisor wins")
    func newestWins() throws {
        let keeper = try TestKeeper(["/bin/sleep", "600"])
        #expect(keeper.waitFor(.started))
        let second = try KeeperChannel.connect(path: keeper.directory.path + "/k.sock")
        #expect(keeper.wait { $0.isClosed })
        #expect(keeper.isReleased, "told, so that it is not taken for the keeper's death")
        keeper.channel = second
        keeper.isClosed = false
        keeper.changes = []
        #expect(keeper.waitFor(.started))
    }

    @Test("the socket is for its owner only")
    func mode() throws {
        let keeper = try TestKeeper(["/bin/sleep", "600"])
        #expect(keeper.waitFor(.started))
        #expect(try System.facts(of: keeper.directory.path + "/k.sock").mode == 0o600)
    }

    @Test("another user is turned away even if the socket's mode let it in", .enabled(if: System.isRoot, "needs root"))
    func peerCredentials() throws {
        let keeper = try TestKeeper(["/bin/sleep", "600"])
        #expect(keeper.waitFor(.started))
        unsafe chmod(keeper.directory.path + "/k.sock", 0o666)
        let script = """
            import os, socket, struct
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(5); s.connect("\(keeper.directory.path)/k.sock")
            try: print("got", len(s.recv(1000)))
            except ConnectionResetError: print("got 0")
            """
        let path = keeper.directory.file("intruder.py", script)
        _ = unsafe system("python3 '\(path)' > '\(keeper.directory.path)/answer' 2>&1")
        #expect(keeper.directory.read("answer") == "got 0\n")
        keeper.channel.send(.status)
        keeper.changes = []
        #expect(keeper.waitFor(.status))
    }

    @Test("without a supervisor the keeper of an ended app goes after its time")
    func orphan() throws {
        let keeper = try TestKeeper(shell: "sleep 0.3") { $0.orphanSeconds = 1 }
        #expect(keeper.waitFor(.started))
        keeper.channel = KeeperChannel(try System.packetPair().0)
        #expect(!keeper.waitForEnd(seconds: 0.8))
        #expect(keeper.waitForEnd(seconds: 5))
        #expect(!System.exists(keeper.directory.path + "/k.sock"))
    }
}
