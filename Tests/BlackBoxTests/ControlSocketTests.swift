import Foundation
import Testing
import TestKit

/// The control process and its socket.
@Suite("The control process", .blocking, .enabled(if: Target.isGoodgate))
struct ControlSocketTests {
    @Test("shows workers, apps and upstreams, for people and as JSON") func status() throws {
        let control = try ControlSite(workers: 2)
        try control.waitUntilUp()
        let status = try control.status()
        #expect(status["process"] as? Int32 == control.site.gateway.process.pid)
        #expect(status["state"] as? String == "serving")
        let workers = try #require(status["workers"] as? [[String: Any]])
        #expect(Set(workers.compactMap { $0["process"] as? Int32 }) == Set(control.site.gateway.workers))
        #expect(workers.allSatisfy { $0["state"] as? String == "ready" })
        let instance = try #require(try control.instances().first)
        let reply = try control.site.get()
        #expect(reply.text.split(separator: " ").first.map(String.init) == "\(instance["process"] as? Int ?? 0)")
        let upstreams = try #require(status["upstreams"] as? [[String: Any]])
        let servers = try #require(upstreams.first?["servers"] as? [[String: Any]])
        #expect(servers.first?["address"] as? String == instance["address"] as? String)
        #expect(servers.first?["state"] as? String == "up")
        let text = try control.run(["status"]).output
        for word in ["goodgate 0.1.0, serving for", "WORKER", "one.0#1", "ready", "UPSTREAM", "one.0 127.0.0.1:"] {
            #expect(text.contains(word), "\(word) in \(text)")
        }
        let requests = (try control.status()["traffic"] as? [String: Any])?["requests"] as? Int ?? 0
        #expect(requests >= 1)
        control.site.stop()
    }

    @Test("listens at a socket of its own, in a directory of its own, and leaves nothing") func modes() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let manager = FileManager.default
        let socket = try manager.attributesOfItem(atPath: control.socket)
        let folder = try manager.attributesOfItem(atPath: control.directory.path + "/control")
        #expect((socket[.posixPermissions] as? Int, folder[.posixPermissions] as? Int) == (0o600, 0o700))
        let process = try #require(control.controlProcess)
        control.site.stop()
        #expect(!manager.fileExists(atPath: control.socket))
        #expect(kill(process, 0) != 0)
    }

    @Test("answers root and its own user, and nobody else even where the modes let him in", .enabled(if: Target.isRoot, "needs root"))
    func otherUsers() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let ask = """
            import os, socket, sys
            os.setgroups([])
            os.setgid(int(sys.argv[2]))
            os.setuid(int(sys.argv[2]))
            client = socket.socket(socket.AF_UNIX)
            try: client.connect(sys.argv[1])
            except PermissionError: sys.exit("not let in")
            answer = b""
            try:
                client.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
                while piece := client.recv(65536): answer += piece
            except OSError: pass
            print(answer.decode().split("\\r")[0])
            """
        func answer(to user: Int) throws -> RunningProcess.Output {
            try RunningProcess.run("/usr/bin/python3", ["-c", ask, control.socket, "\(user)"])
        }
        #expect(try answer(to: 65534).errors == "not let in\n")
        chmod(control.directory.path + "/control", 0o755)
        chmod(control.socket, 0o666)
        let other = try answer(to: 65534)
        #expect(other.succeeded && other.output == "\n", "\(other.output)\(other.errors)")
        #expect(try answer(to: 0).output == "HTTP/1.1 200 OK\n")
        control.site.stop()
    }

    @Test("listens anew when somebody removes its socket, and is named rightly when it is none") func removed() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let process = control.controlProcess
        try FileManager.default.removeItem(atPath: control.socket)
        #expect(eventually { control.commands.areAnswered }, "\(control.site.gateway.errorLog)")
        #expect(control.controlProcess == process, "what it knows of incidents stays")
        let plain = try control.run(["status", "--control", control.directory.path + "/app.py"])
        #expect(plain.ending == .exited(1) && plain.errors.contains("app.py\" is no socket"), "\(plain.errors)")
        let long = try control.run(["status", "--control", "/tmp/" + String(repeating: "x", count: 120)])
        #expect(long.ending == .exited(1) && long.errors.contains("is too long for one"), "\(long.errors)")
        control.site.stop()
        #expect(!FileManager.default.fileExists(atPath: control.socket))
    }

    @Test("is started again when it dies, and traffic does not notice") func dies() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let load = Load(port: control.site.port, clients: 4, pause: 0.005)
        for _ in 0..<3 {
            let before = try #require(control.controlProcess)
            kill(before, SIGKILL)
            #expect(eventually { control.controlProcess.map { $0 != before } == true && (try? control.status()) != nil })
        }
        let result = load.finish()
        #expect(result.failures == [])
        #expect(load.count > 50)
        control.site.stop()
    }

    @Test("replaces a socket that nobody listens at, and says who has one that is in use") func inUse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/x/control.sock"
        try FileManager.default.createDirectory(atPath: directory.path + "/x", withIntermediateDirectories: true)
        let listen = "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(600)"
        let other = try RunningProcess("/usr/bin/python3", ["-c", listen, path])
        try #require(eventually { (try? Socket(unixPath: path)) != nil })
        let control = try ControlSite(main: "control unix:x/control.sock;", directory: directory)
        #expect(control.site.gateway.waitForError("\"\(path)\" is in use by process \(other.pid) (python3)"))
        #expect(try control.site.client(timeout: 20).request().status == 200)
        // Killed, it leaves a socket without a listener.
        other.kill()
        #expect(eventually { Commands(socket: path).areAnswered }, "\(control.site.gateway.errorLog)")
        control.site.stop()
    }

    @Test("does not touch a file that is no socket, nor a directory that others can write") func refuses() throws {
        let directory = try TemporaryDirectory()
        try directory.write("precious", "text")
        let gateway = try GatewayProcess(http: "", main: "control unix:precious;", directory: directory)
        #expect(gateway.waitForError("something that is no socket has this name"))
        #expect(directory.read("precious") == "text")
        gateway.stop()
        let open = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: open.path + "/open", withIntermediateDirectories: true)
        chmod(open.path + "/open", 0o777)
        let other = try GatewayProcess(http: "", main: "control unix:open/c.sock;", directory: open)
        #expect(other.waitForError("can be written by others (mode 777)"))
        other.stop()
    }

    @Test("runs only where an app or the configuration asks for it", arguments: ["", "control off;"]) func unasked(main: String) throws {
        let gateway = try GatewayProcess(http: "", main: main)
        #expect(eventually { !gateway.workers.isEmpty })
        #expect(gateway.process.children.count == 1)
        gateway.stop()
        let configured = try GatewayProcess(http: "", main: "control unix:c/s.sock;")
        let path = configured.directory.path + "/c/s.sock"
        #expect(eventually { Commands(socket: path).areAnswered })
        configured.stop()
    }

    @Test("can be moved and ended by a reload") func reload() throws {
        let gateway = try GatewayProcess(http: "", main: "control unix:c/one.sock;")
        let folder = gateway.directory.path + "/c/"
        #expect(eventually { Commands(socket: folder + "one.sock").areAnswered })
        try gateway.rewrite(http: "", main: "control unix:c/two.sock;")
        gateway.signal(SIGHUP)
        let byOption = ["status", "--control", folder + "two.sock"]
        #expect(eventually { (try? RunningProcess.run(GatewayProcess.binary, byOption))?.succeeded == true })
        #expect(eventually { !FileManager.default.fileExists(atPath: gateway.directory.path + "/c/one.sock") })
        try gateway.rewrite(http: "", main: "control off;")
        gateway.signal(SIGHUP)
        #expect(eventually { !Commands(socket: folder + "two.sock").areAnswered })
        gateway.stop()
    }

    @Test("a command says what to do when nothing listens") func nobody() throws {
        let result = try RunningProcess.run(GatewayProcess.binary, ["status", "--control", "/nonexistent/x.sock"])
        #expect(result.ending == .exited(1))
        #expect(result.errors.contains("nothing listens at the control socket \"/nonexistent/x.sock\""))
        #expect(result.errors.contains("GOODGATE_CONTROL"))
    }

    @Test("answers with JSON whatever is asked") func unknownResource() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let text = try ask(control, "GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "")
        #expect(text.hasPrefix("HTTP/1.1 404"))
        #expect(text.contains("\"error\":\"not_found\""))
        let long = String(repeating: "x", count: 1 << 20)
        let requests = [
            ("GET /v1/apps/one/deploy", "", ["405", "allow: post", "takes post, not get"]),
            ("DELETE /v1/apps/one", "", ["405", "allow: get"]),
            ("POST /v1/apps/one/deploy", "{\"directory\": \"/\(long)\"}", ["413", "\"too_large\"", "longer than 1 mb"]),
        ]
        for (line, body, words) in requests {
            let answer = try ask(
                control, "\(line) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n", body)
            for word in words { #expect(answer.lowercased().contains(word), "\(word) in \(answer)") }
        }
        control.site.stop()
    }

    private func ask(_ control: ControlSite, _ head: String, _ body: String) throws -> String {
        let socket = try Socket(unixPath: control.socket)
        // It may answer and close before it has read all.
        try? socket.send(Bytes((head + body).utf8))
        var text = ""
        while case .bytes(let bytes) = socket.receive(until: Deadline(seconds: 5)) { text += String(decoding: bytes, as: UTF8.self) }
        return text
    }
}
