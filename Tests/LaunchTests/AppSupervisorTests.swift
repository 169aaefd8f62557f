import Config
import Glibc
import Machine
import struct TestKit.LiveProcess
import TestKit
import Testing

@testable import Supervisor

@Suite("Apps under the supervisor", .blocking)
struct AppSupervisorTests {
    @Test("two instances start, are routed, answer; one that is killed is un-routed at once and comes back")
    func killOne() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(instances: 2))
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("200 OK")) }
        let victim = host.processes[0]
        let other = host.processes[1]
        let start = System.now
        kill(victim, SIGKILL)
        #expect(host.run { $0.routes.count == 1 })
        #expect(System.now - start < 5000)
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.processes.contains(other) && !host.processes.contains(victim))
        #expect(host.outlooks.last == .up)
        #expect(!host.outlooks.dropFirst(2).contains { $0 != .up }, "the other one was there all the time")
    }

    @Test("what a killed app leaves is killed, too; it has not forked away")
    func leavesProcesses() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(server: """
            if os.fork() == 0: time.sleep(600)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """))
        kill(host.processes[0], SIGKILL)
        #expect(host.run { $0.logged("1 processes that it had started were left and killed") })
        #expect(!host.logged("the command must stay"))
    }

    @Test("a keeper that cannot be listened to starts nothing that runs on unknown")
    func deafToAKeeper() throws {
        let host = try TestHost()
        defer { host.finish() }
        // The kernel refuses to watch one more.
        let set = host.supervisor.poll.descriptor.number
        let (kept, null) = (dup(set), unsafe open("/dev/null", O_RDONLY))
        defer { [kept, null].forEach { close($0) } }
        dup2(null, set)
        // So many that the first keepers have begun before the last one is given up.
        var specification = host.specification(instances: AppSupervisor.spawnsPerTurn)
        let time = "86399.\(getpid())\(host.now.milliseconds)"
        specification.command = ["/bin/sleep", time]
        host.supervisor.configure([specification])
        dup2(kept, set)
        #expect(host.logged("its keeper cannot be listened to"))
        #expect(host.run { $0.processes.count == AppSupervisor.spawnsPerTurn })
        func running() -> [Int32] {
            System.glob("/proc/[0-9]*").compactMap { path in
                System.text(path + "/cmdline").contains(time) ? Int32(path.dropFirst(6)) : nil
            }
        }
        #expect(eventually { running().sorted() == host.processes }, "\(running()), not \(host.processes)")
    }

    @Test("all killed: the outlook says that one is coming, then up again")
    func killAll() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(instances: 2))
        host.outlooks = []
        for process in host.processes { kill(process, SIGKILL) }
        #expect(host.run { $0.routes.isEmpty })
        #expect(host.run { $0.routes.count == 2 })
        guard case .coming? = host.outlooks.first else {
            Issue.record("\(host.outlooks)")
            return
        }
        #expect(host.outlooks.last == .up)
    }

    @Test("a crash loop becomes implausible after three failed starts, backs off, and is never given up")
    func crashLoop() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.environment = ["BROKEN=1"]
        specification.restart = RestartPolicy(firstDelay: .milliseconds(20), lastDelay: .milliseconds(200))
        host.supervisor.configure([specification])
        #expect(host.run { host in
            host.reports.count { if case .exited(let exit, _, false) = $0.report { exit.cause == .status(3) } else { false } } >= 5
        })
        #expect(host.outlooks.contains { if case .implausible = $0 { true } else { false } })
        #expect(!host.outlooks.contains(.up))
        #expect(host.directory.read("api.log").contains("broken"))
        // Mended, it comes up by itself.
        specification.environment = []
        host.start(specification)
        #expect(host.outlooks.last == .up)
    }

    @Test("what cannot be started is said, and tried again", arguments: [
        ("command", "No such file or directory"), ("user", "unknown user or group \"no-such-user\""),
        ("file", "env_file \"/no/such/file\" cannot be read"), ("directory", "step \"directory\""),
    ])
    func badInput(what: String, words: String) throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        switch what {
        case "command": specification.command = ["/no/such/program"]
        case "user": specification.user = "no-such-user"
        case "file": specification.environmentFiles = ["/no/such/file"]
        default: specification.directory = "/no/such/directory"
        }
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged(words) })
        #expect(host.run { host in host.reports.count { if case .startFailed = $0.report { true } else { false } } >= 3 })
        #expect(host.run { host in if case .implausible? = host.outlooks.last { true } else { false } })
        #expect(host.routes.isEmpty)
    }

    @Test("an app that ignores $PORT is dialled where it listens, and that is said")
    func otherPort() throws {
        let host = try TestHost()
        defer { host.finish() }
        var chooser = PortChooser()
        let port = chooser.take() ?? 0
        host.supervisor.configure([host.specification(server: "S(('127.0.0.1', \(port)), H).serve_forever()\n")])
        #expect(host.run { $0.routes.count == 1 })
        #expect(host.routes.first?.value.address == .ipv4(0x7F00_0001, port: port))
        #expect(host.logged("listens at 127.0.0.1:\(port) instead of"))
        #expect(host.logged("it seems to ignore $PORT"))
    }

    @Test("an app bound to ::1 only is dialled there, and that is said", .enabled(if: Ports.haveIPv6, "needs IPv6"))
    func onlyIPv6() throws {
        let host = try TestHost()
        defer { host.finish() }
        let server = "S.address_family = socket.AF_INET6\nS(('::1', int(os.environ['PORT'])), H).serve_forever()\n"
        host.start(host.specification(server: server))
        guard case .ipv6(0, 1, let port)? = host.routes.first?.value.address else {
            Issue.record("\(host.routes)")
            return
        }
        #expect(host.logged("listens at [::1]:\(port) instead of 127.0.0.1:\(port)"))
        #expect(TestHost.get(.ipv6(high: 0, low: 1, port: port)).contains("200 OK"))
    }

    @Test("a fixed address that another process has is not started over, and the process is named")
    func portTaken() throws {
        let host = try TestHost()
        defer { host.finish() }
        var chooser = PortChooser()
        let address = NetworkAddress.ipv4(0x7F00_0001, port: chooser.take() ?? 0)
        let thief = try System.streamSocket(for: address)
        try System.bind(thief.number, to: address)
        try System.listen(thief.number, backlog: 5)
        var specification = host.specification()
        specification.listen = .fixed(address)
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged("\(address.listenKey) is taken by process \(System.process)") })
        #expect(host.routes.isEmpty)
    }

    @Test("more descriptors than there can be: nofile is named, and the most")
    func tooManyFiles() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.openFilesMax = 99_999_999_999
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged(": nofile 99999999999 is more than ") }, "\(host.log)")
        let warnings = AppPreflight(app: specification, worker: nil, inherited: []).warnings
        #expect(warnings.contains { $0.hasPrefix("nofile 99999999999 is more") })
    }

    @Test("a program and a folder that the app's user may not use: it is named, too", .enabled(if: System.isRoot, "needs root"))
    func closedToUser() throws {
        let host = try TestHost()
        defer { host.finish() }
        let folder = host.directory.path + "/closed"
        try System.makeDirectory(folder, mode: 0o700)
        var specification = host.specification()
        (specification.user, specification.directory) = ("nobody", folder)
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged("Permission denied): directory \"\(folder)\" as user \"nobody\"") }, "\(host.log)")
    }

    @Test("an app that never listens is stopped after start_timeout and started again")
    func neverReady() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: "time.sleep(600)\n")
        specification.startTimeout = .milliseconds(300)
        host.supervisor.configure([specification])
        #expect(host.run { host in host.reports.count { $0.report == .startTimedOut } >= 2 })
        #expect(host.routes.isEmpty)
        #expect(host.logged("not ready within start_timeout: it listens nowhere, expected at 127.0.0.1:"), "\(host.log)")
    }

    @Test("an app that is not ready in time: what was waited for is said, in the log and in the list of apps", arguments: [
        ("READY", "it said READY=1, but it listens nowhere, expected at 127.0.0.1:"),
        ("unix", "it listens at unix:"), ("descriptor", "it accepts no connection from the socket that it was given"),
        ("health", "its check /up: it answered with status 500"), ("silence", "its check /up: no answer has come yet"),
        ("health twice", "its check /up: it must pass 2 times in a row; when it failed last, it answered with status 500"),
        ("silence twice", "its check /up: it must pass 2 times in a row, and has not yet (none has failed)"),
    ])
    func unready(kind: String, text: String) throws {
        let host = try TestHost()
        defer { host.finish() }
        let path = host.directory.path + "/own.sock"
        let server = switch kind {
        case "READY": """
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\\0")); s.send(b"READY=1"); time.sleep(600)

            """
        case "unix": "s = socket.socket(socket.AF_UNIX); s.bind('\(path)' + str(os.getpid())); s.listen(); time.sleep(600)\n"
        case "descriptor": "time.sleep(600)\n"
        default: String?.none
        }
        var specification = host.specification(server: server)
        if kind == "descriptor" { specification.listen = .descriptor }
        if server == nil { specification.health = AppHealth(uri: "/up") }
        if kind.hasSuffix("twice") { specification.health?.passes = 2 }
        specification.startTimeout = .seconds(2)
        host.supervisor.configure([specification])
        if kind.hasPrefix("health") {
            #expect(host.run { !$0.checked.isEmpty })
            for key in host.checked.keys { host.supervisor.checkFailed(app: "api", instance: key, why: "it answered with status 500") }
        }
        #expect(host.run { host in host.reports.contains { $0.report == .startTimedOut } })
        #expect(host.logged("not ready within start_timeout: " + text), "\(host.log)")
        #expect(host.supervisor.status[0].instances[0].lastFailure?.contains(text) == true)
    }

    @Test("listen fd: the listener outlives the instance, and what waits in its queue is served by the next one")
    func listenDescriptor() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: """
            class F(S):
                def server_bind(self): self.server_name = "x"; self.server_port = 0
                def server_activate(self): pass
            assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
            s = F(("", 0), H, bind_and_activate=False); s.socket = socket.socket(fileno=3); s.serve_forever()

            """)
        specification.listen = .descriptor
        specification.restart.firstDelay = .seconds(1)
        host.start(specification)
        let address = try #require(host.routes.first?.value.address)
        #expect(TestHost.get(address).contains("200 OK"))
        kill(host.processes[0], SIGKILL)
        #expect(host.run { $0.routes.isEmpty })
        // Nobody runs now, and the queue was looked at: the connection is accepted by the kernel.
        #expect(!host.run(seconds: 0.4) { !$0.routes.isEmpty })
        let waiting = try System.streamSocket(for: address)
        try System.connect(waiting.number, to: address)
        try System.write(Array("GET / HTTP/1.0\r\n\r\n".utf8), to: waiting.number)
        #expect(host.run { $0.routes.count == 1 })
        #expect(host.routes.first?.value.address == address)
        var bytes = [UInt8](repeating: 0, count: 1000)
        #expect(host.run { _ in unsafe recv(waiting.number, &bytes, 1000, 0) > 0 })
    }

    @Test("listen fd: what an instance that is gone did not accept is taken out of its queue, the rest is not")
    func rescue() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.listen = .descriptor
        specification.environment = ["MODE=fd"]
        specification.restart.firstDelay = .seconds(20)
        host.start(specification)
        let address = try #require(host.routes.first?.value.address)
        func connect() throws -> Descriptor {
            let socket = try System.streamSocket(for: address)
            try System.connect(socket.number, to: address)
            return socket
        }
        // Python has a thread for each connection that it accepted.
        let threads = "/proc/\(host.processes[0])/task/*"
        #expect(eventually { System.glob(threads).count == 1 })
        let accepted = try connect()
        #expect(eventually { System.glob(threads).count == 2 })
        kill(host.processes[0], SIGSTOP)
        var waiting: [Descriptor] = []
        for _ in 0..<5 { waiting.append(try connect()) }
        kill(host.processes[0], SIGKILL)
        #expect(host.run { $0.rescued.count == 5 })
        #expect(Set(host.rescued.map(\.listenKey)) == Set(try waiting.map { try System.localAddress(of: $0.number).listenKey }))
        #expect(!host.rescued.contains(try System.localAddress(of: accepted.number)))
        let order = host.history.filter { $0.hasPrefix("unroute") || $0.hasPrefix("rescued") }
        #expect(order == ["unroute api 0#1", "rescued api"], "nobody sends a request back to the dead one")
        // Workers close their ends before these are closed here.
        var byte: UInt8 = 0
        for socket in waiting { #expect(unsafe recv(socket.number, &byte, 1, Int32(MSG_DONTWAIT)) < 0) }
        // One that connected before it knew of the end is found by a second look.
        let late = try connect()
        #expect(host.run { $0.rescued.count == 6 })
        #expect(host.rescued.last == (try System.localAddress(of: late.number)))
        host.rescued = []
        #expect(host.run(seconds: 30) { $0.supervisor.rescued.isEmpty }, "they are not kept for ever")
    }

    @Test("listen fd: what is taken out of a queue leaves half of the descriptors for apps and workers; the rest follows")
    func rescueWithFewDescriptors() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.listen = .descriptor
        specification.environment = ["MODE=fd"]
        specification.restart.firstDelay = .seconds(20)
        host.start(specification)
        let address = try #require(host.routes.first?.value.address)
        kill(host.processes[0], SIGSTOP)
        let waiting = try (0..<5).map { _ in
            let socket = try System.streamSocket(for: address)
            try System.connect(socket.number, to: address)
            return socket
        }
        defer { withExtendedLifetime(waiting) {} }
        // Every number that is free is above the half.
        host.supervisor.descriptorsMax = 2
        kill(host.processes[0], SIGKILL)
        #expect(host.run { $0.rescued.count == 1 })
        #expect(!host.run(seconds: 0.5) { $0.rescued.count != 1 })
        host.supervisor.descriptorsMax = System.descriptorsMax
        #expect(host.run(seconds: 30) { $0.rescued.count == 5 }, "as soon as the first is let go of")
    }

    @Test("listen unix: the path is in $SOCKET_PATH and can be dialled by others")
    func listenUnix() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: """
            class U(S): address_family = socket.AF_UNIX
            U(os.environ["SOCKET_PATH"], H).serve_forever()

            """)
        specification.listen = .unix
        if System.isRoot { specification.user = "nobody" }
        host.start(specification)
        guard case .unix(let bytes)? = host.routes.first?.value.address else {
            Issue.record("\(host.routes)")
            return
        }
        let path = String(decoding: bytes, as: UTF8.self)
        #expect(try System.facts(of: path).mode == 0o666)
        _ = host.supervisor.stop(app: "api")
        #expect(host.run { $0.supervisor.isGone })
        #expect(!System.exists(path))
    }

    @Test("health: routed only after the worker's check passed; READY=1 does as well")
    func health() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.health = AppHealth()
        host.supervisor.configure([specification])
        #expect(host.run { $0.checked.count == 1 })
        #expect(!host.run(seconds: 0.3) { !$0.routes.isEmpty })
        let key = try #require(host.checked.keys.first)
        host.supervisor.healthChanged(app: "api", instance: key, isHealthy: true)
        #expect(host.routes.count == 1)
        host.supervisor.healthChanged(app: "api", instance: key, isHealthy: false)
        #expect(host.reports.last?.report == .unhealthy)
        #expect(host.routes.count == 1, "the balancer avoids it, it is not taken away")
    }

    @Test("restart never: it stays at rest, and start starts it")
    func restartNever() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.restart.condition = .never
        host.start(specification)
        kill(host.processes[0], SIGKILL)
        #expect(host.run { $0.outlooks.last == .down })
        #expect(!host.run(seconds: 0.4) { !$0.routes.isEmpty })
        #expect(host.supervisor.start(app: "api") == .accepted)
        #expect(host.run { $0.routes.count == 1 })
    }

    @Test("stop un-routes before the signal, and nothing is left")
    func stopAll() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.supervisor.configure([host.specification(instances: 2), host.specification("web")])
        #expect(host.run { $0.routes.count == 3 })
        let processes = host.processes
        host.supervisor.stopAll()
        #expect(host.run { $0.supervisor.isGone })
        for process in processes { #expect(!TestKeeper.exists(process)) }
        #expect(eventually { System.glob(host.directory.path + "/s/keepers/*").isEmpty })
        for key in ["api 0#1", "api 1#2", "web 0#1"] {
            let unrouted = try #require(host.history.lastIndex(of: "unroute \(key)"))
            let exited = try #require(host.history.lastIndex(of: "exited \(key)"))
            #expect(unrouted < exited)
        }
    }

    @Test("when a keeper is killed, the app is un-routed, its remains go, and a new one comes")
    func keeperKilled() throws {
        let host = try TestHost()
        defer { host.finish() }
        let specification = host.specification(server: """
            import subprocess
            subprocess.Popen(["sleep", "600"])
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        host.start(specification)
        let app = host.processes[0]
        let family = ProcessFacts.family(app: app, keeper: -1)
        #expect(family.count == 2)
        let keeper = try #require(host.supervisor.apps["api"]?.instances.values.first?.keeperProcess)
        kill(keeper, SIGKILL)
        #expect(host.run { $0.routes.isEmpty })
        #expect(host.run { host in host.routes.count == 1 && host.processes != [app] })
        #expect(host.logged("its keeper died"))
        for process in family { #expect(eventually { !LiveProcess(process).isAlive }) }
    }
}
