import Foundation
import Synchronization
import Testing
import TestKit

/// Requests in the accept queue of an instance that dies (decision 8, c).
@Suite("The accept queue of a dead instance", .blocking, .enabled(if: Target.isGoodgate))
struct RescueTests {
    /// Serves one request at a time. A POST is noted in the file `posts` before anything else, and takes 0.3 s.
    private static let program = """
        import http.server, os, socket, time
        class Handler(http.server.BaseHTTPRequestHandler):
            wbufsize = -1
            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            def do_GET(self): self.answer(str(os.getpid()).encode())
            def do_POST(self):
                with open("posts", "a") as file: file.write(self.path + "\\n")
                time.sleep(0.3)
                self.answer(b"done")
            def log_message(self, *arguments): pass
        class Server(http.server.HTTPServer):
            request_queue_size = 128
            def server_bind(self):
                self.server_name, self.server_port = "one", 0
                if "LISTEN_FDS" not in os.environ:
                    self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    self.socket.bind(("127.0.0.1", int(os.environ["PORT"])))
            def server_activate(self):
                if "LISTEN_FDS" not in os.environ: super().server_activate()
        server = Server(("", 0), Handler, bind_and_activate=False)
        if "LISTEN_FDS" in os.environ: server.socket = socket.socket(fileno=3)
        server.server_bind()
        server.server_activate()
        server.serve_forever()
        """

    /// Two instances, of which both have served.
    /// - Returns: also the process of one of them.
    static func site(listen: String, workers: Int, _ directory: TemporaryDirectory) throws -> (site: Site, victim: pid_t) {
        try directory.write("app.py", Self.program)
        try directory.write("posts", "")
        chmod(directory.path + "/posts", 0o666)
        let site = try Site(
            http: "upstream back { app one; }", server: "location / { proxy_pass http://back; proxy_read_timeout 20s; }",
            main: """
                app one {
                    command /usr/bin/python3 \(directory.path)/app.py; directory \(directory.path);
                    listen \(listen); instances 2; restart always backoff=5s..15s;
                }
                """, workers: workers, directory: directory)
        var seen = Set<pid_t>()
        #expect(try eventually {
            seen.insert(try #require(pid_t(try site.client(timeout: 20).request().text)))
            return seen.count == 2
        })
        return (site, try #require(seen.first))
    }

    /// Sends 24 POSTs, kills one of two instances in their midst, and waits for all answers.
    /// - Returns: the statuses by path.
    static func postsAroundADeath(_ site: Site, victim: pid_t) -> [String: Int] {
        let statuses = Mutex<[String: Int]>([:])
        for number in 0..<24 {
            Thread.detachNewThread {
                let status = (try? site.client(timeout: 30).request("POST", "/\(number)", body: Bytes("x")).status) ?? 0
                statuses.withLock { $0["/\(number)"] = status }
            }
        }
        // About a dozen are with each of them: one at work, the others in its queue.
        #expect(eventually { statuses.withLock { $0.count } >= 4 })
        kill(victim, SIGKILL)
        #expect(eventually { statuses.withLock { $0.count } == 24 })
        return statuses.withLock { $0 }
    }

    @Test("is emptied into the others with listen fd: no POST of it fails, and none is executed twice", arguments: ["fd", "port"])
    func posts(listen: String) throws {
        let directory = try TemporaryDirectory()
        let (site, victim) = try Self.site(listen: listen, workers: 2, directory)
        defer { site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["exited on signal 9"]) }
        let statuses = Self.postsAroundADeath(site, victim: victim)
        let executed = directory.read("posts").split(separator: "\n").map(String.init)
        #expect(Set(executed).count == executed.count, "\(executed)")
        let failed = statuses.filter { $0.value != 200 }
        if listen == "fd" {
            // The one that it had accepted, if there was one, is a failure, whether it was noted by then or not.
            #expect(failed.count <= 1, "\(failed)")
            let answered = Set(statuses.filter { $0.value == 200 }.keys)
            #expect(Set(executed).isSuperset(of: answered))
            #expect(site.gateway.errorLog.contains("upstream is gone and never accepted the connection"))
        } else {
            // Its socket went with it, and its queue: who could tell these from those that it had read?
            #expect(failed.count > 1 && failed.values.allSatisfy { $0 == 502 }, "\(failed)")
        }
    }

    @Test("finds room in the supervisor, whatever soft limit it was started with; workers and apps get that limit")
    func descriptors() throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            GatewayProcess.configurationName,
            GatewayProcess.configuration(
                http: "server { listen 127.0.0.1:\(Ports.free()); }", main: "app one { command /bin/sleep 60; }"))
        let process = try RunningProcess(
            "/bin/sh", ["-c", "ulimit -Sn 64; exec \"$0\" \"$@\"", GatewayProcess.binary] + GatewayProcess.arguments(directory.path))
        defer {
            process.signal(SIGTERM)
            #expect(process.wait(seconds: 60) == .exited(0))
        }
        /// Soft and hard.
        func limits(_ process: pid_t) -> [Substring] {
            let text = FileManager.default.contents(atPath: "/proc/\(process)/limits").map { String(decoding: $0, as: UTF8.self) } ?? ""
            return text.split(separator: "\n").first { $0.hasPrefix("Max open files") }?.split(separator: " ").suffix(3).dropLast() ?? []
        }
        var app: pid_t?
        #expect(eventually {
            let log = FileManager.default.contents(atPath: directory.path + "/error.log").map { String(decoding: $0, as: UTF8.self) }
            app = (log ?? "").firstMatch(of: /started, process (\d+)/).flatMap { pid_t($0.1) }
            return app != nil
        })
        #expect(limits(try #require(app)).first == "64")
        let own = limits(process.pid)
        #expect(own.first == own.last && own.first != "64")
        let worker = try #require(process.children.first { LiveProcess($0).commandLine.contains("worker") })
        #expect(limits(worker).first == "64" && limits(worker).last == own.last)
    }
}
