import Machine
import Testing

@testable import Diagnosis

/// nginx's own troubles, as `goodgate doctor` explains them: a decoy application on the host is in none of them.
@Suite struct ProxyItselfTests {
    private static let path = "/etc/nginx/nginx.conf"

    /// A host with nginx's configuration and this error log, and an application that dies at the same moment.
    private func host() -> Scene {
        var scene = Scene(nil, [:])
        scene.unit("app.service", ["ExecStart": "{ path=/usr/bin/node ; argv[]=/usr/bin/node server.js --listen 3000 ; ignore_errors=no }"])
        scene.journal(0, "app.service", "app.service: Main process exited, code=killed, status=11/SEGV")
        scene.oomKill(0, of: "app.service")
        scene.system.files[Self.path] = """
            error_log /log/error;
            http {
                access_log /log/access;
                upstream app { server 127.0.0.1:3000; }
                server { listen 80; location / { proxy_pass http://app; } location /b { proxy_pass http://127.0.0.1:3001; } }
            }
            """
        return scene
    }

    private func report(_ scene: Scene, _ lines: [String], access: String = "", age: Int64 = 0) -> DoctorReport {
        var system = scene.recorded()
        system.time = system.time.advanced(byMilliseconds: age * 1_000)
        system.files["/log/error"] = lines.map { "2026/11/22 10:00:0\($0)\n" }.joined()
        system.files["/log/access"] = access
        for log in ["/log/error", "/log/access"] { system.statuses[log] = FileStatus(mode: 0o100644, size: 999, modified: Scene.start) }
        var options = Doctor<RecordedSystem>.Options(since: Scene.start.advanced(byMilliseconds: -3_600_000))
        options.zoneOffset = 0
        options.testsUpstreams = false
        return Doctor.run(options, system: system)
    }

    private func only(_ report: DoctorReport) throws -> DoctorReport.Case {
        #expect(report.cases.count == 1, "\(report.cases.map(\.verdict.cause))")
        let found = try #require(report.cases.first)
        let text = DoctorText.render(report)
        #expect(found.upstream == "nginx" && !found.verdict.culprit.name.contains("app"), "\(text)")
        #expect(!found.verdict.evidence.contains { $0.text.contains("app.service") }, "\(text)")
        return found
    }

    private static func bind(_ addresses: String...) -> [String] {
        (0..<5).flatMap { second in
            addresses.map { "\(second) [emerg] 7#7: bind() to \($0) failed (98: Address already in use)" }
        } + ["4 [emerg] 7#7: still could not bind()"]
    }

    @Test(arguments: [
        ("apache2", "apache2.service", "[::]:80", "0.0.0.0:80", "systemctl disable --now apache2.service"),
        ("apache2", "apache2.service", "[::]:80", "[::]:80", "systemctl start nginx.service"),
        ("python3", nil, "127.0.0.1:80", "0.0.0.0:80", "ps -o pid,ppid,lstart,cmd -p 1001"),
        ("docker-proxy", "docker.service", "0.0.0.0:80", "10.0.0.5:80", "docker ps --filter publish=80"),
        ("haproxy", "haproxy.service", "unix:/run/x.sock", "unix:/run/x.sock", "systemctl disable --now haproxy.service"),
    ] as [(String, String?, String, String, String)])
    func `P27 names who has an address that nginx wants`(
        name: String, unit: String?, bound: String, wanted: String, command: String
    ) throws {
        var scene = host()
        scene.unit("nginx.service", ["ActiveState": "failed", "Result": "exit-code"])
        scene.listen(bound, by: scene.process(name, unit: unit, age: 600))
        scene.listen("0.0.0.0:8080", by: scene.process("node", unit: "app.service"))
        let item = try only(report(scene, Self.bind(wanted, "0.0.0.0:443")))
        #expect(item.verdict.rule == "P27" && item.verdict.confidence == .proven && item.attempts == ["port.taken": 11])
        #expect(item.peer?.text == wanted && item.verdict.culprit.name.hasPrefix(name + " (pid "))
        #expect(item.verdict.fix.commands.contains(command), "\(item.verdict.fix.commands)")
        // What is seen a day later proves nothing of then.
        let later = try only(report(scene, Self.bind(wanted), age: 600))
        #expect(later.verdict.rule == "P27" && later.verdict.confidence == .likely)
    }

    @Test(arguments: [("nginx.service" as String?, "systemctl reload nginx.service"), (nil, "kill -QUIT 1001")])
    func `P27 tells a second start from a stranger`(unit: String?, command: String) throws {
        var scene = host()
        scene.listen("0.0.0.0:80", by: scene.process("nginx", unit: unit, age: 600))
        let item = try only(report(scene, Self.bind("0.0.0.0:80")))
        #expect(item.verdict.rule == "P27" && item.verdict.confidence == .proven && item.verdict.cause.contains("was started while it ran"))
        #expect(item.verdict.fix.commands.contains(command), "\(item.verdict.fix.commands)")
    }

    @Test func `P27 blames nobody who came later, and knows a file that was left`() throws {
        var scene = host()
        scene.listen("0.0.0.0:80", by: scene.process("nginx", unit: "nginx.service", age: -100))
        let item = try only(report(scene, Self.bind("0.0.0.0:80")))
        #expect(item.verdict.rule == "P27" && item.verdict.confidence == .likely && item.verdict.cause.contains("who has gone"))
        #expect(item.verdict.culprit.name == "whoever had 0.0.0.0:80")
        var left = host()
        for folder in ["/", "/run"] { left.system.statuses[folder] = FileStatus(mode: 0o40755) }
        left.system.statuses["/run/x.sock"] = FileStatus(mode: 0o140777)
        let file = try only(report(left, Self.bind("unix:/run/x.sock")))
        #expect(file.verdict.rule == "P27" && file.verdict.fix.commands.first == "rm /run/x.sock", "\(file.verdict)")
        // Without the right to look nobody is named.
        var closed = host()
        closed.system.errors["/proc/net/tcp"] = 13
        let unread = try only(report(closed, Self.bind("0.0.0.0:80")))
        #expect(unread.verdict.culprit.kind == .unknown || unread.verdict.culprit.name.hasPrefix("whoever"), "\(unread.verdict)")
    }

    @Test(arguments: [
        ("exited on signal 11 (core dumped)", "nginx[29]: segfault at 0 ip 00007f1 sp 00007f2 error 4 in ngx_http_lua_module.so[7f1+4000]",
         "(SIGSEGV) in ngx_http_lua_module.so", "coredumpctl info 29", "P07"),
        // In a container the kernel has other numbers.
        ("exited on signal 11", "nginx[4029]: segfault at 0 ip 00007f1 sp 00007f2 error 4 in nginx[55d0+ef000]", "(SIGSEGV) in nginx:",
         "nginx -T 2>/dev/null | grep -n load_module", "P07"),
        ("exited on signal 6", "node[29]: trap", "(SIGABRT):", "nginx -T 2>/dev/null | grep -n load_module", "P07"),
        ("exited on signal 9", "node[29]: trap", "(SIGKILL):", "journalctl -k --no-pager -g nginx", "P07"),
        ("exited on signal 9",
         "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/nginx.service,"
            + "task_memcg=/system.slice/nginx.service,task=nginx,pid=29,uid=33",
         "nginx.service reached its memory limit", "systemctl show nginx.service -p MemoryMax,MemoryHigh", "P10"),
    ])
    func `a worker of nginx that dies is nginx's own matter`(
        end: String, kernel: String, cause: String, command: String, rule: String
    ) throws {
        var scene = host()
        scene.kernel(1, kernel)
        let item = try only(report(scene, ["1 [alert] 7#7: worker process 29 \(end)"]))
        #expect(item.verdict.rule == rule && item.verdict.confidence == .proven, "\(item.verdict)")
        #expect(item.attempts == ["proxy.crashed": 1] && item.verdict.culprit.name == "nginx (worker process 29)")
        #expect(item.verdict.cause.contains(cause) && item.verdict.fix.commands.contains(command), "\(item.verdict)")
    }

    /// Whatever request met the limit, it is one: of no upstream and no server.
    @Test(arguments: [
        ("1024 worker_connections are not enough while connecting to upstream", "worker_connections"),
        ("open() \"/var/www/a.html\" failed (24: Too many open files)", "open files"),
        ("socket() failed (24: Too many open files) while connecting to upstream", "open files"),
    ])
    func `P22 is one incident of nginx`(message: String, culprit: String) throws {
        let lines = ["127.0.0.1:3000", "127.0.0.1:3001"].enumerated().map { index, upstream in
            "1 [alert] 29#29: *\(index + 5) \(message), client: 192.0.2.\(index), server: shop\(index).example, "
                + "request: \"GET /\(index) HTTP/1.1\", upstream: \"http://\(upstream)/\", host: \"shop\""
        }
        let access = (0..<2).map { "192.0.2.\($0) - - [22/Nov/2026:10:00:01 +0000] \"GET /\($0) HTTP/1.1\" 502 1 \"-\" \"x\"\n" }
        let item = try only(report(host(), lines + ["1 [alert] 29#29: 1024 worker_connections are not enough"].filter { _ in
            culprit == "worker_connections"
        }, access: access.joined()))
        #expect(item.verdict.rule == "P22" && item.verdict.culprit == Culprit(.gatewayLimit, culprit) && item.peer == nil)
        #expect(item.requestsFailed == 2)
    }

    /// nginx's own health is forgotten by a reload, which is known from the age of its workers.
    @Test(arguments: [(2 as Int64, true), (600, false)]) func `P29 is told by the age of the workers`(age: Int64, fits: Bool) throws {
        var scene = host()
        scene.system.files[Self.path] = """
            error_log /log/error;
            http { access_log /log/access; upstream app { server 127.0.0.1:3001; server 127.0.0.1:3002; }
                server { listen 80; location / { proxy_pass http://app; } } }
            """
        let main = scene.process("nginx", unit: "nginx.service", command: "nginx: master process /usr/sbin/nginx")
        scene.proxyPID = scene.process("nginx", unit: "nginx.service", age: age, parent: main, command: "nginx: worker process")
        scene.listen("127.0.0.1:3002", by: scene.process("node", unit: "app.service"))
        let found = report(scene, (0..<3).map { second in
            "\(second) [error] 29#29: *\(second + 5) connect() failed (111: Connection refused) while connecting to upstream, client: "
                + "192.0.2.1, server: , request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:3001/\", host: \"shop\""
        })
        let item = try #require(found.cases.first { $0.peer?.text == "127.0.0.1:3001" }, "\(DoctorText.render(found))")
        #expect(item.verdict.alternatives.contains { $0.rule == "P29" } == fits, "\(item.verdict)")
    }

    @Test func `a warning at the start is no failure`() {
        let found = report(host(), ["1 [warn] 7#7: 4096 worker_connections exceed open file resource limit: 1024"])
        #expect(found.cases.isEmpty)
    }
}
