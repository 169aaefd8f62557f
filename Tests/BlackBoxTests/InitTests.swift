import Foundation
import Testing
import TestKit

/// `goodgate init`: what it makes of folders that people have.
@Suite("goodgate init", .blocking, .enabled(if: Target.isGoodgate, "Goodgate's own command"))
struct InitTests {
    /// A folder, and what its configuration holds and does not hold.
    struct Project: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var files: [String: String]
        var holds: [String]
        var lacks: [String] = []

        init(_ name: String, _ files: [String: String], holds: [String], lacks: [String] = []) {
            testDescription = name
            self.files = files
            self.holds = holds
            self.lacks = lacks
        }
    }

    static let projects = [
        Project(
            "npm start", ["package.json": #"{"name":"@org/shop","scripts":{"start":"node server.js --trace"}}"#,
                          "server.js": "require('http').createServer().listen(process.env.PORT || 3000)"],
            holds: ["app shop {", "/node server.js --trace;", "env NODE_ENV=production;", "made by `goodgate init` from package.json"],
            lacks: ["listen 127.0.0.1:3000", "npm start"]),
        Project(
            "a Node application with a port of its own",
            ["package.json": #"{"main":"index.js"}"#, "index.js": "http.createServer(f).listen(3000);"],
            holds: ["/node index.js;", "listen 127.0.0.1:3000;"]),
        Project(
            "a Node application whose \"main\" is not there",
            ["package.json": #"{"main":"index.js","scripts":{"test":"exit 1"}}"#,
             "server.js": "http.createServer(f).listen(process.env.PORT);"],
            holds: ["/node server.js;"], lacks: ["index.js"]),
        Project(
            "a Node application whose \"main\" is a folder",
            ["package.json": #"{"main":"./lib"}"#, "lib/index.js": "http.createServer(f).listen(4000);", "server.js": ""],
            holds: ["/node ./lib/index.js;", "listen 127.0.0.1:4000;"], lacks: ["server.js"]),
        Project(
            "a unit with files of variables that may be missing",
            ["web.service": """
                [Service]
                EnvironmentFile=/gone/before
                EnvironmentFile=
                EnvironmentFile=-/no/such/file
                EnvironmentFile=/etc/hostname
                EnvironmentFile=-/etc/passwd
                ExecStart=/bin/sleep 100
                """],
            holds: ["env_file /etc/hostname;", "env_file /etc/passwd;", "#", "now it is not:  env_file /no/such/file;"],
            lacks: ["    env_file /no/such/file;\n", "/gone/before"]),
        Project(
            "npm start with a port of its own", ["package.json": #"{"scripts":{"start":"next start -p 3000"}}"#],
            holds: ["next start -p 3000;", "listen 127.0.0.1:3000;"]),
        Project(
            "npm start with a port of its own, by a shell",
            ["package.json": #"{"scripts":{"start":"cross-env NODE_ENV=production next start -p 3000"}}"#],
            holds: ["npm start\";", "listen 127.0.0.1:3000;"]),
        Project(
            "Procfile with an assignment", ["Procfile": "web: FOO=1 python web.py\nclock: A=1 B=2 python clock.py && true\n"],
            holds: [#""exec env FOO=1 python web.py";"#, #""A=1 B=2 python clock.py && true";"#]),
        Project(
            "npm start by a shell", ["package.json": #"{"scripts":{"start":"tsc && node dist/x.js"}}"#],
            holds: ["npm start\";", "tsc && node"]),
        Project(
            "Procfile",
            ["Procfile": "web: gunicorn app:app -b 127.0.0.1:$PORT\nworker: python3 worker.py\nrelease: ./migrate\n", ".env": "A=1"],
            holds: [#"command /bin/sh -c "exec gunicorn app:app -b 127.0.0.1:$PORT";"#, "app worker {", "listen none;", "env_file .env;",
                    "./migrate"],
            lacks: ["app release", "app worker;"]),
        Project(
            "PM2 with a worker", ["ecosystem.config.js": """
                module.exports = { apps: [{ name: 'shop', script: 'server.js' }, { name: 'mails', script: 'npm', args: 'run worker' }] };
                """],
            holds: ["app shop;", "app mails {", "listen none;"], lacks: ["app mails;", "location /mails/"]),
        Project(
            "Procfile from Windows", ["Procfile": "web: gunicorn app:app -b 127.0.0.1:$PORT\r\nworker: python3 worker.py\r\n"],
            holds: ["app web {", "app worker {", "python3 worker.py;"], lacks: ["\r"]),
        Project(
            "PM2",
            ["ecosystem.config.js": """
                // PM2
                const path = require('path');
                module.exports = { apps: [{
                    name: "api", script: "./dist/server.js", args: "--x 1", instances: "max", exec_mode: 'cluster', // all
                    env: { NODE_ENV: "development", PORT: 3000, DEBUG: process.env.DEBUG || "x" },
                    env_production: { NODE_ENV: "production" },
                    max_memory_restart: "300M", kill_timeout: 5000, cwd: path.join(__dirname, "x"),
                }, { name: 'job runner', script: 'python3', args: ['job.py', 7], interpreter: 'none' }] };
                """],
            holds: ["/node dist/server.js --x 1;", "env NODE_ENV=production;", "instances 2;", "stop_timeout 5s;", "memory_recycle 300m;",
                    "app job-runner {", "python3 job.py 7;", "listen none;"],
            lacks: ["DEBUG", "env PORT"]),
        Project(
            "Flask with gunicorn", ["app.py": "from flask import Flask\napp = Flask(__name__)\n", "requirements.txt": "gunicorn==21\n"],
            holds: ["gunicorn -b 127.0.0.1:$PORT app:app", "instances 2;"]),
        Project("Flask alone", ["shop.py": "site = Flask(__name__)\n"], holds: ["-m flask --app shop:site run", "is for development"]),
        Project(
            "WSGI of its own", ["wsgi.py": "def application(environ, start_response):\n    pass\n", "requirements.txt": "gunicorn==21\n"],
            holds: ["gunicorn -b 127.0.0.1:$PORT wsgi:application"]),
        Project(
            "WSGI made of others",
            ["wsgi.py": """
                def health(environ, start_response):
                    pass
                def application(environ, start_response):
                    pass
                def old(environ, start_response):
                    pass
                """],
            holds: ["gunicorn -b 127.0.0.1:$PORT wsgi:application"]),
        Project(
            "ASGI of its own", ["asgi.py": "async def app(scope, receive, send):\n    pass\n"],
            holds: ["uvicorn asgi:app --host 127.0.0.1 --port $PORT"]),
        Project(
            "WSGI that serves itself",
            ["app.py": "def app(environ, start_response): pass\nif __name__ == '__main__': serve(os.environ['PORT'])\n"],
            holds: ["python3 -u app.py;"]),
        Project("FastAPI", ["main.py": "api = FastAPI(title=\"x\")\n"], holds: ["uvicorn main:api --host 127.0.0.1 --port $PORT"]),
        Project("Django", ["manage.py": "", "shop/wsgi.py": "", "pyproject.toml": "dependencies = [\"gunicorn\"]"],
                holds: ["app shop {", "shop.wsgi:application"]),
        Project("Django alone", ["manage.py": "", "shop/wsgi.py": ""], holds: ["manage.py runserver --noreload 127.0.0.1:$PORT"]),
        Project("unicorn", ["config.ru": "", "Gemfile": "gem 'unicorn'"], holds: ["unicorn -l 127.0.0.1:$PORT", "stop_signal QUIT;"]),
        Project("puma", ["config.ru": "", "Gemfile": "gem 'puma'"], holds: ["puma -b tcp://127.0.0.1:$PORT"], lacks: ["stop_signal"]),
        Project(
            "a systemd unit of php-fpm",
            ["shop.service": """
                [Unit]
                Description=x
                [Service]
                ExecStart=-/usr/sbin/php-fpm8.2 --nodaemonize \\
                  --fpm-config /etc/shop.conf
                User=nobody
                Environment="A=1" B=2 'GREETING=hello world' PATTERN="say \\"hi\\""
                TimeoutStopSec=20s
                LimitNOFILE=4096
                """],
            holds: ["/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/shop.conf;", "stop_signal QUIT;", "user nobody;", "env A=1;",
                    "env B=2;", #"env "GREETING=hello world";"#,
                    #"env "PATTERN=say \"hi\"";"#, "stop_timeout 20s;", "nofile 4096;", "FastCGI"],
            lacks: ["app shop;"]),
        Project(
            "a systemd unit of gunicorn at a socket file",
            ["shop.service": """
                [Service]
                ExecStart=/opt/shop/bin/gunicorn --workers 3 --bind unix:/run/shop.sock -m 007 shop.wsgi:application
                TimeoutStopSec=5min 20s
                WatchdogSec=1500ms
                KillSignal=2
                LimitNOFILE=1024:4096
                MemoryMax=512M
                UMask=0027
                User=nobody
                User=
                WorkingDirectory=
                """],
            holds: ["gunicorn --workers 3 --bind unix:$SOCKET_PATH -m 007 shop.wsgi:application", "listen unix;", "stop_timeout 320s;",
                    "watchdog 2s;", "stop_signal INT;", "nofile 1024;", "memory_max 512m;", "umask 0027;"],
            lacks: ["finishes its requests", "user ", "directory \"\""]),
        Project(
            "a Procfile with socket files of others",
            ["Procfile": """
                web: node web.js --redis unix:/run/redis.sock
                api: gunicorn -b 127.0.0.1:8000 --statsd-host unix:/run/statsd.sock api:app
                jobs: celery -b unix:/run/redis.sock worker
                """],
            holds: ["web.js --redis unix:/run/redis.sock;", "--statsd-host unix:/run/statsd.sock",
                    "celery -b unix:/run/redis.sock worker;"],
            lacks: ["SOCKET_PATH"]),
        Project(
            "a systemd unit whose socket is beside the ports of others",
            ["shop.service": """
                [Service]
                ExecStart=/usr/bin/env REDIS_URL=redis://localhost:6379 /opt/gunicorn --statsd-host=localhost:8125 -bunix:/run/a.sock a:app
                Environment=A=1
                Environment=
                Environment=B=2
                KillSignal=37
                """],
            holds: ["--statsd-host=localhost:8125 -bunix:$SOCKET_PATH a:app", "listen unix;", "stop_signal RTMIN+3;", "env B=2;"],
            lacks: ["env A=1"]),
        Project(
            "a systemd unit that dials a database, with a signal that nobody can use",
            ["shop.service": "[Service]\nExecStart=/opt/shop --database postgres://u@localhost:5432/x\nKillSignal=0\n"],
            holds: ["KillSignal=0, by which no program"], lacks: ["5432;", "stop_signal"]),
        Project("a Procfile with a socket file", ["Procfile": "web: uvicorn --uds /run/web.sock main:app\n"],
                holds: ["--uds $SOCKET_PATH main:app", "listen unix;"]),
        Project(
            "an nginx site",
            ["shop.conf": "upstream a { server 127.0.0.1:3000; }\nserver { listen 127.0.0.1:8089; location / { proxy_pass http://a; } }"],
            holds: ["include shop.conf;"], lacks: ["server {", "8080"]),
        Project(
            "an nginx site that does not run here",
            ["shop.conf": "server {\n listen 443 ssl;\n ssl_certificate /etc/x.pem;\n location / { root /srv; }\n}\n"],
            holds: ["# include shop.conf;", "shop.conf:3: ", "location / { return 404; }"], lacks: ["\n    include"]),
        Project("files", ["public/index.html": "x"], holds: ["root public;", "try_files $uri $uri/ =404;"], lacks: ["\napp "]),
    ]

    private func folder(_ files: [String: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, text) in files {
            let path = directory.path + "/" + name
            try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try directory.write(name, text)
        }
        return directory
    }

    @Test("recognises the project, and what it writes passes -t", arguments: projects)
    func projectsAreRecognised(_ project: Project) throws {
        let directory = try folder(project.files)
        let made = try RunningProcess.run(GatewayProcess.goodgate, ["init", directory.path])
        #expect(made.succeeded, "\(made.errors)")
        let text = directory.read("goodgate.conf")
        for part in project.holds { #expect(text.contains(part), "\(part) in:\n\(text)") }
        for part in project.lacks { #expect(!text.contains(part), "\(part) in:\n\(text)") }
        let test = try RunningProcess.run(GatewayProcess.goodgate, ["-t", "-p", directory.path, "-e", "stderr"])
        #expect(test.succeeded, "\(test.errors)\n\(text)")
        #expect(!test.errors.contains("[emerg]"))
    }

    @Test("recognises one executable program")
    func program() throws {
        let directory = try folder([:])
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: directory.path + "/shopd")
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["init", "--print", directory.path])
        #expect(result.output.contains("command \(directory.path)/shopd;"), "\(result.output)\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/goodgate.conf"), "--print writes nothing")
    }

    @Test("tells programs what it made, and why it made nothing")
    func json() throws {
        func report(_ words: [String], _ directory: TemporaryDirectory) throws -> (status: Int32, values: [String: String]) {
            let result = try RunningProcess.run(GatewayProcess.goodgate, ["init", "--json"] + words + [directory.path])
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
            return (result.status, try #require(object as? [String: String], "\(result.output)\(result.errors)"))
        }
        let directory = try folder(["Procfile": "web: python3 web.py\n"])
        let shown = try report(["--print"], directory)
        #expect(shown.status == 0 && shown.values["file"] == nil && shown.values["configuration"]?.contains("app web {") == true)
        let made = try report([], directory)
        #expect(made.status == 0 && made.values["origin"] == "Procfile" && made.values["folder"] == directory.path)
        #expect(made.values["file"] == directory.path + "/goodgate.conf")
        let text = made.values["configuration"]
        #expect(text == directory.read("goodgate.conf") && text == shown.values["configuration"])
        let again = try report([], directory)
        #expect(again.status != 0 && again.values["error"] == "refused")
        #expect(again.values["message"]?.contains("goodgate.conf is there already and stays as it is") == true)
        let whole = try report([], folder(["shop.conf": "events { }\nhttp { server { listen 127.0.0.1:8089; } }"]))
        #expect(whole.status == 0 && whole.values["origin"]?.hasSuffix("/shop.conf") == true && whole.values["configuration"] == nil)
    }

    @Test("never writes over a file, and says what it looked for when nothing is there")
    func refusals() throws {
        let taken = try folder(["goodgate.conf": "mine", "index.html": "x"])
        let refused = try RunningProcess.run(GatewayProcess.goodgate, ["init", taken.path])
        #expect(refused.status != 0)
        #expect(refused.errors.contains("goodgate.conf is there already and stays as it is"))
        #expect(taken.read("goodgate.conf") == "mine")
        let nothing = try folder([:])
        let empty = try RunningProcess.run(GatewayProcess.goodgate, ["init", nothing.path])
        #expect(empty.status != 0)
        #expect(empty.errors.contains("looked for Procfile, ecosystem.config.js, package.json"))
        let missing = try RunningProcess.run(GatewayProcess.goodgate, ["init", "/nowhere/at/all"])
        #expect(missing.status != 0)
        #expect(missing.errors.contains("/nowhere/at/all: no such folder"))
    }

    private static let python = """
        import http.server, os
        print("a line of the app", flush=True)
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200); self.end_headers(); self.wfile.write(b"from python")
            def log_message(self, *arguments): pass
        http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """
    private static let node =
        "console.log('a line of the app');"
        + "require('http').createServer((q, s) => s.end('from node')).listen(process.env.PORT, '127.0.0.1');"

    @Test("writes what runs: a plain Python application, and a Node application", arguments: [
        (["app.py": python], "from python"), (["package.json": #"{"scripts":{"start":"node web.js"}}"#, "web.js": node], "from node"),
    ])
    func runs(_ files: [String: String], _ answer: String) throws {
        let directory = try folder(files)
        try run(directory, answer) { _, _ in
            // "log stderr"
            #expect(eventually { directory.read("errors").contains("a line of the app") }, "\(directory.read("errors"))")
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/stderr"))
        }
    }

    /// Runs what `goodgate init` makes of a folder, at another port than 8080.
    private func run(_ directory: TemporaryDirectory, _ answer: String, _ body: (RunningProcess, Int) throws -> Void) throws {
        #expect(try RunningProcess.run(GatewayProcess.goodgate, ["init", directory.path]).succeeded)
        let port = Ports.free()
        let text = directory.read("goodgate.conf")
        #expect(text.contains("127.0.0.1:8080;"))
        try directory.write("goodgate.conf", text.replacingOccurrences(of: "127.0.0.1:8080;", with: "127.0.0.1:\(port);"))
        // The workers' user has to be able to read the folder.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path)
        let gateway = try RunningProcess(GatewayProcess.goodgate, ["run", "-p", directory.path], errors: directory.path + "/errors")
        defer { gateway.kill() }
        let reply = eventually { (try? Client(port, timeout: 20).request().text) == answer }
        #expect(reply, "\(directory.read("errors"))")
        try body(gateway, port)
        gateway.signal(SIGTERM)
        #expect(gateway.wait(seconds: 60) == .exited(0), "\(directory.read("errors"))")
    }

    /// A server in C, linked statically; nil: nothing here can make one.
    private static let staticProgram: Bytes? = {
        let source = #"""
            #define _GNU_SOURCE
            #include <arpa/inet.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/socket.h>
            #include <unistd.h>
            int main(void) {
                struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
                int server = socket(AF_INET, SOCK_STREAM, 0);
                if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 128)) return 1;
                for (;;) {
                    char head[65536];
                    size_t length = 0;
                    ssize_t got = 1;
                    int client = accept(server, 0, 0);
                    while (got > 0 && !memmem(head, length, "\r\n\r\n", 4)) {
                        got = read(client, head + length, sizeof head - length);
                        if (got > 0) length += got;
                    }
                    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nfrom C";
                    got = write(client, answer, sizeof answer - 1);
                    close(client);
                }
            }
            """#
        guard let directory = try? TemporaryDirectory(), let file = try? directory.write("shopd.c", source) else { return nil }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for compiler in ["cc", "clang"] {
            let words = [compiler, "-static", "-o", directory.path + "/shopd", file]
            let result = try? RunningProcess.run("/usr/bin/env", words, environment: ["PATH": path])
            if result?.succeeded == true { return FileManager.default.contents(atPath: directory.path + "/shopd").map { Bytes($0) } }
        }
        return nil
    }()

    @Test("writes what runs: a static binary, which may be killed", .enabled(
        if: InitTests.staticProgram != nil, "needs a C compiler and a static libc"))
    func staticBinary() throws {
        let directory = try folder([:])
        let program = try directory.write("shopd", #require(Self.staticProgram))
        chmod(program, 0o755)
        try run(directory, "from C") { gateway, port in
            let load = Load(port: port, clients: 4)
            #expect(eventually { load.count > 50 })
            // Once: ending within a second of its start three times in a row, it would count as broken.
            let instances = gateway.children.flatMap { LiveProcess($0).children }
            kill(try #require(instances.first { LiveProcess($0).commandLine.hasPrefix(program) }), SIGKILL)
            let before = load.count
            #expect(eventually { load.count > before + 50 })
            #expect(load.finish().failures == [], "\(directory.read("errors"))")
        }
    }
}
