import Foundation
import Testing
import TestKit

/// A gateway with one supervised app, and the commands that talk to it.
struct ControlSite {
    let site: Site
    let directory: TemporaryDirectory

    /// Listens on $PORT after a delay and answers with process id and $VERSION. Arguments: delay in seconds, then one of `serve`,
    /// `exit` (prints two lines and ends with status 3), `hostile` (the same with markup and a secret), `deaf` (never listens), `sick`
    /// (`/health` answers 500), `failing` and `closing` (every fourth request gets 500, or no answer), `hungry` (`/eat` takes 256 MB),
    /// `fragile` (`/crash` ends it), `wordy` (prints 190 lines of a kilobyte).
    private static let program = """
        import http.server, os, socketserver, sys, time
        time.sleep(float(sys.argv[1]))
        mode = sys.argv[2]
        print("booting", os.environ.get("VERSION", "none"), flush=True)
        if mode == "exit":
            print("cannot find \\x1b[31mmodule\\x1b[0m 'database'", flush=True)
            sys.exit(3)
        if mode == "hostile":
            print("<script>alert(1)</script> \\x1b[31m\\"'&\\u00fc password=hunter2", flush=True)
            sys.exit(3)
        if mode == "wordy":
            for number in range(190): print("wordy", number, "w" * 1000, flush=True)
        if mode == "deaf":
            time.sleep(600)
        requests = 0
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one write: a kill between them leaves half an answer
            def do_GET(self):
                global requests
                requests += 1
                isBad = requests % 4 == 0 and self.path != "/health"
                if isBad and mode == "closing":
                    self.close_connection = True
                    return
                if mode == "hungry" and self.path == "/eat":
                    print("eating \\x1b[31mall\\x1b[0m, token=abc123", flush=True)
                    self.eaten = b"x" * (256 << 20)
                if mode == "fragile" and self.path == "/crash":
                    os._exit(7)
                body = (str(os.getpid()) + " " + os.environ.get("VERSION", "none")).encode()
                self.send_response(500 if mode == "sick" and self.path == "/health" or isBad and mode == "failing" else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()
            def log_message(self, *arguments): pass
        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128
        Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """

    /// - Parameters:
    ///   - app: more lines of the `app` block.
    ///   - main: more lines of the main context, such as `control`.
    ///   - server: more lines of the server block.
    init(
        app: String = "", server: String = "", main: String = "", delay: Double = 0, mode: String = "serve", workers: Int = 1,
        directory: TemporaryDirectory? = nil
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        try directory.write("app.py", Self.program)
        site = try Site(
            http: "upstream back { app one; keepalive 16; }",
            server: "\(server) location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection \"\"; }",
            main: """
                \(main)
                app one { command \(Self.command(directory, delay: delay, mode: mode)); directory \(directory.path); \(app) }
                """,
            workers: workers, directory: directory)
    }

    /// The words that start the app.
    static func command(_ directory: TemporaryDirectory, delay: Double = 0, mode: String = "serve") -> String {
        "/usr/bin/python3 \(directory.path)/app.py \(delay) \(mode)"
    }

    /// The usual place of the control socket.
    var socket: String { directory.path + "/control/control.sock" }

    var commands: Commands { Commands(socket: socket) }

    /// Runs a command against this gateway.
    func run(_ arguments: [String], seconds: Double = 60) throws -> RunningProcess.Output {
        try commands.run(arguments, seconds: seconds)
    }

    /// The status as JSON.
    func status() throws -> [String: Any] {
        let result = try run(["status", "--json"])
        guard result.succeeded else { throw KitError("status: \(result.errors)") }
        guard let status = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] else {
            throw KitError("status is no object: \(result.output)")
        }
        return status
    }

    /// The instances of the app, as `status` has them.
    func instances() throws -> [[String: Any]] {
        let apps = try status()["apps"] as? [[String: Any]] ?? []
        return apps.first?["instances"] as? [[String: Any]] ?? []
    }

    /// Waits until the control process answers, and the app serves.
    func waitUntilUp() throws {
        try #require(
            eventually { (try? status()) != nil }, "no control process: \(site.gateway.errorLog)")
        try #require(
            eventually { (try? instances().allSatisfy { $0["state"] as? String == "ready" }) == true },
            "\(site.gateway.errorLog)")
    }

    /// The control process of this gateway; nil: there is none.
    var controlProcess: pid_t? {
        site.gateway.process.children.first { LiveProcess($0).commandLine.contains("control process") }
    }
}
