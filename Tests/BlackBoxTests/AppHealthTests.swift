import Foundation
import Synchronization
import Testing
import TestKit

/// `health` of an app: one worker asks each instance, and all of them act on what it hears.
@Suite("The health of an app", .blocking, .enabled(if: Target.isGoodgate))
struct AppHealth {
    private static let health = "health uri=/health interval=100ms timeout=500ms fails=3;"

    private func site(
        _ directory: TemporaryDirectory, app: String = "", health: String = AppHealth.health, workers: Int = 1, isWell: Bool = true
    ) throws -> Site {
        try directory.write("app.py", AppProgram.source)
        if isWell { try directory.write("well", "") }
        let command = "command /usr/bin/python3 \(directory.path)/app.py 0 checked; directory \(directory.path);"
        return try Site(
            http: "upstream back { app one; }", server: "location / { proxy_pass http://back; proxy_read_timeout 60s; }",
            main: "app one { \(command) \(health) \(app) }", workers: workers, directory: directory)
    }

    private func process(_ site: Site) throws -> pid_t {
        let reply = try site.client(timeout: 30).request()
        return try #require(pid_t(reply.text), "\(reply.status) \(reply.text) \(site.gateway.errorLog)")
    }

    /// The processes of all instances, when so many answer.
    private func processes(_ site: Site, _ count: Int) throws -> [pid_t] {
        var seen = Set<pid_t>()
        #expect(try eventually {
            seen.insert(try process(site))
            return seen.count == count
        })
        return seen.sorted()
    }

    /// Whether the next requests all go to one of these.
    private func all(_ site: Site, goTo processes: [pid_t], requests: Int = 8) throws -> Bool {
        for _ in 0..<requests where !processes.contains(try process(site)) { return false }
        return true
    }

    @Test("keeps an instance from being ready until its check passes") func readiness() throws {
        let directory = try TemporaryDirectory()
        let site = try site(directory, isWell: false)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let load = Load(port: site.port, clients: 2)
        #expect(site.gateway.waitForError("app one.0#1: started"))
        #expect(!eventually(within: 1) { site.gateway.errorLog.contains("ready after") }, "it listens, and is not well")
        #expect(load.count == 0)
        try directory.write("well", "")
        #expect(site.gateway.waitForError("app one.0#1: ready after"))
        #expect(eventually { load.count > 20 })
        #expect(load.finish().failures == [])
        #expect(!site.gateway.errorLog.contains("is unhealthy"), "nobody has to hear of a boot")
    }

    @Test("is what its match block says, not the status alone") func match() throws {
        let directory = try TemporaryDirectory()
        try directory.write("app.py", AppProgram.source)
        let site = try Site(
            http: #"upstream back { app one; } match busy { status 503; header Server ~ BaseHTTP; body ~ "^[0-9]+$"; }"#,
            server: "location / { proxy_pass http://back; }",
            main: """
                app one { command /usr/bin/python3 app.py 0 checked; directory \(directory.path);
                          health uri=/health interval=100ms timeout=20s fails=1 match=busy; start_timeout 600s; }
                """, directory: directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        #expect(site.gateway.waitForError("app one.0#1: ready after"), "it says 503, as it is to")
        _ = try process(site)
        try directory.write("well", "")
        #expect(site.gateway.waitForError("is unhealthy: "), "\(site.gateway.errorLog)")
    }

    @Test("takes a sick instance out, and back when it is well") func sickness() throws {
        let directory = try TemporaryDirectory()
        let site = try site(directory, app: "instances 2;", workers: 2)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let both = try processes(site, 2)
        try directory.write("sick-\(both[0])", "")
        #expect(site.gateway.waitForError("is unhealthy: 3 checks in a row failed, it answered with status 503"))
        #expect(try eventually { try all(site, goTo: [both[1]]) }, "the workers hear of it as soon as the log")
        try FileManager.default.removeItem(atPath: directory.path + "/sick-\(both[0])")
        #expect(site.gateway.waitForError("is healthy"))
        #expect(try processes(site, 2) == both)
    }

    /// Whether the next requests all avoid these.
    private func none(_ site: Site, goesTo processes: [pid_t], requests: Int = 8) throws -> Bool {
        for _ in 0..<requests where processes.contains(try process(site)) { return false }
        return true
    }

    @Test("finds an instance that hangs, and one that hangs after the checking worker was killed") func hang() throws {
        let directory = try TemporaryDirectory()
        // Patient, or on a loaded machine the other two do not answer either, and nobody is left to go to.
        let site = try site(
            directory, app: "instances 3; stop_timeout 1s;", health: "health uri=/health interval=100ms timeout=2s fails=3;", workers: 2)
        defer { site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["exited on signal 9"]) }
        let three = try processes(site, 3)
        kill(three[0], SIGSTOP)
        // Requests that it had already go to the others when its check fails, not when proxy_read_timeout ends.
        var areAllServed = false
        let seconds = try secondsTaken { areAllServed = try none(site, goesTo: [three[0]]) }
        #expect(areAllServed && seconds < 40, "\(seconds) s, \(three[0]): \(site.gateway.errorLog)")
        #expect(site.gateway.waitForError("it did not answer in time"))
        #expect(site.gateway.waitForError("upstream does not answer its health check while reading response header from upstream"))
        #expect(try none(site, goesTo: [three[0]]))
        for worker in site.gateway.workers { kill(worker, SIGKILL) }
        #expect(eventually { site.gateway.workers.count == 2 })
        #expect(try none(site, goesTo: [three[0]]), "what is known outlives the workers")
        #expect(site.gateway.waitForError("does not answer its health check, is replaced"))
        kill(three[1], SIGSTOP)
        #expect(eventually { site.gateway.errorLog.split(separator: "\n").count { $0.contains("it did not answer in time") } >= 2 })
        #expect(try none(site, goesTo: [three[0], three[1]]))
    }

    @Test("replaces an instance that hangs: promptly, a new one first, and the old one really ends", arguments: [1, 2])
    func replacement(instances: Int) throws {
        let directory = try TemporaryDirectory()
        let site = try site(directory, app: "instances \(instances); start_timeout 20s;", workers: 2)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let before = try processes(site, instances)
        let load = Load(port: site.port, clients: 4, pause: 0.005)
        #expect(eventually { load.count > 50 })
        kill(before[0], SIGSTOP)
        let seconds = secondsTaken {
            #expect(site.gateway.waitForError("#\(instances + 1): ready after"), "\(site.gateway.errorLog)")
        }
        // 1.8 s until it is known to hang, half a second of patience, and a start.
        #expect(seconds < 40)
        #expect(eventually { kill(before[0], 0) != 0 }, "SIGTERM reaches a stopped process as well")
        let after = try processes(site, instances)
        #expect(!after.contains(before[0]) && Set(before.dropFirst()).isSubset(of: after), "\(before) \(after)")
        let result = load.finish()
        #expect(result.failures == [], "\(site.gateway.errorLog)")
        #expect(result.slowest < 25)
        #expect(site.gateway.errorLog.split(separator: "\n").count { $0.contains("is replaced") } == 1)
    }

    @Test("never has a POST executed twice because an instance hung for a time") func posts() throws {
        let directory = try TemporaryDirectory()
        // The app may run as another user.
        try directory.write("posts", "")
        chmod(directory.path + "/posts", 0o666)
        let site = try site(directory, app: "instances 2;", workers: 2)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let both = try processes(site, 2)
        kill(both[0], SIGSTOP)
        let statuses = Mutex<[Int]>([])
        for _ in 0..<6 {
            Thread.detachNewThread {
                let status = (try? site.client(timeout: 30).request("POST", body: Bytes("x")).status) ?? 0
                statuses.withLock { $0.append(status) }
            }
        }
        #expect(site.gateway.waitForError("it did not answer in time"))
        #expect(eventually { statuses.withLock { $0.count } >= 2 })
        #expect(statuses.withLock { $0.count } < 6, "some are with the one that hangs")
        kill(both[0], SIGCONT)
        #expect(eventually { statuses.withLock { $0.count } == 6 })
        #expect(statuses.withLock { $0 } == Array(repeating: 200, count: 6))
        #expect(directory.read("posts") == "xxxxxx")
    }

    @Test("keeps what it knows over a reload, and follows the new parameters") func reload() throws {
        let directory = try TemporaryDirectory()
        let site = try site(directory, app: "instances 2;", workers: 2)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let both = try processes(site, 2)
        try directory.write("sick-\(both[0])", "")
        #expect(site.gateway.waitForError("is unhealthy"))
        let old = Set(site.gateway.workers)
        site.gateway.signal(SIGHUP)
        var served = Set<pid_t>()
        #expect(try eventually {
            served.insert(try process(site))
            return old.isDisjoint(with: site.gateway.workers) && site.gateway.workers.count == 2
        })
        #expect(served == [both[1]])
        #expect(try eventually { try all(site, goTo: [both[1]]) }, "the workers hear of it as soon as the log")
        let text = directory.read(GatewayProcess.configurationName)
        try directory.write(GatewayProcess.configurationName, text.replacingOccurrences(of: Self.health, with: ""))
        site.gateway.signal(SIGHUP)
        #expect(try processes(site, 2) == both, "no check, so nobody is sick; and no process was touched")
    }

    @Test("is that of the release that runs: a refused block's is none of its affair") func refusedBlock() throws {
        let directory = try TemporaryDirectory()
        let site = try site(
            directory, app: "start_timeout 600s;", health: "health uri=/ interval=100ms timeout=20s fails=1;", isWell: false)
        defer {
            site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["exited on signal 9", "not ready within", "given up"])
        }
        let before = try process(site)
        // The new block asks for something that neither the new instance nor the old one can answer well.
        let text = directory.read(GatewayProcess.configurationName).replacingOccurrences(of: "uri=/ ", with: "uri=/health ")
            .replacingOccurrences(of: "start_timeout 600s;", with: "start_timeout 2s; env NEW=1;")
        try directory.write(GatewayProcess.configurationName, text)
        site.gateway.signal(SIGHUP)
        #expect(site.gateway.waitForError("release 2: given up"))
        #expect(try process(site) == before)
        #expect(!site.gateway.errorLog.contains("is unhealthy"), "\(site.gateway.errorLog)")
        kill(before, SIGKILL)
        #expect(site.gateway.waitForError("app one.0#3: ready after"), "\(site.gateway.errorLog)")
        #expect(try process(site) != before)
        // A check may have found the dead one before its end was known.
        #expect(!site.gateway.errorLog.contains(/one\.0#3 at \S+ is unhealthy/), "\(site.gateway.errorLog)")
    }
}
