import Config
import Glibc
import Machine
import Messages
import struct TestKit.LiveProcess
import TestKit
import Testing

@testable import Supervisor

@Suite("A supervisor that dies and starts again", .blocking)
struct AppAdoptionTests {
    /// Starts two instances and lets the supervisor die.
    private func orphans(usesCgroups: Bool = false, _ change: (inout AppSpecification) -> Void = { _ in }) throws
        -> (directory: TestDirectory, specification: AppSpecification, processes: [Int32], routes: [NetworkAddress])
    {
        let host = try TestHost(usesCgroups: usesCgroups)
        defer { host.finish() }
        var specification = host.specification(instances: 2)
        change(&specification)
        host.start(specification)
        // The state file is written a moment after the last change.
        #expect(host.run { $0.supervisor.saveAt == nil })
        let result = (host.directory, specification, host.processes, host.routes.values.map(\.address))
        host.die()
        usleep(100_000)
        for process in result.2 { #expect(TestKeeper.exists(process)) }
        return result
    }

    private func addresses(_ host: TestHost) -> Set<NetworkAddress> { Set(host.routes.values.map(\.address)) }

    @Test("the next one takes the running instances over: same processes, same addresses, none more")
    func adopts() throws {
        let (directory, specification, processes, routes) = try orphans()
        for address in routes { #expect(TestHost.get(address).contains("200 OK")) }
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(addresses(host) == Set(routes), "at once, not after a probe")
        #expect(!host.run(seconds: 0.5) { $0.processes != processes }, "\(host.log)")
        #expect(host.logged("was taken over"))
        // They are supervised again.
        kill(processes[0], SIGKILL)
        #expect(host.run { $0.routes.count == 1 })
        #expect(host.run { $0.routes.count == 2 && $0.processes.count == 2 })
        #expect(host.processes.contains(processes[1]))
    }

    @Test("a limit of memory that was lost between two supervisors is put back", .enabled(
        if: OwnCgroup.isWritable, "needs root and a v1 memory cgroup"))
    func limitComesBack() throws {
        let (directory, specification, processes, _) = try orphans(usesCgroups: true) { $0.memoryMax = 512 << 20 }
        let state = try AppState(decoding: try System.readFile(directory.path + "/s/apps.state"))
        let files = (state.apps.first?.instances.flatMap(\.cgroups) ?? []).map { $0 + "/memory.limit_in_bytes" }.filter(System.exists)
        #expect(files.count == 2)
        for file in files { #expect(System.put("-1", in: file)) }
        let host = try TestHost(directory: directory, usesCgroups: true)
        defer { host.finish() }
        host.supervisor.configure([specification])
        for file in files { #expect(System.text(file) == "\(512 << 20)\n") }
        #expect(host.processes == processes)
    }

    @Test("without a usable state file they are taken over as well, with a warning", arguments: [
        "corrupt", "empty", "half", "foreign", "missing",
    ])
    func damagedState(kind: String) throws {
        let (directory, specification, processes, routes) = try orphans()
        let path = directory.path + "/s/apps.state"
        var bytes = try System.readFile(path)
        switch kind {
        case "corrupt": bytes[bytes.count / 2] ^= 1
        case "empty": bytes = []
        case "half": bytes.removeLast(bytes.count / 2)
        case "foreign": bytes = Array("<html>".utf8)
        default: try System.remove(path)
        }
        if kind != "missing" { _ = directory.file("s/apps.state", String(decoding: bytes, as: UTF8.self), mode: 0o600) }
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(host.logged("is damaged") == (kind != "missing"))
        #expect(host.logged("is missing") == (kind == "missing"))
        #expect(host.logged("releases and scale of the apps are taken from the configuration"))
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.processes == processes)
        #expect(addresses(host) == Set(routes))
    }

    @Test("one that still starts, and of which no state tells where, is waited for")
    func startingWithoutState() throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification()
        specification.environment = ["BOOT=4"]
        first.supervisor.configure([specification])
        #expect(first.run { $0.processes.count == 1 })
        let process = try #require(first.processes.first)
        first.supervisor.save()
        first.die()
        try System.remove(first.directory.path + "/s/apps.state")
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.routes.isEmpty)
        #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
        #expect(host.processes == [process])
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("200 OK")) }
    }

    @Test("an app that was being stopped when its supervisor was killed starts again, whatever its restart policy", arguments: [
        RestartPolicy.Condition.onFailure, .never, .always,
    ])
    func killedWhileStopping(condition: RestartPolicy.Condition) throws {
        let first = try TestHost()
        defer { first.finish() }
        // It ends, and well, when the next supervisor has taken it over.
        let path = first.directory.path
        var specification = first.specification(server: """
            def end(*a):
                open("\(path)/told", "w").close()
                while not os.path.exists("\(path)/over"): time.sleep(0.02)
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        specification.restart.condition = condition
        specification.stopTimeout = .seconds(60)
        first.start(specification)
        let old = first.processes
        #expect(first.run { $0.supervisor.saveAt == nil })
        first.supervisor.stopAll()
        #expect(first.run { _ in System.exists(path + "/told") })
        first.die()
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.processes == old && host.routes.isEmpty, "nothing is sent to what ends")
        _ = first.directory.file("over", "")
        #expect(host.run { $0.routes.count == 1 && $0.processes != old }, "\(host.log)")
        #expect(host.supervisor.status[0].instances[0].snapshot.failedStartsInRow == 0)
    }

    @Test("the end of one that died while there was no supervisor is told, with its last lines")
    func endedMeanwhile() throws {
        let (directory, specification, processes, _) = try orphans { specification in
            specification.command = ["/bin/sh", "-c", "echo last words; exec " + specification.command.joined(separator: " ")]
        }
        kill(processes[0], SIGKILL)
        #expect(eventually { !TestKeeper.exists(processes[0]) })
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        let ends = host.reports.compactMap { report in
            if case .exited(let exit, _, expected: false) = report.report { exit.cause } else { nil }
        }
        #expect(ends == [.signal(9)])
        #expect(host.logged("exited on signal 9 after ") && host.logged(", while there was no supervisor"), "\(host.log)")
        #expect(host.run { $0.lastWords.contains { $0.lines.contains { $0.hasSuffix("last words") } } })
        #expect(host.run { $0.routes.count == 2 && $0.processes.count == 2 })
    }

    @Test("a reboot takes the state of the instances, not what was deployed, scaled and stopped")
    func reboot() throws {
        let first = try TestHost()
        let (api, job) = (first.specification(), first.specification("job"))
        first.supervisor.configure([api, job])
        #expect(first.run { $0.routes.count == 2 })
        let lasting = first.directory.path + "/lasting/x/apps.state"
        first.supervisor.save()
        #expect(!System.exists(lasting), "there is nothing that the configuration does not say")
        #expect(first.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=7"], soakMilliseconds: 0)).answer == .accepted)
        #expect(first.run { $0.hasEnded(.completed) })
        #expect(first.supervisor.scale(app: "api", to: 2) == .accepted)
        #expect(first.supervisor.stop(app: "job") == .accepted)
        #expect(first.run { $0.routes.count == 2 && $0.supervisor.saveAt == nil })
        first.finish()
        first.die()
        for file in ["apps.state", "lock"] { try System.remove(first.directory.path + "/s/" + file) }

        let host = try TestHost(directory: first.directory)
        defer { host.finish() }
        host.supervisor.configure([api, job])
        #expect(host.run { $0.routes.count == 2 }, "\(host.log)")
        #expect(Set(host.routes.keys.map(\.app)) == ["api"])
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n7 ")) }
        #expect(host.supervisor.status.map(\.release) == [2, 1])
        #expect(host.supervisor.rollback(app: "api").answer == .accepted)
        #expect(!host.logged("is missing"))
    }

    /// An app of two instances that was deployed once, or twice, and then orphaned by a kill -9.
    private func deployed(beforeLast: (TestHost) throws -> Void) throws -> (first: TestHost, AppSpecification, [Int32]) {
        let first = try TestHost()
        let specification = first.specification(instances: 2)
        first.start(specification)
        #expect(first.run { $0.supervisor.saveAt == nil })
        try beforeLast(first)
        #expect(first.deploy(["VERSION=2"]) == .accepted)
        #expect(first.run { $0.hasEnded(.completed) && $0.processes.count == 2 && $0.supervisor.saveAt == nil }, "\(first.log)")
        let processes = first.processes
        first.die()
        return (first, specification, processes)
    }

    /// What comes after it goes on with the second release, and replaces nothing.
    private func expectKept(_ first: TestHost, _ specification: AppSpecification, _ processes: [Int32], warning: String) throws {
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.run { $0.routes.count == 2 }, "\(host.log)")
        #expect(!host.run(seconds: 0.5) { $0.processes != processes }, "\(host.log)")
        #expect(host.versions == ["2"] && host.supervisor.status[0].release == 2 && host.supervisor.status[0].previousRelease == 1)
        #expect(host.logged(warning), "\(host.log)")
    }

    @Test("a release that was deployed while the state file could not be written stays, and whoever deploys is told")
    func fullState() throws {
        let (first, specification, processes) = try deployed { host in
            // Nobody, root included, writes a file where a folder is.
            try System.makeDirectory(host.directory.path + "/s/apps.state.new", mode: 0o700)
        }
        let told = first.log.count { $0.contains("app api: release 2 is kept in \"") && $0.contains("cannot be written") }
        #expect(told == 1, "\(first.log)")
        #expect(first.log.count { $0.contains("release 2 is under way unsaved: if this supervisor is killed before") } == 1, "\(first.log)")
        try expectKept(first, specification, processes, warning: "apps.state\" is older than \"")
    }

    @Test("a state file that was put back, of a version that did not count its saves too, replaces nothing that runs", arguments: [
        true, false,
    ])
    func oldState(isCounted: Bool) throws {
        var old: [UInt8] = []
        let (first, specification, processes) = try deployed { host in
            old = try System.readFile(host.directory.path + "/s/apps.state")
        }
        let paths = ["/s/apps.state", "/lasting/x/apps.state"].map { first.directory.path + $0 }
        var states = [try AppState(decoding: old), try AppState(decoding: try System.readFile(paths[1]))]
        #expect(states[1].save > states[0].save)
        if !isCounted { for index in states.indices { states[index].save = 0 } }
        for (path, state) in zip(paths, states) { try Self.put(state, at: path) }
        try expectKept(first, specification, processes, warning: isCounted ? "is older than" : "it is older, \"\(paths[1])\" is used")
    }

    @Test("a release that runs and that no file knows of is not replaced without a word")
    func unknownRelease() throws {
        var old: [UInt8] = []
        let (first, specification, _) = try deployed { host in
            old = try System.readFile(host.directory.path + "/s/apps.state")
        }
        try Self.put(try AppState(decoding: old), at: first.directory.path + "/s/apps.state")
        try System.remove(first.directory.path + "/lasting/x/apps.state")
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.logged("app api: release 2 runs, of which state file"), "\(host.log)")
        #expect(host.logged("release 1 replaces it. Deploy once more what is to run"), "\(host.log)")
        #expect(host.run { $0.versions == ["1"] && $0.processes.count == 2 }, "\(host.log)")
    }

    @Test("with both places of the state full a deploy says that its release is not saved")
    func bothFull() throws {
        let (first, specification, _) = try deployed { host in
            try System.makeDirectory(host.directory.path + "/s/apps.state.new", mode: 0o700)
            try AppDirectories.make(host.directory.path + "/lasting/x", mode: 0o700)
            try System.makeDirectory(host.directory.path + "/lasting/x/apps.state.new", mode: 0o700)
        }
        #expect(first.logged("app api: release 2 could not be saved: if this supervisor is killed, the next one"), "\(first.log)")
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.logged("app api: release 2 runs, of which state file"), "\(host.log)")
    }

    private static func put(_ state: AppState, at path: String) throws {
        let file = try System.open(path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try System.write(state.encoded, to: file.number)
    }

    @Test("a keeper that hangs is not waited for; its instance is ended when it answers at last")
    func hangingKeeper() throws {
        let (directory, specification, processes, _) = try orphans { $0.instances = 1 }
        let keeper = try #require(LiveProcess(processes[0]).parent)
        kill(keeper, SIGSTOP)
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(host.logged("does not answer"))
        #expect(host.run { $0.routes.count == 1 })
        #expect(!host.processes.contains(processes[0]))
        kill(keeper, SIGCONT)
        #expect(host.run { _ in !TestKeeper.exists(processes[0]) })
    }

    @Test("keepers that hang are waited for together, not one after the other")
    func hangingKeepers() throws {
        let (directory, specification, processes, _) = try orphans { $0.instances = 4 }
        let keepers = processes.compactMap { LiveProcess($0).parent }
        #expect(keepers.count == 4)
        for keeper in keepers.prefix(3) { kill(keeper, SIGSTOP) }
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        let start = System.now
        host.supervisor.configure([specification])
        #expect(System.now - start < 8000, "4 s for all of them, not for each")
        #expect(host.log.count { $0.contains("does not answer") } == 3)
        #expect(host.logged("was taken over"), "the one that answers, whatever its turn")
        #expect(host.run { $0.routes.count == 4 })
        for keeper in keepers { kill(keeper, SIGCONT) }
        #expect(host.run { _ in processes.count { TestKeeper.exists($0) } == 1 })
    }

    @Test("an app whose block is gone gets its own stop signal")
    func removedGently() throws {
        let tail = """
            def bye(*a): open(os.environ["WITNESS"], "w").write("asked by QUIT"); os._exit(0)
            signal.signal(signal.SIGQUIT, bye)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification(server: tail)
        specification.stopSignal = SIGQUIT
        specification.environment = ["WITNESS=\(first.directory.path)/witness"]
        first.supervisor.configure([specification])
        #expect(first.run { $0.routes.count == 1 && $0.supervisor.saveAt == nil })
        first.die()
        let host = try TestHost(directory: first.directory)
        defer { host.finish() }
        host.supervisor.configure([])
        #expect(host.run { $0.directory.read("witness") == "asked by QUIT" })
    }

    @Test("an instance that died meanwhile is started again, the other one is kept")
    func diedMeanwhile() throws {
        let (directory, specification, processes, _) = try orphans()
        kill(processes[0], SIGKILL)
        #expect(eventually { !TestKeeper.exists(processes[0]) })
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.processes.count == 2 && host.processes.contains(processes[1]))
    }

    @Test("a block that was edited meanwhile becomes a roll, not a restart")
    func editedMeanwhile() throws {
        var (directory, specification, processes, _) = try orphans()
        specification.environment = ["VERSION=7"]
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(host.routes.count == 2)
        #expect(host.run { $0.hasEnded(.completed) && $0.processes.count == 2 })
        for process in processes { #expect(!TestKeeper.exists(process)) }
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n7 ")) }
    }

    @Test("after a block that was given up the release before it is started again as it was, by the next supervisor too")
    func refusedBlock() throws {
        let first = try TestHost()
        let good = first.specification(instances: 2)
        first.start(good)
        var bad = good
        bad.environment = ["BROKEN=1"]
        first.supervisor.configure([bad])
        #expect(first.run { $0.hasEnded(.failed(slot: 0)) })
        #expect(first.supervisor.status[0].refusedBlock?.contains("release 2: given up") == true)
        #expect(first.supervisor.status[0].differences == ["no env BROKEN"])
        first.supervisor.save()
        first.die()

        let host = try TestHost(directory: first.directory)
        defer { host.finish() }
        host.supervisor.configure([bad])
        #expect(host.run { $0.hasEnded(.failed(slot: 0)) && $0.processes.count == 2 }, "\(host.log)")
        let killed = try #require(host.processes.first)
        kill(killed, SIGKILL)
        #expect(host.run { $0.routes.count == 2 && !$0.processes.contains(killed) }, "\(host.log)")
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("200 OK")) }
        // Edited back to what runs: nothing is replaced.
        let processes = host.processes
        host.supervisor.configure([good])
        #expect(!host.run(seconds: 0.5) { $0.processes != processes }, "\(host.log)")
        #expect(host.supervisor.status[0].refusedBlock == nil && host.supervisor.status[0].differences == [])
    }

    @Test("a roll whose old instance is still draining has come to its new one")
    func committedRoll() throws {
        let first = try TestHost()
        defer { first.finish() }
        first.drainMilliseconds = nil
        var specification = first.specification()
        specification.drainTimeout = .seconds(60)
        first.supervisor.configure([specification])
        #expect(first.run { $0.routes.count == 1 })
        let old = try #require(first.processes.first)
        specification.environment = ["VERSION=7"]
        first.supervisor.configure([specification])
        let (before, after) = (InstanceKey(slot: 0, serial: 1), InstanceKey(slot: 0, serial: 2))
        #expect(first.run { $0.routes.keys.map(\.instance) == [after] && $0.supervisor.saveAt == nil }, "\(first.log)")
        #expect(first.processes.count == 2)
        first.die()
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.routes.keys.map(\.instance) == [after], "\(host.history)")
        #expect(host.takeovers.map { $0["api"] } == [[before, after]])
        #expect(host.supervisor.status.first?.release == 2)
        #expect(host.run { _ in !TestKeeper.exists(old) })
        #expect(host.run { $0.processes.count == 1 && $0.routes.count == 1 })
    }

    /// Serial, release and readiness of two in one slot, the active release, and who is to stay.
    @Test("of two in a slot, the one that the roll had come to stays", arguments: [
        (9, 1, true, 10, 2, false, 1, 9), (9, 1, true, 10, 2, true, 1, 9), (9, 1, true, 10, 2, true, 2, 10),
        (9, 1, false, 10, 2, true, 2, 10), (9, 1, true, 10, 1, false, 1, 9), (9, 1, true, 10, 1, true, 1, 10),
        (9, 1, false, 10, 1, true, 1, 10), (9, 1, false, 10, 1, false, 1, 9),
    ] as [(UInt32, UInt32, Bool, UInt32, UInt32, Bool, UInt32, UInt32)])
    func order(
        serial: UInt32, release: UInt32, isReady: Bool, serial2: UInt32, release2: UInt32, isReady2: Bool, active: UInt32, stays: UInt32
    ) throws {
        func keeper(_ serial: UInt32, _ release: UInt32, _ isReady: Bool) throws -> AppSupervisor.FoundKeeper {
            var state = KeeperState(body: [])
            state.isReady = isReady
            return AppSupervisor.FoundKeeper(
                app: "api", key: InstanceKey(slot: 0, serial: serial), release: release, path: "",
                channel: KeeperChannel(try System.packetPair().0), state: state, listeners: [])
        }
        let keepers = [try keeper(serial, release, isReady), try keeper(serial2, release2, isReady2)]
        for list in [keepers, keepers.reversed()] {
            #expect(AppSupervisor.inOrder(list, active: active, saved: nil).first?.key.serial == stays)
        }
    }

    @Test("an app whose block is gone is stopped")
    func removedMeanwhile() throws {
        let (directory, _, processes, _) = try orphans()
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([])
        #expect(host.logged("is in no block any more"))
        for process in processes { #expect(eventually { !TestKeeper.exists(process) }) }
    }

    @Test("listen fd: the listener comes back too, and still outlives the instance")
    func adoptsListener() throws {
        let (directory, specification, processes, routes) = try orphans { specification in
            specification.listen = .descriptor
            specification.instances = 2
            specification.environment = ["MODE=fd"]
        }
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([specification])
        #expect(addresses(host) == Set(routes))
        for process in processes { kill(process, SIGKILL) }
        #expect(host.run { $0.routes.isEmpty })
        for address in routes { #expect(!AppSupervisor.isRefused(address), "the queue is open while nobody runs") }
        #expect(host.run { $0.routes.count == 2 })
        #expect(addresses(host) == Set(routes))
    }

    @Test("one process at a time has the apps of a directory")
    func locked() throws {
        let host = try TestHost()
        defer { host.finish() }
        let script = """
            import fcntl, sys
            f = open("\(host.directory.path)/s/lock", "w")
            try: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError: print("taken", flush=True); sys.exit()
            print("mine", flush=True); sys.stdin.read(1)
            """
        let path = host.directory.file("lock.py", script)
        let thief = unsafe popen("python3 '\(path)' > '\(host.directory.path)/first'", "w")
        #expect(eventually { host.directory.read("first") == "mine\n" })
        #expect(!host.supervisor.configure([host.specification()]))
        #expect(host.logged("another supervisor has them"))
        #expect(!host.run(seconds: 0.3) { !$0.processes.isEmpty })
        _ = unsafe pclose(thief)
        #expect(host.run { $0.routes.count == 1 }, "by itself, as soon as the other one is gone")
        _ = unsafe system("python3 '\(path)' > '\(host.directory.path)/second' < /dev/null")
        #expect(host.directory.read("second") == "taken\n")
        host.supervisor.handOver()
        _ = unsafe system("python3 '\(path)' > '\(host.directory.path)/third' < /dev/null")
        #expect(host.directory.read("third") == "mine\n")
        host.supervisor.configure([host.specification()])
    }

    @Test("the apps can be handed over, and taken back")
    func handOver() throws {
        let host = try TestHost()
        defer { host.finish() }
        let specification = host.specification(instances: 2)
        host.start(specification)
        let processes = host.processes
        let next = try TestHost(directory: host.directory)
        defer { next.finish() }
        host.supervisor.handOver()
        next.supervisor.configure([specification])
        #expect(next.routes.count == 2 && next.processes == processes)
        // The old one sees nothing of it, and starts nothing.
        #expect(!host.run(seconds: 0.3) { !$0.processes.isEmpty })
        #expect(next.processes == processes)
        next.supervisor.handOver()
        host.supervisor.configure([specification])
        #expect(host.processes == processes)
    }

    @Test("a supervisor whose keepers were taken by another one leaves the apps alone")
    func taken() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification())
        let process = host.processes[0]
        let path = System.glob(host.directory.path + "/s/keepers/*")[0]
        let thief = try KeeperChannel.connect(path: path)
        #expect(host.run { $0.logged("another supervisor has taken over") })
        #expect(TestKeeper.exists(process))
        #expect(host.supervisor.apps.isEmpty)
        thief.send(.kill)
        thief.send(.forget)
        #expect(eventually { !TestKeeper.exists(process) })
    }

    @Test("a deploy that was answered survives kill -9 at once")
    func deploySurvives() throws {
        let host = try TestHost()
        defer { host.finish() }
        let specification = host.specification()
        host.start(specification)
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 0))
        // The loop looks at this after each turn, and nobody is told before it does.
        #expect(host.run { $0.hasEnded(.completed) })
        host.die()
        let next = try host.successor(specification)
        defer { next.finish() }
        #expect(next.supervisor.status.first?.release == 2)
        #expect(next.supervisor.status.first?.previousRelease == 1)
    }

    @Test("who has no lock writes no state")
    func foreignState() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification())
        let state = host.directory.read("s/apps.state")
        #expect(!state.isEmpty)
        let other = try TestHost(directory: host.directory)
        other.supervisor.handOver()
        #expect(host.directory.read("s/apps.state") == state)
    }

    @Test("releases, scale and a stop survive")
    func stateSurvives() throws {
        let host = try TestHost()
        defer { host.finish() }
        let specification = host.specification()
        host.start(specification)
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 0))
        #expect(host.run { $0.hasEnded(.completed) && $0.processes.count == 1 })
        #expect(host.supervisor.scale(app: "api", to: 2) == .accepted)
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.supervisor.stop(app: "api") == .accepted)
        #expect(host.run { $0.supervisor.isGone && $0.supervisor.saveAt == nil })
        host.die()
        let next = try host.successor(specification)
        defer { next.finish() }
        #expect(!next.run(seconds: 0.3) { !$0.processes.isEmpty }, "it was stopped by hand")
        #expect(next.supervisor.start(app: "api") == .accepted)
        #expect(next.run { $0.routes.count == 2 })
        #expect(next.supervisor.status[0].release == 2)
        for route in next.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n2 ")) }
        #expect(next.supervisor.rollback(app: "api").release == 1)
    }

    @Test("the state file is for its owner only")
    func mode() throws {
        let (directory, _, processes, _) = try orphans()
        #expect(try System.facts(of: directory.path + "/s/apps.state").mode == 0o600)
        #expect(try System.facts(of: directory.path + "/s/keepers").mode == 0o700)
        for process in processes { kill(process, SIGKILL) }
        let host = try TestHost(directory: directory)
        defer { host.finish() }
        host.supervisor.configure([])
        #expect(eventually { System.glob(directory.path + "/s/keepers/*").isEmpty })
    }
}
