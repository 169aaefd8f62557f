import Foundation
import Testing
import TestKit

/// The supervisor dies, or is replaced: workers and apps go on, and the next one takes them over.
@Suite("When the supervisor", .blocking, .enabled(if: Target.isGoodgate))
struct Takeovers {
    /// A gateway with two workers and one app behind `location /`.
    private func siteWithApp(_ directory: TemporaryDirectory, server: String = "") throws -> Site {
        try directory.write("app.py", AppProgram.source)
        return try Site(
            http: "upstream back { app one; keepalive 16; }",
            server: "\(server) location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection \"\"; }",
            main: "app one { command /usr/bin/python3 \(directory.path)/app.py; }", workers: 2, directory: directory)
    }

    /// Kills the supervisor, and nothing else.
    /// - Returns: the workers that are left.
    private func bereave(_ gateway: GatewayProcess) throws -> [pid_t] {
        #expect(eventually { gateway.workers.count == 2 && gateway.workers.allSatisfy(isSealed) })
        let workers = gateway.workers
        gateway.signal(SIGKILL)
        #expect(gateway.process.wait(seconds: 60) == .signalled(SIGKILL))
        #expect(workers.allSatisfy { LiveProcess($0).isAlive })
        return workers
    }

    /// Starts the program again where another one was.
    private func next(in directory: TemporaryDirectory) throws -> GatewayProcess {
        try? FileManager.default.removeItem(atPath: directory.path + "/gateway.pid")
        return try GatewayProcess(configuration: directory.read(GatewayProcess.configurationName), directory: directory)
    }

    /// Processes of a supervisor whose title has a word.
    private func children(of process: pid_t, named word: String) -> [pid_t] {
        LiveProcess(process).children.filter { LiveProcess($0).commandLine.contains("\(word) process") }
    }

    /// Whether a worker has got everything and given up its rights: as root it is nobody then, else nobody may look into it.
    private func isSealed(_ process: pid_t) -> Bool {
        var facts = stat()
        guard stat("/proc/\(process)", &facts) == 0 else { return false }
        guard Target.isRoot else { return facts.st_uid == 0 }
        let users = LiveProcess(process).status("Uid")
        return !users.isEmpty && !users.hasPrefix("0\t")
    }

    @Test("is killed twice under load, nothing is refused: its workers serve, and drain once others do", arguments: ["", "reuseport"])
    func killedUnderLoad(_ option: String) throws {
        let origin = try Origin(answer: "x")
        let directory = try TemporaryDirectory()
        let port = Ports.free()
        var gateway = try GatewayProcess(
            http: "server { listen 127.0.0.1:\(port) \(option); location / { proxy_pass http://127.0.0.1:\(origin.port); } }", workers: 2,
            directory: directory)
        let load = Load(port: port, clients: 6)
        for _ in 0..<2 {
            let orphans = try bereave(gateway)
            let count = load.count
            #expect(eventually { load.count > count + 100 }, "they serve on")
            let old = gateway
            defer { old.process.kill() }
            gateway = try next(in: directory)
            #expect(eventually { !orphans.contains(where: { LiveProcess($0).isAlive }) }, "they drain: \(gateway.errorLog)")
        }
        #expect(eventually { load.count > 300 })
        #expect(load.finish().failures == [], "\(gateway.errorLog)")
        gateway.stop(SIGQUIT)
        #expect(Ports.isFree(port))
        #expect(!FileManager.default.fileExists(atPath: directory.statePath), "nothing is left behind")
    }

    @Test("is killed, apps run on; the next one neither doubles nor restarts them, whatever became of the state file",
          arguments: [nil, "", "\u{0}garbage\n", "goodgate apps 1\nboot other\n"])
    func appsRunOn(_ state: String?) throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try site.client(timeout: 30).request().text
        let load = Load(port: site.port, clients: 4)
        // The supervisor tells its workers of the instance one after the other; on a busy machine it can be killed between the two.
        #expect(eventually { load.count > 100 })
        let orphans = try bereave(site.gateway)
        let count = load.count
        #expect(eventually { load.count > count + 50 })
        if let state { try Data(state.utf8).write(to: URL(fileURLWithPath: directory.statePath + "/apps.state")) }
        let next = try next(in: directory)
        #expect(eventually { !orphans.contains(where: { LiveProcess($0).isAlive }) }, "\(next.errorLog)")
        #expect(try site.client(timeout: 30).request().text == app)
        #expect(load.finish().failures == [], "\(next.errorLog)")
        if state != nil { #expect(next.errorLog.contains("apps.state\" is damaged")) }
        next.stop(SIGQUIT, seconds: 20)
        #expect(eventually { !LiveProcess(pid_t(app) ?? 0).isAlive })
    }

    @Test("is killed, the next one may listen elsewhere: what stays is never refused, what goes is closed")
    func changedListens() throws {
        let directory = try TemporaryDirectory()
        let (stays, goes, comes) = (Ports.free(), Ports.free(), Ports.free())
        func http(_ port: Int, _ socket: String) -> String {
            """
            server { listen 127.0.0.1:\(stays); listen 127.0.0.1:\(port); listen unix:\(directory.path)/\(socket).sock;
                     location / { return 200 \(socket); } }
            """
        }
        let gateway = try GatewayProcess(http: http(goes, "old"), workers: 2, directory: directory)
        defer { gateway.process.kill() }
        let load = Load(port: stays, clients: 4)
        let orphans = try bereave(gateway)
        try gateway.rewrite(http: http(comes, "new"), workers: 2)
        let next = try next(in: directory)
        #expect(eventually { !orphans.contains(where: { LiveProcess($0).isAlive }) }, "\(next.errorLog)")
        for port in [stays, comes] { #expect(try Client.get(port, "/").text == "new") }
        #expect(Ports.isFree(goes))
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/old.sock"))
        #expect(FileManager.default.fileExists(atPath: directory.path + "/new.sock"))
        #expect(load.finish().failures == [])
        next.stop(SIGQUIT)
    }

    @Test("is killed after a reload that named another pid file, it is taken over as well, and again after another one")
    func changedPidFile() throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try site.client(timeout: 30).request().text
        #expect(eventually { site.gateway.workers.count == 2 })
        let first = site.gateway.workers
        let text = directory.read(GatewayProcess.configurationName)
        try directory.write(GatewayProcess.configurationName, text.replacingOccurrences(of: "pid gateway.pid", with: "pid other.pid"))
        site.gateway.signal(SIGHUP)
        #expect(eventually { !first.contains(where: { LiveProcess($0).isAlive }) })
        let load = Load(port: site.port, clients: 2)
        let orphans = try bereave(site.gateway)
        try? FileManager.default.removeItem(atPath: directory.path + "/other.pid")
        let next = try RunningProcess(GatewayProcess.binary, GatewayProcess.arguments(directory.path), errors: directory.path + "/stderr")
        defer { next.kill() }
        #expect(eventually { !orphans.contains(where: { LiveProcess($0).isAlive }) }, "\(site.gateway.errorLog)")
        #expect(try site.client(timeout: 30).request().text == app)
        #expect(load.finish().failures == [])
        next.signal(SIGQUIT)
        #expect(next.wait(seconds: 60) == .exited(0))
        // Stopped and started anew, there is nothing to find, and nothing in the way.
        let last = try RunningProcess(GatewayProcess.binary, GatewayProcess.arguments(directory.path), errors: directory.path + "/stderr")
        defer { last.kill() }
        #expect(eventually { (try? site.client(timeout: 30).request().status) == 200 }, "\(site.gateway.errorLog)")
        last.signal(SIGQUIT)
        #expect(last.wait(seconds: 60) == .exited(0))
        #expect(!site.gateway.errorLog.contains("cannot be supervised"))
    }

    @Test("is killed and a start fails, workers serve on, and the next good start takes them over")
    func failedStart() throws {
        let taken = try Origin(answer: "taken")
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try site.client(timeout: 30).request().text
        let load = Load(port: site.port, clients: 2)
        let orphans = try bereave(site.gateway)
        let good = directory.read(GatewayProcess.configurationName)
        try directory.write(
            GatewayProcess.configurationName,
            good.replacingOccurrences(of: "server {", with: "server { listen 127.0.0.1:\(taken.port);"))
        let failed = try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(directory.path), seconds: 60)
        #expect(failed.ending == .exited(1))
        #expect(orphans.allSatisfy { LiveProcess($0).isAlive })
        try directory.write(GatewayProcess.configurationName, good)
        let next = try next(in: directory)
        #expect(eventually { !orphans.contains(where: { LiveProcess($0).isAlive }) }, "\(next.errorLog)")
        #expect(try site.client(timeout: 30).request().text == app)
        #expect(load.finish().failures == [])
        next.stop(SIGQUIT, seconds: 20, allowing: ["bind()", "is in use by process"])
    }

    @Test("lives, a second start takes nothing from it")
    func secondStart() throws {
        let directory = try TemporaryDirectory()
        let site = try Site(server: "return 200 x;", workers: 2, directory: directory)
        #expect(eventually { site.gateway.workers.count == 2 })
        let workers = site.gateway.workers
        let second = try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(directory.path), seconds: 60)
        #expect(second.ending == .exited(1))
        #expect(directory.read("error.log").contains("still could not bind()"))
        #expect(site.gateway.workers == workers)
        #expect(try site.get().text == "x")
        site.stop(SIGQUIT, allowing: ["bind()", "is in use by process"])
    }

    @Test("is killed, a worker that does not answer the next one drains when it can")
    func lateAnswer() throws {
        let directory = try TemporaryDirectory()
        let site = try Site(server: "return 200 x;", workers: 2, directory: directory)
        defer { site.gateway.process.kill() }
        let orphans = try bereave(site.gateway)
        hold([orphans[0]])
        let next = try next(in: directory)
        #expect(eventually { !LiveProcess(orphans[1]).isAlive }, "\(next.errorLog)")
        #expect(LiveProcess(orphans[0]).status("State").hasPrefix("T"), "\(next.errorLog)")
        kill(orphans[0], SIGCONT)
        #expect(eventually { !LiveProcess(orphans[0]).isAlive }, "\(next.errorLog)")
        #expect(try site.get().text == "x")
        next.stop(SIGQUIT)
    }

    @Test("starts a new binary under load, apps are handed over; the old workers know of them until they go", arguments: [SIGQUIT, SIGKILL])
    func upgrade(_ end: Int32) throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        #expect(eventually { site.gateway.workers.count == 2 })
        let oldWorkers = site.gateway.workers
        let load = Load(port: site.port, clients: 4)
        site.gateway.signal(SIGUSR2)
        #expect(eventually { site.gateway.pid.map { $0 != site.gateway.process.pid } ?? false }, "\(site.gateway.errorLog)")
        let new = try #require(site.gateway.pid)
        defer { kill(new, SIGKILL) }
        #expect(site.gateway.waitForError("process \(app) was taken over"))
        #expect(try site.client().request().text == "\(app)")
        // Both generations serve: when the app dies, each has to hear of the next one from the new binary.
        kill(app, SIGKILL)
        let count = load.count
        #expect(eventually { load.count > count + 200 }, "\(site.gateway.errorLog)")
        #expect(oldWorkers.allSatisfy { LiveProcess($0).isAlive })
        site.gateway.signal(end)
        #expect(eventually { !oldWorkers.contains(where: { LiveProcess($0).isAlive }) }, "\(site.gateway.errorLog)")
        #expect(load.finish().failures == [], "\(site.gateway.errorLog)")
        #expect(eventually { !FileManager.default.fileExists(atPath: directory.path + "/gateway.pid.oldbin") })
        let second = try #require(pid_t(try site.client(timeout: 30).request().text))
        #expect(second != app && LiveProcess(second).isAlive)
        kill(new, SIGQUIT)
        #expect(eventually { !LiveProcess(second).isAlive && !LiveProcess(new).isAlive }, "\(site.gateway.errorLog)")
    }

    /// Starts a new binary beside the old one, and waits until it has the app and its workers serve.
    private func startNewBinary(_ site: Site, app: pid_t) throws -> (process: pid_t, workers: [pid_t]) {
        let count = site.gateway.workers.count
        site.gateway.signal(SIGUSR2)
        #expect(eventually { site.gateway.pid.map { $0 != site.gateway.process.pid } ?? false }, "\(site.gateway.errorLog)")
        let new = try #require(site.gateway.pid)
        #expect(site.gateway.waitForError("process \(app) was taken over"))
        #expect(eventually { children(of: new, named: "worker").filter(isSealed).count == count })
        return (new, children(of: new, named: "worker"))
    }

    @Test("starts a new binary which is killed: the new workers are found and drain, apps are watched again")
    func newBinaryKilled() throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        let load = Load(port: site.port, clients: 4)
        let new = try startNewBinary(site, app: app)
        defer { new.workers.forEach { kill($0, SIGKILL) } }
        kill(new.process, SIGKILL)
        #expect(eventually { !new.workers.contains(where: { LiveProcess($0).isAlive }) }, "\(site.gateway.errorLog)")
        #expect(try site.client(timeout: 30).request().text == "\(app)")
        // Whoever still served with the routes of before would fail from here on.
        kill(app, SIGKILL)
        let count = load.count
        #expect(eventually { load.count > count + 200 }, "\(site.gateway.errorLog)")
        #expect(load.finish().failures == [], "\(site.gateway.errorLog)")
        let second = try #require(pid_t(try site.client(timeout: 30).request().text))
        site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["new binary process \(new.process) exited on signal"])
        #expect(Ports.isFree(site.port))
        #expect(eventually { ![app, second].contains(where: { LiveProcess($0).isAlive }) })
    }

    @Test("drains beside a new binary which is killed: what serves is left to the next start")
    func newBinaryKilledWhileTheOldDrains() throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory, server: "listen unix:\(directory.path)/s.sock;")
        defer { site.gateway.process.kill() }
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        let slow = try site.client(timeout: 30)
        try slow.send(Client.head("GET", "/", bodyCount: 2) + Bytes("a"))
        let new = try startNewBinary(site, app: app)
        defer { new.workers.forEach { kill($0, SIGKILL) } }
        let load = Load(port: site.port, clients: 4)
        site.gateway.signal(SIGQUIT)
        #expect(site.gateway.waitForError("(SIGQUIT) received"))
        kill(new.process, SIGKILL)
        #expect(site.gateway.waitForError("left to the next start"), "\(site.gateway.errorLog)")
        try slow.send("b")
        #expect(try slow.readReply().status == 200)
        #expect(site.gateway.process.wait(seconds: 60) == .exited(0), "\(site.gateway.errorLog)")
        #expect(([app] + new.workers).allSatisfy { LiveProcess($0).isAlive }, "\(site.gateway.errorLog)")
        #expect(FileManager.default.fileExists(atPath: directory.path + "/s.sock"))
        let next = try next(in: directory)
        #expect(eventually { !new.workers.contains(where: { LiveProcess($0).isAlive }) }, "\(next.errorLog)")
        #expect(try site.client(timeout: 30).request().text == "\(app)")
        #expect(load.finish().failures == [], "\(next.errorLog)")
        next.stop(SIGQUIT, seconds: 20, allowing: ["new binary process \(new.process) exited on signal"])
        #expect(eventually { !LiveProcess(app).isAlive })
        for file in ["s.sock", "gateway.pid", "gateway.pid.oldbin"] {
            #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/\(file)"), "\(file) is left behind")
        }
    }

    @Test("takes apps back from a new binary that ended: instances that died meanwhile are nowhere")
    func appsComeBack() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        defer { control.site.gateway.process.kill() }
        let app = try #require(try control.instances().compactMap { $0["process"] as? Int }.first)
        let new = try startNewBinary(control.site, app: pid_t(app))
        kill(pid_t(app), SIGKILL)
        #expect(control.site.gateway.waitForError("app one.0#2: ready"), "\(control.site.gateway.errorLog)")
        kill(new.process, SIGQUIT)
        #expect(eventually { (try? control.instances().first?["serial"]) as? Int == 2 }, "\(control.site.gateway.errorLog)")
        let address = try #require(try control.instances().first?["address"] as? String)
        func servers() throws -> [String] {
            let upstreams = try control.status()["upstreams"] as? [[String: Any]] ?? []
            return (upstreams.first?["servers"] as? [[String: Any]] ?? []).compactMap { $0["address"] as? String }
        }
        #expect(eventually { (try? servers()) == [address] }, "\((try? servers()) ?? []), not \(address)")
        control.site.stop()
    }

    /// Stops processes. One that still is to be scheduled for that would be woken for a connection, and not take it.
    private func hold(_ processes: [pid_t]) {
        processes.forEach { kill($0, SIGSTOP) }
        #expect(eventually { processes.allSatisfy { LiveProcess($0).status("State").hasPrefix("T") } })
    }

    @Test("has left apps to a new binary: a worker that it starts then hears where they are now")
    func lateWorker() throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        let new = try startNewBinary(site, app: app)
        defer { kill(new.process, SIGKILL) }
        kill(app, SIGKILL)
        #expect(site.gateway.waitForError("app one.0#2: ready"), "\(site.gateway.errorLog)")
        let old = site.gateway.workers
        old.forEach { kill($0, SIGKILL) }
        #expect(eventually { Set(site.gateway.workers).subtracting(old).filter(isSealed).count == 2 })
        // From here on, only these accept.
        hold(new.workers)
        #expect(eventually { (try? site.client(timeout: 2).request().status) == 200 }, "\(site.gateway.errorLog)")
        #expect((0..<20).allSatisfy { _ in (try? site.client(timeout: 30).request().status) == 200 })
        new.workers.forEach { kill($0, SIGCONT) }
        kill(new.process, SIGQUIT)
        #expect(eventually { !LiveProcess(new.process).isAlive })
        site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["exited on signal 9"])
    }

    @Test("has left apps to a new binary: what a dead instance never accepted of the old workers' goes to another one")
    func rescueForOldWorkers() throws {
        let (site, victim) = try RescueTests.site(listen: "fd", workers: 1, TemporaryDirectory())
        defer { site.gateway.process.kill() }
        let new = try startNewBinary(site, app: victim)
        defer { kill(new.process, SIGKILL) }
        // All requests are the old worker's.
        hold(new.workers)
        let statuses = RescueTests.postsAroundADeath(site, victim: victim)
        new.workers.forEach { kill($0, SIGCONT) }
        // One may have been accepted.
        #expect(statuses.count { $0.value != 200 } <= 1, "\(statuses)\(site.gateway.errorLog)")
        kill(new.process, SIGQUIT)
        #expect(eventually { !LiveProcess(new.process).isAlive })
        site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["exited on signal 9"])
    }

    @Test("drains beside another binary: once that one has ended, clients are refused", arguments: [false, true])
    func refusedWhileItDrains(_ newDrains: Bool) throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin)
        defer { site.gateway.process.kill() }
        let old = site.gateway.process.pid
        site.gateway.signal(SIGUSR2)
        #expect(eventually { site.gateway.pid.map { $0 != old } ?? false }, "\(site.gateway.errorLog)")
        let new = try #require(site.gateway.pid)
        defer { kill(new, SIGKILL) }
        #expect(eventually { children(of: new, named: "worker").filter(isSealed).count == 1 })
        let (draining, ending) = newDrains ? (new, old) : (old, new)
        // So that the other one has the connection.
        let idle = children(of: ending, named: "worker")
        hold(idle)
        let slow = try site.client(timeout: 30)
        #expect(try slow.request().status == 200)
        try slow.send(Client.head("POST", "/", bodyCount: 2) + Bytes("a"))
        idle.forEach { kill($0, SIGCONT) }
        kill(draining, SIGQUIT)
        kill(ending, SIGQUIT)
        #expect(eventually { !LiveProcess(ending).isAlive }, "\(site.gateway.errorLog)")
        #expect(eventually { Ports.isFree(site.port) })
        #expect(LiveProcess(draining).isAlive)
        try slow.send("b")
        #expect(try slow.readReply().status == 200)
        #expect(eventually { !LiveProcess(draining).isAlive }, "\(site.gateway.errorLog)")
    }

    @Test("starts a new binary whose configuration names another pid file: it has the same apps, and so has the next one")
    func upgradeWithAnotherPidFile() throws {
        let directory = try TemporaryDirectory()
        let site = try siteWithApp(directory)
        defer { site.gateway.process.kill() }
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        #expect(eventually { site.gateway.workers.filter(isSealed).count == 2 })
        let text = directory.read(GatewayProcess.configurationName)
        try directory.write(GatewayProcess.configurationName, text.replacingOccurrences(of: "pid gateway.pid", with: "pid other.pid"))
        site.gateway.signal(SIGUSR2)
        #expect(site.gateway.waitForError("process \(app) was taken over"), "\(site.gateway.errorLog)")
        func other() -> pid_t? { pid_t(directory.read("other.pid").trimmingCharacters(in: .whitespacesAndNewlines)) }
        let new = try #require(other())
        defer { kill(new, SIGKILL) }
        site.gateway.signal(SIGQUIT)
        #expect(site.gateway.process.wait(seconds: 60) == .exited(0), "\(site.gateway.errorLog)")
        #expect(try site.client(timeout: 30).request().text == "\(app)")
        kill(new, SIGKILL)
        #expect(eventually { !LiveProcess(new).isAlive })
        let last = try RunningProcess(GatewayProcess.binary, GatewayProcess.arguments(directory.path), errors: directory.path + "/stderr")
        defer { last.kill() }
        #expect(eventually { other() == last.pid })
        #expect(try site.client(timeout: 30).request().text == "\(app)")
        last.signal(SIGQUIT)
        #expect(last.wait(seconds: 60) == .exited(0))
        #expect(eventually { !LiveProcess(app).isAlive })
    }

    /// Both binaries of an upgrade are told to end; which of them is already past all decisions differs.
    enum DoubleEnd: CaseIterable { case atOnce, oldFirst, newFirst, oldWhileItDrains }

    @Test("upgrades, and both binaries are ended: whoever is last stops the apps and leaves no file", arguments: DoubleEnd.allCases)
    func bothEnd(_ order: DoubleEnd) throws {
        let directory = try TemporaryDirectory()
        try directory.write("app.py", AppProgram.source)
        try directory.write("posts", "")
        chmod(directory.path + "/posts", 0o666)
        let site = try Site(
            http: "upstream back { app one; }",
            server: "listen unix:\(directory.path)/s.sock; location / { proxy_pass http://back; }",
            main: "control unix:\(directory.path)/control.sock; app one { directory \(directory.path); command /usr/bin/python3 app.py; }",
            directory: directory)
        defer { site.gateway.process.kill() }
        let old = site.gateway.process.pid
        let app = try #require(pid_t(try site.client(timeout: 30).request().text))
        site.gateway.signal(SIGUSR2)
        #expect(eventually { site.gateway.pid.map { $0 != old } ?? false }, "\(site.gateway.errorLog)")
        let new = try #require(site.gateway.pid)
        defer { kill(new, SIGKILL) }
        #expect(site.gateway.waitForError("process \(app) was taken over"))
        #expect(eventually { [old, new].allSatisfy { !children(of: $0, named: "control").isEmpty } })
        // A program whose control process does not go lingers in its last steps.
        func linger(_ process: pid_t) throws {
            kill(try #require(children(of: process, named: "control").first), SIGSTOP)
            kill(process, SIGQUIT)
            #expect(eventually { children(of: process, named: "worker").isEmpty })
        }
        switch order {
        case .atOnce: break
        case .oldFirst: try linger(old)
        case .newFirst: try linger(new)
        case .oldWhileItDrains:
            let slow = try site.client(timeout: 30)
            // Its 100 says that a worker has it: what still waits to be accepted when both go is nobody's.
            try slow.send(Client.head("POST", "/", ["Expect: 100-continue"], bodyCount: 2))
            #expect(try slow.readReply().status == 100)
            try slow.send("a")
            kill(old, SIGQUIT)
            kill(new, SIGQUIT)
            #expect(eventually { !LiveProcess(new).isAlive || !LiveProcess(old).isAlive }, "\(site.gateway.errorLog)")
            #expect(LiveProcess(app).isAlive, "a request is still to be answered by it")
            try slow.send("b")
            let reply = try slow.readReply()
            #expect(reply.status == 200, "\(site.gateway.errorLog)")
        }
        kill(old, SIGQUIT)
        kill(new, SIGQUIT)
        #expect(eventually { ![old, new, app].contains(where: { LiveProcess($0).isAlive }) }, "\(site.gateway.errorLog)")
        for file in ["s.sock", "gateway.pid", "gateway.pid.oldbin"] {
            #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/\(file)"), "\(file) is left behind")
        }
    }
}
