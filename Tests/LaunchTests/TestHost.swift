import Config
import Glibc
import Machine
import Messages
import Testing

@testable import Supervisor

/// Workers that do nothing: remembers what they were told and drives the loop of an `AppSupervisor`.
final class TestHost: AppHost {
    struct Place: Hashable {
        var app: String
        var instance: InstanceKey
    }

    struct Route: Equatable {
        var address: NetworkAddress
        var share: RouteShare
    }

    let directory: TestDirectory
    var supervisor: AppSupervisor!
    var routes: [Place: Route] = [:]
    var outlooks: [AppOutlook] = []
    var reports: [(key: InstanceKey?, report: AppReport)] = []
    var log: [String] = []
    var checked: [InstanceKey: NetworkAddress] = [:]
    /// Every order in its sequence, for rules about what comes before what.
    var history: [String] = []
    /// Requests in flight at un-routing: how long until they are done.
    var drainMilliseconds: UInt64? = 0
    private var draining: [(at: UInt64, app: String, key: InstanceKey)] = []
    var failingShare: [InstanceKey: SoakComparison.Counts] = [:]

    init(directory: TestDirectory = TestDirectory(), usesCgroups: Bool = false) throws {
        self.directory = directory
        supervisor = try AppSupervisor(
            host: self, stateDirectory: directory.path + "/s", lastingDirectory: directory.path + "/lasting/x",
            launcher: TestKeeper.executable, usesCgroups: usesCgroups)
    }

    /// Starts an app, and waits until all its instances get traffic.
    func start(_ specification: AppSpecification, sourceLocation: Testing.SourceLocation = #_sourceLocation) {
        supervisor.configure([specification])
        #expect(run { $0.routes.count == specification.instances }, sourceLocation: sourceLocation)
    }

    /// As kill -9 of the supervisor: nothing is said, all descriptors close.
    func die() { supervisor = nil }

    /// The supervisor that comes after one that has gone, and finds what that left. Whoever asks for it finishes it.
    func successor(_ specification: AppSpecification) throws -> TestHost {
        let next = try TestHost(directory: directory)
        next.supervisor.configure([specification])
        return next
    }

    /// Ends everything that runs.
    func finish() {
        guard supervisor != nil else { return }
        for app in supervisor.apps.values { for instance in app.instances.values { instance.channel?.send(.kill) } }
        supervisor.stopAll()
        _ = run(seconds: 8) { $0.supervisor.isGone }
    }

    var now: Duration { .milliseconds(Int64(System.now)) }
    func route(app: String, instance: InstanceKey, address: NetworkAddress, share: RouteShare) {
        routes[Place(app: app, instance: instance)] = Route(address: address, share: share)
        history.append("route \(app) \(instance.slot)#\(instance.serial) \(share)")
    }
    func unroute(app: String, instance: InstanceKey, address: NetworkAddress) {
        routes[Place(app: app, instance: instance)] = nil
        history.append("unroute \(app) \(instance.slot)#\(instance.serial)")
        if let time = drainMilliseconds { draining.append((System.now + time, app, instance)) }
    }
    /// What was said to be all that runs, each time that running instances were taken over.
    var takeovers: [[String: Set<InstanceKey>]] = []
    func tookOver(_ instances: [String: Set<InstanceKey>]) { takeovers.append(instances) }
    func outlook(app: String, _ outlook: AppOutlook) { outlooks.append(outlook) }
    /// Other ends of connections that were taken out of accept queues.
    var rescued: [NetworkAddress] = []
    func rescued(app: String, address: NetworkAddress, peers: [NetworkAddress]) {
        rescued += peers
        history.append("rescued \(app)")
    }
    /// By what they are checked.
    var checks: [InstanceKey: AppHealth] = [:]
    func beginHealthCheck(app: String, instance: InstanceKey, address: NetworkAddress, _ health: AppHealth, isReady: Bool) {
        checked[instance] = address
        checks[instance] = health
    }
    func endHealthCheck(app: String, instance: InstanceKey) { checked[instance] = nil }
    func counts(app: String, instance: InstanceKey, address: NetworkAddress) -> SoakComparison.Counts {
        failingShare[instance] ?? SoakComparison.Counts()
    }
    func report(app: String, instance: InstanceKey?, _ report: AppReport, text: String, level: LogLevel) {
        reports.append((instance, report))
        log.append(text)
        if case .exited = report, let instance { history.append("exited \(app) \(instance.slot)#\(instance.serial)") }
    }
    /// What ended instances wrote last.
    private(set) var lastWords: [AppSupervisor.InstanceLines] = []
    /// Of how many of these the end was not told before.
    private(set) var wordsBeforeEnd = 0
    func lastLines(app: String, _ lines: AppSupervisor.InstanceLines) {
        lastWords.append(lines)
        let isEndTold = reports.contains { key, report in if case .exited = report { key == lines.key } else { false } }
        if !isEndTold { wordsBeforeEnd += 1 }
    }

    func notice(app: String, text: String, level: LogLevel) { log.append(text) }

    /// Runs the loop until something holds; false after the time is over.
    func run(seconds: Double = 30, until condition: (TestHost) -> Bool) -> Bool {
        let end = System.now + UInt64(seconds * 1000)
        while true {
            if condition(self) { return true }
            let now = System.now
            if now >= end { return false }
            var wait = min(end - now, 20)
            if let deadline = supervisor.deadline { wait = min(wait, UInt64(max(0, (deadline - self.now).milliseconds))) }
            var polled = pollfd(fd: supervisor.descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&polled, 1, Int32(wait))
            if polled.revents != 0 { supervisor.serve() }
            if let deadline = supervisor.deadline, deadline <= self.now { supervisor.timerFired() }
            for item in draining where item.at <= System.now { supervisor.drained(app: item.app, instance: item.key) }
            draining.removeAll { $0.at <= System.now }
            reap()
        }
    }

    private func reap() {
        for app in supervisor.apps.values {
            for instance in app.instances.values {
                guard let process = instance.keeperProcess else { continue }
                var status: Int32 = 0
                if unsafe waitpid(process, &status, WNOHANG) == process { _ = supervisor.childEnded(process) }
            }
        }
    }

    var processes: [Int32] {
        supervisor.apps.values.flatMap { $0.instances.values.map(\.process) }.filter { $0 > 0 }.sorted()
    }

    func logged(_ text: String) -> Bool { log.contains { $0.contains(text) } }

    func hasEnded(_ result: AppReport.RollResult) -> Bool {
        reports.contains { if case .rollEnded(_, result) = $0.report { true } else { false } }
    }

    func deploy(_ environment: [String], soak: UInt32 = 0) -> AppMachine.Answer {
        supervisor.deploy(app: "api", DeployOrder(environment: environment, soakMilliseconds: soak)).answer
    }

    /// What instances with traffic say of `VERSION` in their environment.
    var versions: Set<String> {
        Set(routes.values.map { String(Self.get($0.address).split(separator: "\r\n").last?.split(separator: " ").first ?? "?") })
    }

    /// What an HTTP server at the address answers to GET /, "" if it does not.
    static func get(_ address: NetworkAddress) -> String {
        guard let socket = try? System.streamSocket(for: address) else { return "" }
        try? System.connect(socket.number, to: address)
        var polled = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&polled, 1, 3000) == 1 else { return "" }
        try? System.write(Array("GET / HTTP/1.0\r\n\r\n".utf8), to: socket.number)
        var answer: [UInt8] = []
        while true {
            polled = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, 5000) == 1 else { return "" }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(socket.number, &bytes, 4096)
            if count <= 0 { return String(decoding: answer, as: UTF8.self) }
            answer += bytes.prefix(count)
        }
    }

    /// A small HTTP server in Python, of which tests change parts.
    static let server = """
        import http.server, os, socket, sys, time, signal
        class H(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = ("%s %d" % (os.environ.get("VERSION", "1"), os.getpid())).encode()
                self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
                self.wfile.write(body)
            def log_message(self, *a): pass
        class S(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def server_bind(self):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.socket.bind(self.server_address); self.server_name = "x"; self.server_port = 0
        time.sleep(float(os.environ.get("BOOT", "0")))
        if os.environ.get("BROKEN"): print("broken", flush=True); sys.exit(3)

        """

    func specification(_ name: String = "api", server: String? = nil, instances: Int = 1) -> AppSpecification {
        let tail = server ?? """
            if os.environ.get("MODE") == "fd":
                S.server_bind = lambda self: None; S.server_activate = lambda self: None
                s = S(("", 0), H, bind_and_activate=False); s.socket = socket.socket(fileno=3); s.serve_forever()
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """
        let path = directory.file("\(name).py", Self.server + tail)
        var specification = AppSpecification(name: name, command: ["/usr/bin/python3", "-u", path], instances: instances)
        specification.restart.firstDelay = .milliseconds(50)
        specification.stopTimeout = .seconds(5)
        specification.drainTimeout = .seconds(5)
        specification.log = AppLog(path: directory.path + "/\(name).log")
        return specification
    }
}
