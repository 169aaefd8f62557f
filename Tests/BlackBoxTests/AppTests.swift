import Foundation
import Testing
import TestKit

/// Supervised apps, end to end: the gateway starts them, knows when they die, and lets requests wait meanwhile.
@Suite("A supervised app", .blocking, .enabled(if: Target.isGoodgate))
struct Apps {
    /// A gateway with one app behind `location /`.
    private func site(app: String, upstream: String = "", workers: Int = 1, directory: TemporaryDirectory) throws -> Site {
        try directory.write("app.py", AppProgram.source)
        return try Site(
            http: "upstream back { app one; keepalive 16; \(upstream) }",
            server: """
                location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; }
                location = /stub { stub_status; }
                """,
            main: "app one { \(app) }", workers: workers, directory: directory)
    }

    private func command(_ directory: TemporaryDirectory, delay: Double) -> String {
        "command /usr/bin/python3 \(directory.path)/app.py \(delay); directory \(directory.path);"
    }

    private func process(_ reply: Reply) throws -> pid_t { try #require(pid_t(reply.text), "\(reply.status) \(reply.text)") }


    @Test("is started, serves once it listens, and leaves no process behind", arguments: [SIGQUIT, SIGTERM])
    func startAndStop(_ signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: command(directory, delay: 0.5), directory: directory)
        // The first request comes long before the app listens: it waits.
        let app = try process(try site.client(timeout: 30).request())
        #expect(LiveProcess(app).isAlive)
        #expect(site.gateway.waitForError("app one.0#1: ready after"))
        site.gateway.stop(signal, seconds: 20)
        #expect(eventually { !LiveProcess(app).isAlive })
    }

    @Test("may have a backup server, which serves while no instance does; nothing waits then")
    func backup() throws {
        let directory = try TemporaryDirectory()
        let sorry = try Origin(answer: "sorry")
        let site = try site(
            app: command(directory, delay: 2.5) + "restart always backoff=2s..2s;", upstream: "server 127.0.0.1:\(sorry.port) backup;",
            directory: directory)
        #expect(try site.get().text == "sorry", "at once: it is far from ready")
        #expect(site.gateway.waitForError("app one.0#1: ready after"))
        #expect(eventually { (try? site.get().text) != "sorry" })
        kill(try process(site.get()), SIGKILL)
        #expect(eventually { (try? site.get().text) == "sorry" })
        #expect(eventually { (try? site.get().text).flatMap { pid_t($0) } != nil })
        site.gateway.stop(SIGQUIT, seconds: 20)
    }

    @Test("runs in the background when no upstream uses it: without a port, longer than start_timeout, and is stopped with the rest")
    func background() throws {
        let directory = try TemporaryDirectory()
        let site = try Site(
            server: "return 204;",
            main: """
                app worker {
                    command /bin/sh -c "echo works at $$, port ${PORT-none}; exec sleep 100"; start_timeout 300ms; log worker.log;
                    instances auto;
                }
                """, directory: directory)
        // As many as there are processors for us.
        let count = try #require(Int(RunningProcess.run("/usr/bin/nproc", []).output.trimmingCharacters(in: .whitespacesAndNewlines)))
        for slot in 0..<count { #expect(site.gateway.waitForError("app worker.\(slot)#\(slot + 1): ready after")) }
        #expect(!site.gateway.errorLog.contains("app worker.\(count)#"))
        let line = "port none"
        #expect(eventually { directory.read("worker.log").contains(line) }, "\(directory.read("worker.log"))")
        #expect(!eventually(within: 1) { site.gateway.errorLog.contains("app worker.0#1: exited") }, "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.contains("app \"worker\" is used by no upstream: it runs in the background"))
        site.gateway.stop(SIGQUIT, seconds: 20)
    }

    @Test("that a reload renames still serves the requests that the old workers have, and is stopped after them")
    func renamed() throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: command(directory, delay: 0), directory: directory)
        let old = try process(try site.client(timeout: 30).request())
        let before = site.gateway.workers
        let slow = try site.client(timeout: 30)
        try slow.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf")
        // The worker has the head before the reload begins.
        #expect(try site.get().status == 200)
        try site.gateway.rewrite(
            http: Site.block("upstream back { app two; }", site.port, "location / { proxy_pass http://back; }"),
            main: "app two { \(command(directory, delay: 0)) }")
        site.gateway.signal(SIGHUP)
        #expect(site.gateway.waitForError("app two.0#1: ready after"))
        #expect(eventually { (try? Client.get(site.port).text).flatMap { pid_t($0) }.map { $0 != old } == true })
        #expect(LiveProcess(before[0]).isAlive)
        try slow.send("half")
        #expect(try process(slow.readReply()) == old, "\(site.gateway.errorLog)")
        slow.close()
        #expect(eventually { !LiveProcess(old).isAlive }, "\(site.gateway.errorLog)")
        site.gateway.stop(SIGQUIT, seconds: 20)
    }

    @Test("loses no request when all its instances are killed under load, and is started again")
    func killedUnderLoad() throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: command(directory, delay: 0.5) + "instances 2;", workers: 2, directory: directory)
        var seen = Set<pid_t>()
        let client = try site.client(timeout: 30)
        #expect(try eventually {
            seen.insert(try process(client.request()))
            return seen.count == 2
        })
        let load = Load(port: site.port, clients: 8, pause: 0.01)
        #expect(eventually { load.count > 50 })
        for process in seen { kill(process, SIGKILL) }
        let before = load.count
        #expect(eventually(within: 40) { load.count > before + 200 }, "\(load.count) \(site.gateway.errorLog)")
        let result = load.finish()
        #expect(result.failures == [], "\(site.gateway.errorLog)")
        #expect(!seen.contains(try process(site.get())))
        for slot in 0...1 { #expect(site.gateway.waitForError("app one.\(slot)#")) }
        site.gateway.stop(SIGQUIT, seconds: 20)
    }

    @Test("is not flooded by those that waited for it: its accept queue is short")
    func shortAcceptQueue() throws {
        // What comes on top of its queue waits a second for the kernel to try again, each time. A stalling machine is late now and then.
        var times: [Double] = []
        repeat { times.append(try secondsUntilAllAreServed()) } while times[times.count - 1] >= 0.9 && times.count < 4
        #expect(times[times.count - 1] < 0.9, "\(times)")
    }

    /// From when an app with a short accept queue is ready until 64 that waited for it have their answers.
    private func secondsUntilAllAreServed() throws -> Double {
        let directory = try TemporaryDirectory()
        // Python's own default.
        let site = try site(app: command(directory, delay: 1) + "env BACKLOG=5;", directory: directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let load = Load(port: site.port, clients: 64, pause: 0.1)
        #expect(site.gateway.waitForError("app one.0#1: ready after"))
        let seconds = secondsTaken { #expect(eventually { load.count >= 64 }) }
        #expect(load.finish().failures == [], "\(site.gateway.errorLog)")
        return seconds
    }

    @Test("dies with more requests in its hands than may wait: the rest gets 503, and the worker lives")
    func fullQueueAtDeath() throws {
        let directory = try TemporaryDirectory()
        // So that it is not back before all three have been looked at.
        let site = try site(
            app: command(directory, delay: 0) + "restart always backoff=3s..5s;", upstream: "queue 1 timeout=20s;", directory: directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let app = try process(try site.client(timeout: 30).request())
        let worker = site.gateway.workers
        kill(app, SIGSTOP)
        let clients = try (0..<3).map { _ in try site.client(timeout: 30) }
        for client in clients { try client.send(Client.head("GET", "/")) }
        #expect(eventually { (try? site.get("/stub").text)?.contains("Writing: 4") == true }, "the worker has all of them")
        kill(app, SIGKILL)
        let statuses = try clients.map { try $0.readReply().status }
        #expect(statuses.sorted() == [200, 503, 503], "\(statuses) \(site.gateway.accessLog) \(site.gateway.errorLog)")
        #expect(site.gateway.workers == worker)
    }

    @Test("that never starts is answered for with 503 and Retry-After, at once")
    func crashLoop() throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: "command /bin/false; restart always backoff=20ms..5s;", directory: directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        // The first ones may wait until three starts have failed.
        let first = try site.client(timeout: 30).request()
        #expect(first.status == 503)
        var reply = first
        let seconds = try secondsTaken { reply = try site.get() }
        #expect(reply.status == 503)
        #expect((Int(reply["Retry-After"] ?? "") ?? 0) >= 1)
        #expect(seconds < 15, "a request that is parked waits 30 s")
        #expect(site.gateway.waitForError("while waiting for upstream"))
    }

    @Test("runs on when the supervisor and its workers are killed, and is taken over by the next one")
    func takenOver() throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: command(directory, delay: 0), directory: directory)
        let app = try process(try site.client(timeout: 30).request())
        let workers = site.gateway.workers
        site.gateway.signal(SIGKILL)
        for worker in workers { kill(worker, SIGKILL) }
        #expect(site.gateway.process.wait(seconds: 60) != nil)
        #expect(eventually { workers.allSatisfy { !LiveProcess($0).isAlive } && Ports.isFree(site.port) })
        #expect(LiveProcess(app).isAlive)
        try FileManager.default.removeItem(atPath: directory.path + "/gateway.pid")
        let next = try GatewayProcess(configuration: directory.read(GatewayProcess.configurationName), directory: directory)
        let reply = try Client(site.port, timeout: 30).request()
        #expect(try process(reply) == app)
        next.stop(SIGQUIT, seconds: 20)
        #expect(eventually { !LiveProcess(app).isAlive })
    }

    @Test("is not touched by a reload, unless its block changed")
    func reload() throws {
        let directory = try TemporaryDirectory()
        let site = try site(app: command(directory, delay: 0), directory: directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20) }
        let app = try process(try site.client(timeout: 30).request())
        let load = Load(port: site.port, clients: 2, pause: 0.01)
        let old = directory.read(GatewayProcess.configurationName)
        site.gateway.signal(SIGHUP)
        #expect(site.gateway.waitForError("reconfiguring"))
        #expect(eventually { site.gateway.workers.count == 1 })
        #expect(try process(site.get()) == app)
        try directory.write(
            GatewayProcess.configurationName, old.replacingOccurrences(of: "app one {", with: "app one { env RELEASE=2;"))
        site.gateway.signal(SIGHUP)
        #expect(try eventually { try process(site.get()) != app }, "\(site.gateway.errorLog)")
        #expect(eventually { !LiveProcess(app).isAlive })
        #expect(load.finish().failures == [])
    }
}
