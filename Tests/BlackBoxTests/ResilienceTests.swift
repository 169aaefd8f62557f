import Foundation
import Testing
import TestKit

@Suite("Under bad conditions, the gateway", .blocking)
struct Resilience {
    @Test("gives up root in its workers", .enabled(if: Target.isRoot, "needs root"))
    func unprivilegedWorkers() throws {
        let site = try Site(server: "return 200 x;")
        defer { site.stop() }
        #expect(eventually { site.gateway.workers.count == 1 })
        let worker = try #require(site.gateway.workers.first)
        let process = LiveProcess(worker)
        #expect(eventually { process.status("NoNewPrivs") == "1" || !Target.isGoodgate }, "rights are dropped at the start")
        for field in ["Uid", "Gid"] {
            let ids = process.status(field).split(separator: "\t")
            #expect(ids.count == 4 && ids.allSatisfy { $0 != "0" }, "\(field) \(ids)")
        }
        #expect(process.status("CapEff") == "0000000000000000")
        if Target.isGoodgate {
            #expect(process.status("NoNewPrivs") == "1")
            let dumpableOwner = try FileManager.default.attributesOfItem(atPath: "/proc/\(worker)/mem")[.ownerAccountID] as? Int
            #expect(dumpableOwner == 0, "a process that is not dumpable belongs to root in /proc")
        }
    }

    @Test("out of descriptors pauses, says so, does not spin, and goes on")
    func descriptors() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(
            http: Site.block("", port, "location / { proxy_pass http://127.0.0.1:\(origin.port); }"), main: "worker_rlimit_nofile 40;")
        defer { gateway.stop(allowing: ["Too many open files", "worker_connections exceed", "exceed open file resource limit"]) }
        #expect(eventually { gateway.workers.count == 1 })
        let worker = try #require(gateway.workers.first)
        let crowd = (0..<80).compactMap { _ in try? Client(port) }
        #expect(gateway.waitForError("(24: Too many open files)"))
        let before = LiveProcess(worker).cpuTicks
        usleep(1_000_000)
        #expect(LiveProcess(worker).cpuTicks - before <= 30, "at most 0.3 s of CPU in a second")
        let lines = gateway.errorLog.components(separatedBy: "Too many open files").count - 1
        #expect(lines <= 60, "\(lines) lines")
        if Target.isGoodgate {
            // Each begins with its second, in whole ones: once two may seem to be in the same.
            let seconds = gateway.errorLog.split(separator: "\n").filter { $0.contains("Too many open files") }.map { $0.prefix(19) }
            #expect(seconds.count <= Set(seconds).count + 1, "more than one in a second: \(seconds)")
        }
        crowd.forEach { $0.close() }
        #expect(eventually { (try? Client.get(port, timeout: 1).text) == "x" })
    }

    @Test("with a full disk under its access log serves on")
    func fullDisk() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "access_log /dev/full;")
        defer { site.stop(allowing: ["/dev/full"]) }
        for _ in 0..<20 { #expect(try site.get().text == "x") }
        #expect(site.gateway.waitForError("/dev/full"))
        let lines = site.gateway.errorLog.components(separatedBy: "/dev/full").count - 1
        #expect(lines <= 10, "\(lines) lines")
    }

    @Test("is upgraded to a new binary under load without a failed request")
    func upgrade() throws {
        let (port, origin) = (Ports.free(), try Origin(answer: "x"))
        let folder = try TemporaryDirectory()
        let upstream = "upstream back { server 127.0.0.1:\(origin.port); keepalive 8; }"
        let text = GatewayProcess.configuration(
            http: Site.block(upstream, port, "location / { proxy_pass http://back; \(Site.keepAlive) }"))
        try folder.write(GatewayProcess.configurationName, text.replacing("daemon off;", with: "daemon on;"))
        #expect(try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(folder.path)).succeeded)
        func pid(_ name: String) -> pid_t? { pid_t(folder.read(name).trimmingCharacters(in: .whitespacesAndNewlines)) }
        #expect(eventually { pid("gateway.pid") != nil })
        let old = try #require(pid("gateway.pid"))
        defer { for each in [old, pid("gateway.pid")].compactMap({ $0 }) where kill(each, 0) == 0 { kill(each, SIGTERM) } }
        #expect(eventually { (try? Client.get(port).text) == "x" })
        let load = Load(port: port, clients: 3)
        kill(old, SIGUSR2)
        #expect(eventually { pid("gateway.pid.oldbin") == old && pid("gateway.pid") != nil })
        let new = try #require(pid("gateway.pid"))
        #expect(new != old)
        kill(old, SIGQUIT)
        #expect(eventually { !LiveProcess(old).isAlive })
        #expect(pid("gateway.pid") == new)
        #expect(eventually { load.count > 50 })
        let result = load.finish()
        #expect(result.failures == [])
        kill(new, SIGQUIT)
        #expect(eventually { !LiveProcess(new).isAlive })
    }

    @Test("keeps at most four old generations", .enabled(if: Target.isGoodgate, "nginx keeps any number"))
    func oldGenerations() throws {
        let origin = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("x")) }
        let port = Ports.free()
        func text(_ version: Int) -> String {
            Site.block("", port, "location /v { return 200 v\(version); } location / { proxy_pass http://127.0.0.1:\(origin.port); }")
        }
        let gateway = try GatewayProcess(http: text(0))
        defer { gateway.stop() }
        var held: [Client] = []
        for version in 1...7 {
            let client = try Client(port)
            try client.send(Client.head("GET", "/hold"))
            held.append(client)
            #expect(origin.waitForRequests(held.count))
            try gateway.rewrite(http: text(version))
            gateway.signal(SIGHUP)
            #expect(try eventually { try Client.get(port, "/v").text == "v\(version)" })
        }
        #expect(eventually { gateway.workers.count <= 5 })
    }

    @Test("serves with several workers, each line naming the one that served")
    func severalWorkers() throws {
        let site = try Site(http: "log_format p '$pid';", server: "access_log p.log p; return 200 x;", workers: 2)
        defer { site.stop() }
        let clients = try (0..<40).map { _ in try site.client() }
        for client in clients { #expect(try client.request().text == "x") }
        #expect(eventually { site.gateway.directory.read("p.log").split(separator: "\n").count == 40 })
        let pids = Set(site.gateway.directory.read("p.log").split(separator: "\n").compactMap { pid_t($0) })
        #expect(pids.isSubset(of: Set(site.gateway.workers)))
    }
}
