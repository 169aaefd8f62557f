import Foundation
import Testing
import TestKit

@Suite("The running program", .blocking)
struct Processes {
    @Test("writes its own pid, and takes the file away when it ends")
    func pidFile() throws {
        let site = try Site(server: "return 200 x;")
        #expect(site.gateway.pid == site.gateway.process.pid)
        site.stop(SIGQUIT)
        #expect(!FileManager.default.fileExists(atPath: site.gateway.directory.path + "/gateway.pid"))
        #expect(Ports.isFree(site.port))
    }

    @Test("says so when its pid file is that of another one that runs, and leaves the other's file alone", .enabled(if: Target.isGoodgate))
    func pidFileOfTwo() throws {
        let first = try Site(server: "return 200 first;")
        let port = Ports.free(), directory = first.gateway.directory
        let second = try GatewayProcess(http: "server { listen 127.0.0.1:\(port); return 200 second; }", directory: directory)
        #expect(eventually { (try? Client(port).request("GET").text) == "second" }, "\(second.errorLog)")
        let number = first.gateway.process.pid
        let warning = "/gateway.pid\" was the file of goodgate process \(number), which still runs"
        #expect(second.errorLog.contains(warning), "\(second.errorLog)")
        #expect(try first.get().text == "first")
        first.stop(SIGQUIT)
        #expect(first.gateway.pid == second.process.pid, "the file is the second one's now")
        second.stop()
        #expect(second.pid == nil)
    }

    @Test("has a limit for what it finishes where QUIT comes to a worker itself", .enabled(if: Target.isGoodgate))
    func quitOfWorker() throws {
        let origin = try Origin { _ in .silence }
        let site = try Site(origin, main: "worker_shutdown_timeout 300ms;")
        defer { site.stop() }
        let client = try site.client(timeout: 20)
        try client.send(Client.head("GET", "/"))
        #expect(origin.waitForRequests(1))
        let worker = try #require(site.gateway.workers.first)
        kill(worker, SIGQUIT)
        #expect(eventually { !LiveProcess(worker).isAlive })
    }

    @Test("finishes what it serves on QUIT, and takes nothing new")
    func gracefulQuit() throws {
        let wanted = DispatchSemaphore(value: 0)
        let origin = try Origin { request in
            guard request.method == "GET" else { return .answer() }
            return .takeOver { client in
                _ = wanted.wait(timeout: .now() + 60)
                try client.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            }
        }
        let site = try Site(origin)
        let busy = try site.client(), idle = try site.client()
        _ = try idle.request("OPTIONS")
        try busy.send(Client.head("GET", "/"))
        #expect(origin.waitForRequests(2))
        site.gateway.signal(SIGQUIT)
        #expect(idle.isClosedByPeer(), "idle connections are closed at once")
        #expect(eventually { (try? Client(site.port)) == nil }, "no new connection")
        wanted.signal()
        let reply = try busy.readReply()
        #expect(reply.text == "late")
        #expect(reply["Connection"] == "close")
        #expect(site.gateway.process.wait(seconds: 60) == .exited(0))
    }

    @Test("cuts everything off on TERM and INT", arguments: [SIGTERM, SIGINT])
    func fastStop(_ signal: Int32) throws {
        let origin = try Origin { _ in .silence }
        let site = try Site(origin)
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        #expect(origin.waitForRequests(1))
        let seconds = secondsTaken { site.stop(signal) }
        #expect(seconds < 10)
        #expect(client.isClosedByPeer())
    }

    @Test("starts a new worker when one is killed, and serves on")
    func workerKilled() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(http: "", server: "location / { proxy_pass http://127.0.0.1:\(origin.port); }", workers: 2)
        defer { site.stop(allowing: ["exited on signal 9"]) }
        #expect(eventually { site.gateway.workers.count == 2 })
        let before = Set(site.gateway.workers)
        let victim = try #require(before.first)
        kill(victim, SIGKILL)
        #expect(eventually { site.gateway.workers.count == 2 && !site.gateway.workers.contains(victim) })
        #expect(site.gateway.waitForError("worker process \(victim) exited on signal 9"))
        for _ in 0..<20 { #expect(try site.get().status == 200) }
    }

    @Test("loses at most the requests in flight when workers are killed under load")
    func workersKilledUnderLoad() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); }", workers: 2)
        defer { site.stop(allowing: ["exited on signal 9"]) }
        let load = Load(port: site.port, clients: 4)
        var kills = 0
        for round in 1...4 {
            #expect(eventually { load.count > 20 * round })
            if let victim = site.gateway.workers.randomElement() {
                kill(victim, SIGKILL)
                kills += 1
            }
        }
        #expect(eventually { load.count > 100 })
        let result = load.finish()
        #expect(result.failures.count <= kills * 4, "\(result.failures)")
        #expect(result.failures.allSatisfy { !$0.hasPrefix("connect") && !$0.hasPrefix("status") })
    }

    @Test("does not start with a port in use, and says which")
    func portInUse() throws {
        let origin = try Origin(answer: "x")
        let folder = try TemporaryDirectory()
        try folder.write("gateway.conf", GatewayProcess.configuration(http: "server { listen 127.0.0.1:\(origin.port); }"))
        let result = try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(folder.path), seconds: 60)
        #expect(result.status == 1)
        #expect(folder.read("error.log").contains("[emerg] "))
        #expect(folder.read("error.log").contains("bind() to 127.0.0.1:\(origin.port) failed (98: "))
        guard Target.isGoodgate else { return }
        #expect(folder.read("error.log").contains("127.0.0.1:\(origin.port) is in use by process \(getpid()) ("))
    }

    @Test("serves on unix sockets and on several ports")
    func listeners() throws {
        let first = Ports.range(3)
        let folder = try TemporaryDirectory()
        let gateway = try GatewayProcess(http: """
            server { listen 127.0.0.1:\(first)-\(first + 2); listen unix:\(folder.path)/s.sock; return 200 "$server_port $server_addr"; }
            """, directory: folder)
        defer { gateway.stop() }
        for port in first...(first + 2) { #expect(try Client.get(port).text == "\(port) 127.0.0.1") }
        let client = Client(try Socket(unixPath: folder.path + "/s.sock"))
        #expect(try client.request().text == " unix:\(folder.path)/s.sock")
    }

    @Test("puts its pid file there only when it already serves")
    func readyMeansServing() throws {
        for _ in 0..<3 {
            let site = try Site(server: "return 200 x;")
            #expect(try site.get().text == "x")
            site.stop()
        }
    }
}

@Suite("A reload", .blocking)
struct Reloads {
    private func answer(_ text: String, _ port: Int, _ origin: Origin) -> String {
        Site.block("", port, "location = /which { return 200 \(text); } location / { proxy_pass http://127.0.0.1:\(origin.port); }")
    }

    @Test("that is asked for while the program starts happens when it has started")
    func early() throws {
        let directory = try TemporaryDirectory()
        let port = Ports.free()
        let text: (String) -> String = { answer in
            GatewayProcess.configuration(http: "server { listen 127.0.0.1:\(port); location / { return 200 \(answer); } }")
        }
        try directory.write(GatewayProcess.configurationName, text("old"))
        let process = try RunningProcess(
            GatewayProcess.binary, GatewayProcess.arguments(directory.path), output: directory.path + "/stdout",
            errors: directory.path + "/stderr")
        defer { process.signal(SIGTERM) }
        // It listens before it has any worker.
        #expect(eventually { (try? Socket(port: port)) != nil })
        try directory.write(GatewayProcess.configurationName, text("new"))
        process.signal(SIGHUP)
        #expect(eventually { (try? Client.get(port, "/").text) == "new" })
        #expect(process.poll() == nil)
    }

    @Test("brings the new configuration without a failed request")
    func underLoad() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(http: answer("v0", port, origin))
        defer { gateway.stop() }
        let load = Load(port: port, clients: 4)
        for version in 1...5 {
            try gateway.rewrite(http: answer("v\(version)", port, origin))
            gateway.signal(SIGHUP)
            #expect(try eventually { try Client.get(port, "/which").text == "v\(version)" })
        }
        #expect(eventually { load.count > 100 })
        let result = load.finish()
        #expect(result.failures == [])
        #expect(eventually { gateway.workers.count == 1 }, "the old generations are gone")
    }

    @Test("with a broken configuration keeps the old one and says why")
    func broken() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(http: answer("old", port, origin))
        defer { gateway.stop(allowing: ["[emerg]"]) }
        #expect(eventually { gateway.workers.count == 1 })
        let workers = gateway.workers
        try gateway.rewrite(http: answer("new", port, origin) + " nonsense on;")
        gateway.signal(SIGHUP)
        #expect(gateway.waitForError("unknown directive \"nonsense\" in \(gateway.directory.path)/gateway.conf:"))
        #expect(try Client.get(port, "/which").text == "old")
        #expect(gateway.workers == workers)
        try gateway.rewrite(http: answer("mended", port, origin))
        gateway.signal(SIGHUP)
        #expect(try eventually { try Client.get(port, "/which").text == "mended" })
    }

    @Test("to a port in use keeps the old one")
    func portInUse() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(http: answer("old", port, origin))
        defer { gateway.stop(allowing: ["[emerg]"]) }
        try gateway.rewrite(http: answer("new", port, origin) + "server { listen 127.0.0.1:\(origin.port); }")
        gateway.signal(SIGHUP)
        #expect(gateway.waitForError("bind() to 127.0.0.1:\(origin.port) failed (98: "))
        #expect(try Client.get(port, "/which").text == "old")
    }

    @Test("opens new listeners and closes those that are gone")
    func listeners() throws {
        let origin = try Origin(answer: "x")
        let old = Ports.free(), new = Ports.free()
        let gateway = try GatewayProcess(http: answer("a", old, origin))
        defer { gateway.stop() }
        try gateway.rewrite(http: answer("b", new, origin))
        gateway.signal(SIGHUP)
        #expect(eventually { (try? Client.get(new, "/which").text) == "b" })
        #expect(eventually { (try? Client(old)) == nil })
    }

    @Test("lets requests of the old generation end")
    func inFlight() throws {
        let origin = try Origin { _ in .delay(0.6, .answer(body: Bytes("slow"))) }
        let port = Ports.free()
        let gateway = try GatewayProcess(http: answer("a", port, origin))
        defer { gateway.stop() }
        let client = try Client(port)
        try client.send(Client.head("GET", "/"))
        #expect(origin.waitForRequests(1))
        try gateway.rewrite(http: answer("b", port, origin))
        gateway.signal(SIGHUP)
        #expect(try eventually { try Client.get(port, "/which").text == "b" })
        #expect(try client.readReply().text == "slow")
        #expect(gateway.waitForError("exited with code 0"))
    }

    @Test("still serves connections that were accepted before it and have not asked anything yet")
    func acceptedBefore() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let status = Ports.free(), counts = "server { listen 127.0.0.1:\(status); stub_status; }"
        let gateway = try GatewayProcess(http: answer("a", port, origin) + counts)
        defer { gateway.stop() }
        #expect(try Client.get(port, "/which").text == "a")
        let fresh = try (0..<5).map { _ in try Client(port) }
        // They, and the one that asks.
        #expect(try eventually { try Client.get(status).text.contains("Active connections: 6 ") })
        try gateway.rewrite(http: answer("b", port, origin))
        gateway.signal(SIGHUP)
        #expect(try eventually { try Client.get(port, "/which").text == "b" })
        for client in fresh { #expect(try client.request("GET", "/which").status == 200) }
    }

    @Test("fails no request of clients that each use a connection of their own")
    func freshConnections() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(http: answer("v0", port, origin), workers: 2)
        defer { gateway.stop() }
        var failures: [String] = []
        for version in 1...8 {
            try gateway.rewrite(http: answer("v\(version)", port, origin), workers: 2)
            gateway.signal(SIGHUP)
            for _ in 0..<60 {
                do { if try Client.get(port).status != 200 { failures.append("status") } } catch { failures.append("\(error)") }
            }
        }
        #expect(failures == [])
    }

    @Test("serves the request of an idle client that came with the order to leave", .enabled(if: Target.isGoodgate))
    func requestBesideDrain() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(http: Site.block("", port, "return 200 old;"))
        defer { gateway.stop() }
        let client = try Client(port)
        #expect(try client.request("GET", "/").text == "old")
        let old = try #require(gateway.workers.first)
        kill(old, SIGSTOP)
        defer { kill(old, SIGCONT) }
        try gateway.rewrite(http: Site.block("", port, "return 200 new;"))
        gateway.signal(SIGHUP)
        #expect(eventually { gateway.workers.count == 2 && (try? Client.get(port).text) == "new" })
        // The order to leave waits for the stopped worker; the request comes behind it.
        usleep(100_000)
        try client.send(Client.head("GET", "/"))
        kill(old, SIGCONT)
        #expect(try client.readReply().text == "old")
    }

    @Test("answers the next request of a busy client, and says that the connection ends", .enabled(if: Target.isGoodgate))
    func busyClient() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(http: Site.block("", port, "return 200 x;"))
        defer { gateway.stop() }
        var isTold = false
        for _ in 0..<20 where !isTold {
            let client = try Client(port)
            #expect(try client.request("GET", "/").status == 200)
            gateway.signal(SIGHUP)
            var isBusy = true, reply: Reply?
            repeat {
                // On a machine that has just been too slow for that it proves nothing.
                isBusy = secondsTaken { reply = try? client.request("GET", "/") } < 0.08 && isBusy
                #expect(reply != nil || !isBusy)
                isTold = reply?["connection"] == "close"
            } while reply != nil && !isTold
        }
        #expect(isTold)
    }

    @Test("closes an idle connection at once, or after keepalive_min_timeout", .enabled(if: Target.isGoodgate))
    func keepaliveMinTimeout() throws {
        let at = Ports.free(), soon = Ports.free(), later = Ports.free()
        let http = Site.block("", at, "return 200 x;") + Site.block("", soon, "keepalive_min_timeout 2s; return 200 x;")
            + Site.block("", later, "keepalive_min_timeout 60s; return 200 x;")
        let gateway = try GatewayProcess(http: http)
        defer { gateway.stop() }
        let client = try Client(at), kept = try Client(later), idle = try Client(soon)
        for each in [client, kept, idle] { #expect(try each.request("GET", "/").status == 200) }
        gateway.signal(SIGHUP)
        #expect(client.isClosedByPeer(within: 30))
        let reply = try kept.request("GET", "/")
        #expect(reply.status == 200)
        #expect(reply["connection"] == "close")
        #expect(idle.isClosedByPeer(within: 30), "its time is over")
        #expect(eventually { gateway.workers.count == 1 }, "the old generation is gone")
    }

    @Test("can change the number of workers")
    func workerCount() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(http: Site.block("", port, "return 200 x;"))
        defer { gateway.stop() }
        try gateway.rewrite(http: Site.block("", port, "return 200 x;"), workers: 3)
        gateway.signal(SIGHUP)
        #expect(eventually { gateway.workers.count == 3 })
        #expect(try Client.get(port).text == "x")
    }

    @Test("can have fewer workers with reuseport: no socket of the former ones is left without a reader", .enabled(if: Target.isGoodgate))
    func fewerWorkersWithOwnSockets() throws {
        let port = Ports.free()
        let http = "server { listen 127.0.0.1:\(port) reuseport; location / { return 200 x; } }"
        let gateway = try GatewayProcess(http: http, workers: 4)
        defer { gateway.stop() }
        #expect(eventually { gateway.workers.count == 4 })
        let old = Set(gateway.workers)
        try gateway.rewrite(http: http, workers: 2)
        gateway.signal(SIGHUP)
        #expect(eventually { gateway.workers.count == 2 && old.isDisjoint(with: gateway.workers) })
        for _ in 0..<60 { #expect(try Client(port, timeout: 10).request().text == "x") }
    }
}
