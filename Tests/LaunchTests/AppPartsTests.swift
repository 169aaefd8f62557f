import Config
import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

@Suite("Parts of the supervisor of apps", .blocking)
struct AppPartsTests {
    // MARK: - Sockets

    private static let tcp = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0
           1: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0
           2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 103 1 0 20 4 30 10 -1
           3: 0100007F:1F99 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 104 1 0 100 0 0 10 0

        """
    private static let tcp6 = """
          sl  local_address                         remote_address                        st tx_queue rx_queue tr tm uid timeout inode
           0: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 0 0 0 0 201 1
           1: 00000000000000000000000000000000:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 0 0 0 0 202 1

        """

    @Test("who listens where is told apart by the owner of the socket")
    func verdicts() {
        var table = SocketTable()
        let isAllListening = table.add(lines: Array(Self.tcp.utf8)[...], hasTitle: true)
        #expect(!isAllListening, "the first connection ends the list")
        let isAllListening6 = table.add(lines: Array(Self.tcp6.utf8)[...], hasTitle: true)
        #expect(isAllListening6)
        #expect(table.rows.map(\.inode) == [101, 102, 201, 202])
        let local = { (port: UInt16) in NetworkAddress.ipv4(0x7F00_0001, port: port) }
        #expect(table.verdict(expected: local(8080), own: [101]) == .expected)
        #expect(table.verdict(expected: local(8080), own: [102]) == .taken(inode: 101))
        #expect(table.verdict(expected: local(8081), own: [102]) == .expected, "bound to 0.0.0.0")
        #expect(table.verdict(expected: local(8082), own: [201]) == .elsewhere(.ipv6(high: 0, low: 1, port: 8082)))
        #expect(table.verdict(expected: local(8083), own: [202]) == .expected, "bound to ::")
        #expect(table.verdict(expected: local(9000), own: [102]) == .elsewhere(local(8081)))
        #expect(table.verdict(expected: local(9000), own: [7]) == .notYet)
        #expect(table.waiting(at: local(8080)) == 3)
        #expect(table.waiting(at: local(9000)) == nil)
    }

    @Test("a child that waits to be collected does not run any more")
    func collected() throws {
        let child = try System.spawn(System.Program(path: "/bin/true", arguments: ["true"], environment: []))
        defer { _ = waitpid(child, nil, 0) }
        #expect(eventually { !ProcessFacts.isAlive(child) })
        #expect(kill(child, 0) == 0, "it is there")
        #expect(ProcessFacts.isAlive(System.process))
    }

    @Test("the real table shows a socket of this process, its queue and its owner, with socket diagnosis and without", arguments: [
        SocketTable.read, SocketTable.readFiles,
    ])
    func realTable(read: @Sendable () -> SocketTable) throws {
        let address = NetworkAddress.ipv4(0x7F00_0001, port: 0)
        let server = try System.streamSocket(for: address)
        try System.bind(server.number, to: address)
        try System.listen(server.number, backlog: 5)
        let bound = try System.localAddress(of: server.number)
        let own = ProcessFacts.socketInodes(of: System.process)
        #expect(read().verdict(expected: bound, own: own) == .expected)
        #expect(read().waiting(at: bound) == 0)
        let client = try System.streamSocket(for: bound)
        try System.connect(client.number, to: bound)
        #expect(eventually(seconds: 2) { read().waiting(at: bound) == 1 })
        guard case .taken(let inode) = read().verdict(expected: bound, own: []) else {
            Issue.record("nobody has it")
            return
        }
        #expect(ProcessFacts.owner(ofSocket: inode)?.process == System.process)
    }

    @Test("ports lie outside the kernel's range", arguments: [
        (32_768...60_999, 20_000...29_999), (1024...65_535, 20_000...29_999), (1024...60_999, 61_000...65_535),
        (25_000...65_535, 20_000...24_999), (15_000...25_000, 25_001...29_999), (10_000...40_000, 40_001...65_535),
    ] as [(ClosedRange<UInt16>, ClosedRange<UInt16>)])
    func portRange(ephemeral: ClosedRange<UInt16>, expected: ClosedRange<UInt16>) {
        #expect(PortChooser.range(outside: ephemeral) == expected)
    }

    @Test("a port in use is not chosen, and none is given twice")
    func portsInUse() throws {
        var chooser = PortChooser(ephemeral: 32_768...60_999)
        let first = try chooser.take().unwrapped()
        let address = NetworkAddress.ipv4(0, port: first + 1 > 29_999 ? 20_000 : first + 1)
        let thief = try System.streamSocket(for: address)
        // A connection of another test may be closing there still.
        try System.setOption(thief.number, level: SOL_SOCKET, name: SO_REUSEADDR, to: 1)
        try? System.bind(thief.number, to: address)
        try? System.listen(thief.number, backlog: 1)
        let second = try chooser.take().unwrapped()
        #expect(second != first && second != address.port)
        var seen: Set<UInt16> = [first, second]
        for _ in 0..<200 {
            let port = try chooser.take().unwrapped()
            #expect(seen.insert(port).inserted)
        }
    }

    // MARK: - Environment

    @Test("an env_file is read as written", arguments: [
        ("A=1\nB = 2\n", nil), ("A=1\n\n# comment\nexport B=two words \nC=\n", ["A=1", "B=two words", "C="]),
        ("Q=\"a b\\n\\\"c\\\" \\$x \\q\" # tail\nS='it \\n is'\n", ["Q=a b\n\"c\" $x \\q", "S=it \\n is"]),
        ("A=1\r\nB=2", ["A=1", "B=2"]), ("A=\"open\n", nil), ("A=\"x\" y\n", nil), ("1A=2\n", nil), ("A B=2\n", nil),
        ("=2\n", nil), ("novalue\n", nil), ("URL=http://x/?a=b#c\n", ["URL=http://x/?a=b#c"]), ("", []),
    ] as [(String, [String]?)])
    func environmentFile(text: String, expected: [String]?) {
        #expect((try? EnvironmentFile(parsing: Array(text.utf8)))?.variables == expected)
    }

    @Test("a value that an instance would not get as it is written is a mistake, with its line", arguments: [
        (Array("A=1\nB=".utf8) + [0xE4] + Array("\n".utf8), 2), ([65, 61, 0, 10], 1), (Array("# ".utf8) + [0xE4, 0, 10], nil),
        (Array("A=\u{E4}\n".utf8), nil),
    ] as [([UInt8], Int?)])
    func environmentFileBytes(bytes: [UInt8], line: Int?) {
        do throws(EnvironmentFile.Malformed) {
            _ = try EnvironmentFile(parsing: bytes)
            #expect(line == nil)
        } catch {
            #expect(error == EnvironmentFile.Malformed(line: line ?? -1, reason: .noText))
            #expect(error.text == "line \(line ?? -1) is not UTF-8, or has a NUL byte")
        }
    }

    @Test("an instance gets what is named and nothing else; later definitions win")
    func environment() throws {
        var specification = AppSpecification(name: "api", command: ["x"])
        specification.environmentFiles = ["/etc/a.env"]
        specification.environment = ["MODE=b", "PASS", "HOME=/srv", "GONE"]
        let account = AppAccount(identity: nil, name: "www", home: "/home/www", shell: "/bin/false")
        let list = try AppEnvironment.make(
            specification, account: account, address: .port(20_001),
            inherited: ["PATH=/bin", "LANG=C.UTF-8", "SECRET=1", "PASS=word", "LD_PRELOAD=x"],
            readFile: { path throws(AppEnvironment.Failure) in Array("MODE=a\nKEY=1\n".utf8) })
        #expect(list == [
            "PATH=/bin", "HOME=/srv", "LANG=C.UTF-8", "USER=www", "LOGNAME=www", "SHELL=/bin/false", "PORT=20001",
            "HOST=127.0.0.1", "MODE=b", "KEY=1", "PASS=word",
        ])
    }

    @Test("the place of the state in /tmp is a folder of the user himself, or none") func takenPlace() throws {
        let user = UInt32(2_000_000_000) + UInt32(getpid())
        let place = "/tmp/goodgate-\(user)"
        func path(runtime: String = "") -> Result<String, AppDirectories.Taken> {
            Result { () throws(AppDirectories.Taken) in try AppDirectories.path(for: "/run/x.pid", user: user, runtime: runtime) }
        }
        #expect(throws: Never.self) { try path().get() }
        defer { try? System.remove(place) }
        // Somebody else's: of whoever runs this test.
        try System.makeDirectory(place, mode: 0o755)
        let taken = AppDirectories.Taken(path: place, owner: System.effectiveUser)
        #expect(path() == .failure(taken) && taken.text.contains("belongs to user \(System.effectiveUser)"))
        #expect((try? path(runtime: "/run/user/7").get())?.hasPrefix("/run/user/7/goodgate/") == true)
        #expect(System.removeDirectory(place))
        // What a link leads to may be a folder of the user, but who made the link decides what it leads to.
        try System.link(place, to: "/nowhere")
        #expect(path() == .failure(taken))
    }

    // MARK: - State

    /// A block in which everything that a release keeps is said.
    static let block: AppSpecification = {
        var block = AppSpecification(
            name: "my app%", command: ["/bin/y", "-"], listen: .fixed(.ipv4(0x7F00_0001, port: 3000)), environment: ["-", "A==1"])
        (block.directory, block.user, block.group) = ("-", "", "www")
        (block.memoryMax, block.openFilesMax, block.creationMask) = (1 << 40, 7, 0o27)
        block.environmentFiles = ["/e f"]
        block.watchdog = .milliseconds(1500)
        block.log = AppLog(path: "stderr", rotateBytes: 3, keep: 4)
        return block
    }()

    /// One that says also what needs no new process.
    static let wholeBlock: AppSpecification = {
        var whole = block
        (whole.instances, whole.stopSignal, whole.memoryRecycle) = (3, 12, 5 << 30)
        (whole.startTimeout, whole.stopTimeout, whole.drainTimeout) = (.seconds(1), .milliseconds(20), .seconds(300))
        whole.restart = RestartPolicy(condition: .onFailure, firstDelay: .milliseconds(70), lastDelay: .seconds(8))
        whole.health = AppHealth(uri: "/up now", interval: .seconds(5), timeout: .milliseconds(9), passes: 2, fails: 4, match: "-")
        return whole
    }()

    static let state = AppState(
        boot: "b-1",
        apps: [
            AppState.App(
                name: "my app%", activeRelease: 3, nextSerial: 9, isRunning: true, scale: 4, lastRelease: 5, previousRelease: 2,
                roll: AppState.Roll(release: 3, from: 1, soakMilliseconds: 7),
                releases: [
                    AppState.Release(
                        number: 3, block: .max, command: ["/bin/x", "", "a b\n"], directory: "/srv/ä",
                        environment: ["A=1 2", "B="], environmentFiles: ["/e"]),
                    AppState.Release(number: 2, block: 7, base: block),
                    AppState.Release(number: 1, block: 8, base: wholeBlock, isWhole: true),
                ],
                instances: [
                    AppState.Instance(
                        slot: 0, serial: 8, release: 3, process: 77, startTicks: 123, address: "unix:/run/x y", isReady: true,
                        restarts: 2, cgroups: ["/sys/fs/cgroup/a"],
                        lastExit: InstanceExit(cause: .signal(9), hasCore: true, outOfMemoryKills: 1))
                ]),
            AppState.App(name: "b", activeRelease: 1, nextSerial: 1, isRunning: false, lastRelease: 1),
        ])

    @Test("the state file gives back what was put in")
    func stateRoundTrip() throws {
        #expect(try AppState(decoding: Self.state.encoded) == Self.state)
        var other = Self.block
        (other.directory, other.user, other.group, other.memoryMax, other.openFilesMax) = (nil, nil, nil, nil, nil)
        (other.watchdog, other.log, other.environment, other.environmentFiles) = (nil, nil, [], [])
        for listen in [AppListen.port, .descriptor, .unix, .nowhere, .fixed(.unix(Array("/a b".utf8)))] {
            other.listen = listen
            let app = AppState.App(
                name: other.name, activeRelease: 1, nextSerial: 1, isRunning: true, lastRelease: 1,
                releases: [AppState.Release(number: 1, of: other)])
            let state = AppState(boot: "", apps: [app])
            #expect(try AppState(decoding: state.encoded) == state)
        }
    }

    @Test("the number of a save is read back, and stands where versions that do not know of it read over it")
    func stateNumber() throws {
        var state = Self.state
        state.save = 12
        #expect(try AppState(decoding: state.encoded) == state)
        let lines = String(decoding: state.encoded, as: UTF8.self).split(separator: "\n")
        #expect(lines[1] == "boot save:12" && lines[2].hasPrefix("boot ") && lines[2] != lines[1], "the last one is what counts there")
    }

    @Test("a release runs what it ran, and takes from its own block what needs no new process; the difference is told")
    func releaseOfItsTime() {
        var release = AppState.Release(number: 1, of: Self.block)
        var edited = AppSpecification(name: "my app%", command: ["/bin/z"], instances: 5, environment: ["A==1", "N=1"])
        edited.stopTimeout = .seconds(3)
        edited.log = Self.block.log
        let running = release.applied(to: edited)
        #expect(running == Self.block, "the edited block is not its own")
        var timed = Self.block
        timed.stopTimeout = .seconds(3)
        timed.health = AppHealth(uri: "/up")
        #expect(release.applied(to: timed) == timed)
        release.isWhole = false
        let older = release.applied(to: edited)
        #expect(older.processFingerprint == Self.block.processFingerprint)
        #expect(older.instances == 5 && older.stopTimeout == .seconds(3), "a file of an older version")
        #expect(running.differences(from: Self.block) == [])
        #expect(
            running.differences(from: edited) == [
                "command /bin/y -", "directory -", "user ", "group www", "env -", "no env N", "env_file /e f", "listen 127.0.0.1:3000",
                "memory_max 1099511627776", "nofile 7", "umask 27", "watchdog 1.5 seconds",
            ])
        (release.directory, release.environment) = ("/srv/2", ["V=2"])
        #expect(release.applied(to: Self.block).differences(from: Self.block) == ["directory /srv/2", "env V"])
        release.base = nil
        #expect(release.applied(to: edited).command == ["/bin/z"], "a file of an older version")
    }

    @Test("a state file with any damage is refused, never half used, never a trap")
    func stateDamage() {
        let bytes = Self.state.encoded
        for length in 0..<bytes.count { #expect(throws: AppState.Damage.self) { try AppState(decoding: Array(bytes[..<length])) } }
        for index in bytes.indices {
            for bit in [1, 4, 128] as [UInt8] {
                var damaged = bytes
                damaged[index] ^= bit
                #expect(throws: AppState.Damage.self) { try AppState(decoding: damaged) }
            }
        }
    }

    // MARK: - cgroups

    @Test("cgroup directories are found on a host, in a container, with both versions", arguments: [
        // A plain host with version 2.
        ("30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw", "0::/system.slice/g.service\n",
         "/sys/fs/cgroup/system.slice/g.service", nil),
        // Version 1 beside an empty version 2.
        ("""
         31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
         32 1 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
         """, "4:memory:/a/b\n0::/\n", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory/a/b"),
        // A container that sees only its own part.
        ("31 1 0:27 /docker/77 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory", "4:memory:/docker/77/x\n",
         nil, "/sys/fs/cgroup/memory/x"),
        ("", "", nil, nil),
    ] as [(String, String, String?, String?)])
    func cgroupDirectories(mounts: String, groups: String, unified: String?, memory: String?) {
        let found = CgroupTree.Mounts(mounts: mounts, groups: groups)
        #expect(found.unified == unified)
        #expect(found.controllers["memory"] == memory)
    }

    @Test("a supervisor that stands in the leaf of the one before it works in the group above", arguments: [
        "", "/goodgate-supervisor", "/goodgate-supervisor/goodgate-supervisor",
    ])
    func leaves(place: String) throws {
        let directory = TestDirectory()
        let unit = directory.path + "/g.service"
        for path in [unit, unit + "/goodgate-supervisor", unit + "/goodgate-supervisor/goodgate-supervisor"] {
            try System.makeDirectory(path, mode: 0o755)
            for name in ["cgroup.controllers", "cgroup.subtree_control"] {
                _ = directory.file(path.dropFirst(directory.path.utf8.count + 1) + "/" + name, "memory pids\n")
            }
        }
        let tree = CgroupTree.find(mounts: "30 1 0:26 / \(directory.path) rw - cgroup2 cgroup2 rw", groups: "0::/g.service\(place)\n")
        #expect(tree.kind == .version2 && tree.parents == [unit])
    }

    @Test("the controllers of a unit are released from the lowest leaf upwards")
    func releaseCgroup() throws {
        let directory = TestDirectory()
        let leaf = "g.service/goodgate-supervisor"
        for path in ["g.service", leaf, leaf + "/goodgate-supervisor"] {
            try System.makeDirectory(directory.path + "/" + path, mode: 0o755)
            _ = directory.file(path + "/cgroup.subtree_control", "memory pids\n")
        }
        let groups = directory.file("groups", "0::/g.service/.control\n")
        let script = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Scripts/release-cgroup"
        // Each group notes what it is told, as the kernel would not: the last one of each, and when.
        #expect(unsafe system("sh -x '\(script)' '\(directory.path)' '\(groups)' 2> '\(directory.path)/trace'") == 0)
        let order = directory.read("trace").split(separator: "\n").filter { $0.contains("+ cat ") }.map { $0.split(separator: "/").count }
        #expect(order.count == 3 && order == order.sorted(by: >), "\(directory.read("trace"))")
        for path in ["g.service", leaf, leaf + "/goodgate-supervisor"] {
            #expect(directory.read(path + "/cgroup.subtree_control") == "-pids\n")
        }
    }

    // MARK: - Names

    @Test("the name of a keeper's socket says what it is for, whatever the app is called", arguments: [
        "api", "my.app", "ä/ö", String(repeating: "long", count: 30), "..", "",
    ])
    func socketNames(name: String) throws {
        let directories = AppDirectories(root: "/run/goodgate")
        let key = InstanceKey(slot: 12, serial: 4_000_000_000)
        let path = directories.keeperSocket(app: name, key: key, release: 77)
        let parsed = AppDirectories.parse(socket: path)
        if name.isEmpty { return }
        #expect(parsed?.key == key && parsed?.release == 77)
        #expect(parsed.map { String($0.app) } == AppDirectories.fileName(name))
        #expect(path.utf8.count < 108)
        #expect(path.split(separator: "/").count == 4)
    }

    @Test("addresses come back from their text", arguments: [
        NetworkAddress.ipv4(0x7F00_0001, port: 8080), .ipv6(high: 0, low: 1, port: 65_535), .unix(Array("/run/a b".utf8)),
        .ipv6(high: 0x2001_0DB8_0000_0000, low: 5, port: 1),
    ])
    func addressText(address: NetworkAddress) {
        #expect(NetworkAddress(listenKey: address.listenKey) == address)
        let others = [
            "example.org:80", "", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:+5", "127.0.0.1:65536", "[::1]", "::1:80", "[1.2.3.4]:5",
        ]
        for text in others {
            #expect(NetworkAddress(listenKey: text) == nil, "\(text)")
        }
    }

    @Test("what a reload has to do is seen from the blocks")
    func changes() {
        let block = AppSpecification(name: "api", command: ["x"])
        var other = block
        other.instances = 4
        other.health = AppHealth(uri: "/up")
        #expect(block.change(to: block) == .none)
        #expect(block.change(to: other) == .live)
        #expect(block.processFingerprint == other.processFingerprint)
        for edit in [
            { $0.command = ["y"] }, { $0.directory = "/srv" }, { $0.user = "www" }, { $0.environment = ["A=1"] },
            { $0.listen = .unix }, { $0.openFilesMax = 5 }, { $0.creationMask = 0o077 }, { $0.memoryMax = 9 },
            { $0.log = AppLog(path: "/x") }, { $0.watchdog = .seconds(3) }, { $0.environmentFiles = ["/e"] },
        ] as [(inout AppSpecification) -> Void] {
            var edited = block
            edit(&edited)
            #expect(block.change(to: edited) == .deploy)
            #expect(block.processFingerprint != edited.processFingerprint)
        }
    }
}

extension Optional {
    /// The value, or a failed test.
    func unwrapped() throws -> Wrapped { try #require(self) }
}
