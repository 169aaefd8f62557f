import Testing

@testable import Config

@Suite("Apps, control and the main context")
struct AppTests {
    static let example = """
        events { }
        app api {
            command       /usr/bin/node server.js --trace;
            directory     /srv/api;      user www-data;
            env           NODE_ENV=production;  env_file /etc/api.env; env PATH;
            instances     2;
            listen        port;
            health        uri=/health interval=1s timeout=2s passes=2 fails=3 match=ok;
            start_timeout 30s;  stop_signal SIGTERM;  stop_timeout 20s;
            restart       on-failure backoff=200ms..10s;
            memory_max    512m;  memory_recycle 400m;
            nofile        65536;  umask 027;  watchdog 10s;
            log           /var/log/goodgate/api.log rotate=100m keep=7;
        }
        http { match ok { status 200; } upstream backend { app api; keepalive 32; } }
        """

    @Test("every parameter of an app")
    func parameters() throws {
        let outcome = parse(Self.example)
        #expect(outcome.diagnostics == [])
        let app = try #require(outcome.configuration?.main.apps.first)
        #expect(app.command == ["/usr/bin/node", "server.js", "--trace"])
        #expect(app.directory == "/srv/api")
        #expect(app.user == "www-data")
        #expect(app.environment.map(\.name) == ["NODE_ENV", "PATH"])
        #expect(app.environment.map(\.value) == ["production", nil])
        #expect(app.environmentFiles == ["/etc/api.env"])
        #expect(app.instances == 2)
        #expect(app.listen == .port)
        let health = try #require(app.health)
        #expect((string(health.uri), health.interval, health.timeout) == ("/health", 1_000, 2_000))
        #expect((health.passes, health.fails, health.match) == (2, 3, "ok"))
        #expect((app.startTimeout, app.stopSignal, app.stopTimeout) == (30_000, 15, 20_000))
        #expect((app.restart.policy, app.restart.backoffMin, app.restart.backoffMax) == (.onFailure, 200, 10_000))
        #expect((app.memoryMax, app.memoryRecycle) == (512 << 20, 400 << 20))
        #expect((app.fileLimit, app.umask, app.watchdog) == (65_536, 0o27, 10_000))
        #expect((app.log?.path, app.log?.rotateSize, app.log?.keep) == ("/var/log/goodgate/api.log", 100 << 20, 7))
    }

    @Test("an app may have a backup server", arguments: ["app a; server 127.0.0.1:1 backup;", "server 127.0.0.1:1 backup; app a;"])
    func backup(inside: String) {
        #expect(parse("events { }\napp a { command x; }\nhttp { upstream u { \(inside) } }\n").diagnostics == [])
    }

    @Test(
        "where an app's output goes",
        arguments: [("stderr", "stderr"), ("app.log", "/srv/app.log"), ("/var/a.log rotate=1m", "/var/a.log")])
    func log(text: String, path: String) {
        #expect(parse(Wrapping.app.around("command x; log \(text);")).configuration?.main.apps[0].log?.path == path)
    }

    @Test("an upstream with an app parks requests unless it says otherwise")
    func upstream() throws {
        let upstream = try #require(parse(Self.example).configuration?.http?.upstreams.first)
        #expect(upstream.app == 0)
        #expect(upstream.queue == QueueSettings(length: 1_000, timeout: 30_000))
        #expect(upstream.servers.isEmpty)
    }

    @Test(
        "how an app listens",
        arguments: [
            ("port", AppSettings.Listen.port), ("fd", .descriptor), ("unix", .unix),
            ("none", .nowhere), ("127.0.0.1:3000", .fixed(.ipv4(0x7F00_0001, port: 3_000))),
            ("unix:/run/a", .fixed(.unix(bytes("/run/a")))),
            ("[::1]:3", .fixed(.ipv6(high: 0, low: 1, port: 3))),
        ])
    func listen(text: String, listen: AppSettings.Listen) throws {
        #expect(parse(Wrapping.app.around("command x; listen \(text);")).configuration?.main.apps[0].listen == listen)
    }

    @Test(
        "each signal that is accepted is the one that is sent",
        arguments: [
            ("HUP", 1), ("SIGINT", 2), ("quit", 3), ("ABRT", 6), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("ALRM", 14), ("TERM", 15),
            ("sigwinch", 28), ("PWR", 30), ("RTMIN", 34), ("SIGRTMIN+3", 37), ("RTMIN+30", 64),
        ] as [(String, Int32)])
    func stopSignal(name: String, number: Int32) {
        #expect(parse(Wrapping.app.around("command x; stop_signal \(name);")).configuration?.main.apps[0].stopSignal == number)
    }

    @Test(
        "mistakes in an app",
        arguments: [
            ("listen port;", "no \"command\" is defined for app \"a\""),
            ("command x; listen 127.0.0.1:1; instances 2;", "app \"a\" has 2 instances, but one fixed address 127.0.0.1:1"),
            ("command x; listen 127.0.0.1;", "no port in \"127.0.0.1\" of the \"listen\" directive"),
            ("command x; listen somewhere;", "invalid parameter \"somewhere\""),
            ("command x; stop_signal HUPP;", "invalid signal \"HUPP\""),
            ("command x; stop_signal RTMINfoo;", "invalid signal \"RTMINfoo\""),
            ("command x; stop_signal RTMIN+31;", "invalid signal \"RTMIN+31\""),
            ("command x; stop_signal RTMIN+-1;", "invalid signal \"RTMIN+-1\""),
            ("command x; stop_signal SEGV;", "invalid signal \"SEGV\""),
            ("command x; restart sometimes;", "invalid value \"sometimes\""),
            ("command x; restart always backoff=9s..1s;", "invalid parameter \"backoff=9s..1s\""),
            ("command x; umask 999;", "\"umask\" directive invalid value"),
            ("command x; listen none; health;", "app \"a\" listens nowhere: there is nothing that \"health\" could ask"),
            ("command \"\";", "\"command\" directive empty program"), ("command x; env 1A=3;", "invalid parameter \"1A=3\""),
            ("command x; env_file \"\";", "\"env_file\" directive empty path"),
            ("command x; instances 0;", "value must be between 1 and 1000"),
            ("command x; start_timeout 0ms;", "\"start_timeout\" directive invalid value"),
            ("command x; health uri=x;", "invalid value of \"uri\" in \"uri=x\""),
            ("command x; health match=none;", "unknown match \"none\""),
            ("command x; memory_max 1m; memory_recycle 2m;", "\"memory_recycle\" of app \"a\" must be less than its \"memory_max\""),
            ("command x; log l rotat=1m;", "invalid parameter \"rotat=1m\""),
            ("command x; health interval=0;", "invalid value of \"interval\" in \"interval=0\""),
            ("command x; log l rotate=1;", "\"rotate\" must be at least 4k"),
            ("command x; log l keep=x;", "invalid value of \"keep\" in \"keep=x\""),
            ("command x; memory_max 1;", "\"memory_max\" directive value must be at least 1m"),
            ("command x; memory_recycle 1k;", "\"memory_recycle\" directive value must be at least 1m"),
            ("command x; nofile 0;", "\"nofile\" directive value must be at least 16"),
            ("command x; log stderr keep=2;", "\"keep=2\" makes sense only for a file"),
            ("command x; log syslog:server=10.0.0.1;", "invalid parameter \"syslog:server=10.0.0.1\""),
            ("command x; proxy_pass http://a;", "\"proxy_pass\" directive is not allowed here"),
        ])
    func mistakes(snippet: String, message: String) {
        let outcome = parse(Wrapping.app.around(snippet))
        #expect(outcome.diagnostics.filter { $0.severity == .emergency }.map(\.message) == [message])
    }

    @Test("two apps of one name, an app that is not there, an app that nobody uses")
    func relations() {
        #expect(
            parse("events { }\napp a { command x; }\napp a { command x; }\n").errors == ["3 duplicate app \"a\""])
        let unknown = parse("events { }\napp api { command x; }\nhttp { upstream u { app apl; } }\n")
        #expect(unknown.errors == ["3 unknown app \"apl\""])
        #expect(unknown.diagnostics.compactMap(\.suggestion) == ["api"])
        let background = parse("events { }\napp a { command x; }\n")
        #expect(
            background.warnings == [
                """
                2 app "a" is used by no upstream: it runs in the background, without $PORT; if that is meant, say "listen none"
                """
            ])
        #expect(background.configuration?.main.apps[0].listen == .nowhere)
        let chosen = parse("events { }\napp a { command x; listen port; }\napp b { command x; listen none; }\n")
        #expect(chosen.warnings == ["2 app \"a\" is used by no upstream"])
        #expect(chosen.configuration?.main.apps.map(\.listen) == [.port, .nowhere])
        #expect(
            parse("events { }\nhttp { upstream u { app a; } }\napp a { command x; listen none; }\n").errors
                == ["2 app \"a\" listens nowhere (\"listen none\")"])
        #expect(parse("events { }\nhttp { upstream u { app a; } }\napp a { command x; }\n").configuration?.main.apps[0].listen == .port)
        #expect(parse("events { }\napp ../a { command x; }\n").errors.count == 1)
    }

    @Test("control, incident_log and our other directives")
    func own() throws {
        let outcome = parse(
            """
            events { worker_connections 64; debug_connection 10.0.0.0/8; }
            control unix:/run/g.sock; incident_log i.db retain=7d max=2g; error_log_verdict off;
            user www-data; worker_processes auto; worker_rlimit_nofile 9; worker_shutdown_timeout 10ms; pid run/p;
            env A; env B=c=d; daemon off; working_directory /w;
            http { proxy_status full; strict_line_endings on; proxy_replay_idempotency_key on; verdict_to 10.0.0.0/8; server { } }
            """)
        // Read and checked, and the reader says that nothing acts on them.
        let unused = ["debug_connection"]
        #expect(outcome.diagnostics.compactMap(\.directive) == unused)
        #expect(outcome.diagnostics.allSatisfy { $0.severity == .notice })
        let configuration = try #require(outcome.configuration)
        let main = configuration.main
        #expect(main.control.socketPath == "/run/g.sock")
        #expect(main.incidentLog?.path == "/srv/i.db")
        #expect((main.incidentLog?.retention, main.incidentLog?.sizeMax) == (604_800, 2 << 30))
        #expect(main.appendsVerdictToErrorLog == false)
        #expect((main.user, main.group, main.workerProcesses) == ("www-data", nil, 4))
        #expect((main.workerFileLimit, main.workerShutdownTimeout, main.pidPath) == (9, 10, "/srv/run/p"))
        #expect(main.environment.map(\.value) == [nil, "c=d"])
        #expect(!main.isDaemon)
        #expect(main.events.workerConnections == 64)
        #expect(configuration.serverSettings.core.proxyStatus == .full)
        #expect(configuration.server.head.requiresCRLF)
        #expect(configuration.serverSettings.proxy.replaysWithIdempotencyKey)
        #expect(configuration.serverSettings.core.verdictTo.count == 1)
    }

    @Test("user without privileges is a warning, as in nginx")
    func userWithoutRoot() {
        var source = MemorySource()
        source.facts.isRoot = false
        #expect(
            parse("events { }\nuser a;\n", source: source).warnings
                == ["2 the \"user\" directive makes sense only if the master process runs with super-user privileges, ignored"])
    }

    @Test("user of an app without privileges is a warning, and ignored")
    func appUserWithoutRoot() {
        var source = MemorySource()
        source.facts.isRoot = false
        let outcome = parse("events { }\nhttp { upstream u { app a; } }\napp a { command x;\nuser b; }\n", source: source)
        #expect(outcome.warnings == ["4 the \"user\" of an app makes sense only if goodgate is started by root, ignored"])
        #expect(outcome.configuration?.main.apps[0].user == nil)
    }

    @Test("two apps that upstreams use cannot have one address; both places are named")
    func oneAddress() {
        func errors(_ upstreams: String) -> [String] {
            parse("""
                events { }
                http { \(upstreams) }
                app a { command x; listen 127.0.0.1:3000; }
                app b { command x; listen 127.0.0.1:3000; }

                """).errors
        }
        let told = errors("upstream u { app a; } upstream v { app b; }")
        #expect(told.count == 1)
        #expect(told[0].hasPrefix("4 app \"b\" has the address 127.0.0.1:3000, which is that of app \"a\" in "), "\(told)")
        #expect(told.first?.hasSuffix(":3") == true)
        #expect(errors("upstream u { app a; }") == [], "the other one may be on its way out, and is only run")
    }

    @Test("a word that is right but for its value is not suggested again")
    func suggestion() {
        let outcome = parse(Wrapping.app.around("command x; log l rotate=;"))
        #expect(outcome.diagnostics.compactMap(\.suggestion) == [])
        #expect(parse(Wrapping.app.around("command x; log l rotat=;")).diagnostics.compactMap(\.suggestion) == ["rotate="])
    }

    @Test("a worker needs more connections than it has listening sockets", arguments: [(2, true), (3, false)])
    func fewConnections(count: Int, isRefused: Bool) {
        let text = "events {\nworker_connections \(count); }\nhttp { server { listen 81; listen 127.0.0.1:81; listen 82; } }\n"
        #expect(parse(text).errors == (isRefused ? ["2 2 worker_connections are not enough for 2 listening sockets"] : []))
    }

    @Test("what a configuration needs of the host is known with its place, even with errors")
    func needs() {
        let outcome = parse(
            "events { }\nuser a b;\nhttp {\naccess_log /x/a.log;\nerror_log /x/e.log;\nnonsense;\nserver { access_log /x/a.log; }\n}\n")
        #expect(outcome.configuration == nil)
        #expect((outcome.needs.user?.name, outcome.needs.user?.group, outcome.needs.user?.location?.line) == ("a", "b", 2))
        #expect(outcome.needs.logs.map { "\($0.path) \($0.location?.line ?? 0)" } == ["/srv/logs/error.log 0", "/x/e.log 5", "/x/a.log 4"])
        #expect(outcome.needs.logs[1].folder == "/x")
        let standard = parse("events { }\nhttp { server { } }\n").needs.logs
        #expect(standard.map(\.path) == ["/srv/logs/error.log", "/srv/logs/access.log"])
        #expect(standard.allSatisfy { $0.location == nil }, "nobody wrote them")
    }

    @Test("pid has nginx's default and may be off")
    func pid() {
        #expect(parse("events { }").configuration?.main.pidPath == "/srv/logs/nginx.pid")
        #expect(parse("events { }\npid off;").configuration?.main.pidPath == nil)
    }
}
