import struct TestKit.SeededGenerator
import Testing
import Machine

@testable import Diagnosis

@Suite struct LintTests {
    private let time = Timestamp(seconds: 1_795_341_600)

    private func findings(
        _ configuration: String, evidence: EvidenceSet = EvidenceSet(), files: [String: String] = [:],
        names: [String: [PeerAddress]] = [:], version: NginxVersion? = nil
    ) -> [LintFinding] {
        Lint.findings(site(configuration, files: files, version: version), evidence: evidence, names: names)
    }

    private func site(_ configuration: String, files: [String: String] = [:], version: NginxVersion? = nil) -> NginxSite {
        var system = RecordedSystem(time: time)
        system.files = files
        system.files["/etc/nginx/nginx.conf"] = configuration
        return NginxSite(
            mainFile: "/etc/nginx/nginx.conf", prefix: "/usr/share/nginx", defaultErrorLog: "/e",
            defaultAccessLog: "/a", version: version, from: system)
    }

    private let both = ["localhost": [PeerAddress(parsing: "127.0.0.1:0"), PeerAddress(parsing: "[::1]:0")]]

    @Test func `localhost with two families is replaced by what is bound`() throws {
        let found = findings(
            "http {\n    server {\n        location / {\n            proxy_pass http://localhost:3000/api;\n        "
                + "}\n    }\n}\n",
            names: both)
        let finding = try #require(found.first { $0.id == "localhost-two-families" })
        #expect(finding.severity == .warning && finding.place == "/etc/nginx/nginx.conf:4")
        #expect(finding.diff?.contains("+            proxy_pass http://127.0.0.1:3000/api;") == true)
    }

    /// `check` has the doctor's evidence of this host, but only for what is sent to it.
    @Test func `a check knows the units and listeners behind what is sent to this host`() {
        var scene = Scene("127.0.0.1:3000", [:])
        let command = "argv[]=/usr/bin/node /srv/app.js --port 3000 ; "
        scene.unit("app.service", ["ExecStart": command, "KillSignal": "9", "TimeoutStopUSec": "2s"])
        scene.listen("[::1]:3000", by: scene.process("node", unit: "app.service", command: "node /srv/app.js --port 3000"))
        scene.listen("127.0.0.1:3001", by: scene.process("node", command: "node /srv/other.js"))
        scene.system.names["localhost"] = both["localhost"]
        scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
        let apps = ["3001", "9999"].map {
            #"{"name":"a\#($0)","pid":7,"pm2_env":{"status":"online","exec_mode":"fork_mode","PORT":\#($0)}}"#
        }
        scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] = "[\(apps.joined(separator: ","))]"
        let system = scene.recorded()
        var host = CheckedHost()
        func ids(_ body: String) -> [LintFinding] {
            host.findings(site("http {\n\(body)\n}\n", version: NginxVersion(1, 29, 7)), from: system)
        }
        let found = ids(
            "upstream a { server 127.0.0.1:3001; keepalive 8; keepalive_timeout 60s; }\n"
                + "server { location / { proxy_pass http://localhost:3000; } location /a { proxy_pass http://a; } }")
        #expect(Set(found.map(\.id)).isSuperset(of: ["kill-signal", "timeout-stop", "keepalive-too-long"]), "\(found.map(\.id))")
        #expect(found.filter { $0.id == "pm2-fork-reload" }.map(\.place) == ["pm2 a3001"])
        #expect(found.first { $0.id == "localhost-two-families" }?.diff?.contains("proxy_pass http://[::1]:3000;") == true)
        let other = ids("server { location / { proxy_pass http://10.0.0.9:3000; } }")
        #expect(!other.contains { ["kill-signal", "pm2-fork-reload"].contains($0.id) })
    }

    @Test(arguments: [("api.example.com:443", "api.example.com:8443", true), ("api.example.com:443", "b.example.com:443", false)])
    func `a group of one name is told which name to send`(first: String, second: String, hasDiff: Bool) {
        let found = findings(
            "http {\nupstream a { server \(first); server \(second); }\nserver { location / {\nproxy_pass https://a;\n} }\n}\n")
        let diff = found.first { $0.id == "missing-sni" }?.diff
        #expect((diff?.contains("proxy_ssl_name api.example.com;") == true) == hasDiff && (diff == nil) == !hasDiff)
    }

    @Test(arguments: [
        ("location / { proxy_pass http://$arg_host; }", "arg_host"),
        ("location / { proxy_pass http://$http_x_target$request_uri; }", "http_x_target"),
        ("location / { proxy_pass http://127.0.0.1:${arg_port}/x; }", "arg_port"),
        ("location ~ ^/proxy/(.*)$ { proxy_pass http://$1; }", "1"),
        ("location / { set $to $cookie_to.internal; proxy_pass http://$to; }", "cookie_to"),
        ("location / { proxy_pass http://$host; }", "host"),
        ("location / { proxy_pass http://10.0.0.1/$arg_path; }", nil),
        ("location / { internal; proxy_pass http://$arg_host; }", nil),
        ("location @out { proxy_pass http://$arg_host; }", nil),
        ("location / { proxy_pass http://$mapped$request_uri; }", nil),
        ("server_name a.example; location / { proxy_pass http://$host:3000; }", nil),
        ("location / { set $to 127.0.0.1:3000; proxy_pass http://$to; }", nil),
    ]) func `an address that a client chooses is a risk`(server: String, variable: String?) {
        let found = findings("http {\nserver {\n\(server)\n}\n}\n").filter { $0.id == "client-chosen-target" }
        #expect(found.map(\.place) == (variable == nil ? [] : ["/etc/nginx/nginx.conf:3"]))
        if let variable { #expect(found.first?.why.hasPrefix("$\(variable) ") == true) }
    }

    @Test(arguments: [("error timeout non_idempotent", true), ("error timeout", false)])
    func `a POST that may be executed twice is a risk`(conditions: String, isRisk: Bool) {
        let found = findings(
            "http {\nupstream a { server 10.0.0.1; server 10.0.0.2; }\nserver { location / {\nproxy_pass http://a;\nproxy_next_upstream "
                + conditions + ";\n} } }\n"
        ).filter { $0.id == "repeats-non-idempotent" }
        #expect(found.map(\.place) == (isRisk ? ["/etc/nginx/nginx.conf:5"] : []))
        if isRisk { #expect(found.first?.diff?.contains("+proxy_next_upstream error timeout;") == true) }
    }

    /// Pasted lines end in CR LF in a file whose other lines do not.
    @Test(arguments: ["", "# pasted\r\n", "# pasted\r\n# twice\r\n", "# pasted\r\n\n"], ["\n", "\r\n"])
    func `mixed line ends do not move a change`(above: String, end: String) throws {
        let lines = ["http {", "    upstream a {", "        server localhost:80;", "        server 10.0.0.2:80;", "    }", "}", ""]
        let text = above + lines.joined(separator: end)
        let found = findings(text, names: both)
        func after(_ id: String) throws -> String? {
            FilePatch.apply([try #require(found.first { $0.id == id }?.diff.flatMap(FilePatch.init))], to: text)
        }
        var changed = lines
        changed[2] = "        server 127.0.0.1:80;"
        #expect(try after("localhost-two-families") == above + changed.joined(separator: end))
        changed = lines
        changed[2] = "        zone a 64k;\n" + lines[2]
        #expect(try after("no-zone") == above + changed.joined(separator: end))
    }

    @Test(arguments: [
        (
            "upstream a { server 10.0.0.1:80; server 10.0.0.2:80; } server { location / { proxy_pass http://a; } }",
            "max-fails-two-servers"
        ),
        (
            "upstream a { server 10.0.0.1:80; server 10.0.0.2:80; } server { location / { proxy_pass http://a; } }",
            "no-zone"
        ),
        ("upstream a { server 10.0.0.1:80; } server { location / { proxy_pass http://a; } }", "single-upstream"),
        (
            "upstream a { server 10.0.0.1:80; server 10.0.0.2:80 down; } server { location / { proxy_pass http://a; "
                + "} }",
            "down-entry"
        ),
        ("upstream a { server api:80; } server { location / { proxy_pass http://a; } }", "literal-host"),
        ("server { location / { proxy_pass http://10.0.0.1; } }", "connect-timeout-60"),
        ("server { location / { proxy_pass http://10.0.0.1; } }", "no-error-page"),
        ("server { location / { proxy_pass https://10.0.0.1; } }", "missing-sni"),
        ("server { location / { set $b api; proxy_pass http://$b; } }", "variable-without-resolver"),
        ("server { location / { proxy_next_upstream off; proxy_pass http://10.0.0.1; } }", "next-upstream-off"),
        (
            "server { error_log /var/log/nginx/e.log crit; location / { proxy_pass http://10.0.0.1; } }",
            "error-log-level"
        ),
    ])
    func `each finding is found, with its reason`(http: String, id: String) throws {
        let finding = try #require(
            findings("http {\n\(http.replacing("; ", with: ";\n").replacing("{ ", with: "{\n"))\n}\n").first {
                $0.id == id
            })
        #expect(!finding.why.isEmpty && finding.place.contains(":") || id == "error-log-level")
        #expect(finding.diff != nil || !finding.commands.isEmpty, "what to do about it")
    }

    @Test func `a name that nobody asked for is not said to be unknown`() {
        let configuration = "http {\nupstream a {\n server api:80;\n} server { location / { proxy_pass http://a; } }\n}"
        func ids(_ names: [String: [PeerAddress]]) -> Set<String> {
            Set(findings(configuration, names: names).map(\.id)).intersection(["literal-host", "host-not-found"])
        }
        #expect(ids([:]) == ["literal-host"])
        #expect(ids(["api": [PeerAddress(parsing: "10.0.0.1:0")]]) == ["literal-host"])
        #expect(ids(["api": []]) == ["host-not-found"])
    }

    @Test(arguments: ["9223372036854775807", "4611686018427387904"])
    func `absurd numbers end nothing`(number: String) {
        var evidence = EvidenceSet()
        evidence.proxy = .known(ProcessFacts(pid: 1, name: "nginx", openFilesMax: 1_024), source: "/proc/1")
        let found = findings(
            "events { worker_connections \(number); }\nhttp { server { location / { proxy_read_timeout 4294967295d\(number); "
                + "proxy_pass http://10.0.0.1; } } }",
            evidence: evidence)
        #expect(found.contains { $0.id == "descriptors-below-connections" })
        #expect(NginxSite.seconds(String(repeating: "4294967295d", count: 100_000)) == nil)
        #expect(NginxSite.size("\(number)g") == nil)
    }

    /// The configuration after a finding's diff.
    private func after(_ id: String, _ configuration: String, evidence: EvidenceSet = EvidenceSet(), names: [String: [PeerAddress]] = [:])
        -> String?
    {
        findings(configuration, evidence: evidence, names: names).first { $0.id == id }?.diff.flatMap(FilePatch.init)
            .flatMap { FilePatch.apply([$0], to: configuration) }
    }

    private static func proxy(_ statements: String) -> String { "http { server { location / {\n    \(statements)\n} } }\n" }
    private static let server = "server { location / {\nproxy_pass http://a;\n} } }\n"
    private static let reusing = "proxy_http_version 1.1; proxy_set_header Connection \"\";"
    private static let two = "server 10.0.0.1:80 max_fails=1 weight=2; server 10.0.0.2:80 fail_timeout=9s;"

    @Test(arguments: [
        ("max-fails-two-servers", "http { upstream a { \(two) } server { location / { proxy_pass http://a; } } }\n", nil),
        (
            "max-fails-two-servers", "http { upstream a {\n\(two.replacing("; ", with: ";\n"))\n}\n" + server,
            "http { upstream a {\nserver 10.0.0.1:80 weight=2 max_fails=5 fail_timeout=5s;\nserver 10.0.0.2:80 max_fails=5 "
                + "fail_timeout=5s;\n}\n" + server
        ),
        (
            "no-zone", "http { upstream a { \(two) } server { location / { proxy_pass http://a; } } }\n",
            "http { upstream a { zone a 64k; \(two) } server { location / { proxy_pass http://a; } } }\n"
        ),
        (
            "variable-without-resolver", proxy("proxy_pass http://${backend}:3971;"),
            proxy("proxy_pass http://${backend}:3971;\n    resolver 127.0.0.53 valid=10s;")
        ),
        (
            "connect-timeout-60", proxy("proxy_pass\n        http://10.0.0.1; # {"),
            proxy("proxy_pass\n        http://10.0.0.1; # {\n    proxy_connect_timeout 2s;")
        ),
        (
            "connect-timeout-60", proxy("proxy_connect_timeout 60s;\n    proxy_pass http://10.0.0.1;"),
            proxy("proxy_connect_timeout 2s;\n    proxy_pass http://10.0.0.1;")
        ),
        (
            "connect-timeout-60", proxy("proxy_pass http://10.0.0.1; tcp_nodelay on;"),
            proxy("proxy_pass http://10.0.0.1; proxy_connect_timeout 2s; tcp_nodelay on;")
        ),
        (
            "missing-sni", proxy("proxy_ssl_server_name off;\n    proxy_pass https://10.0.0.1;"),
            proxy("proxy_ssl_server_name on;\n    proxy_pass https://10.0.0.1;")
        ),
        ("missing-sni", "http { upstream a { server 10.0.0.1:443; } server { location / {\n proxy_pass https://a;\n} } }\n", nil),
        (
            // The name is chosen already, around the location.
            "missing-sni",
            "http { upstream a { server h:443; } proxy_ssl_name x.example;\nserver { location / {\n    proxy_pass https://a;\n} } }\n",
            "http { upstream a { server h:443; } proxy_ssl_name x.example;\nserver { location / {\n    proxy_pass https://a;\n"
                + "    proxy_ssl_server_name on;\n} } }\n"
        ),
        ("no-error-page", proxy("proxy_pass http://10.0.0.1;"), nil),
    ])
    func `a diff changes what stands there, or is none`(id: String, configuration: String, expected: String?) {
        let finding = findings(configuration).first { $0.id == id }
        #expect(after(id, configuration) == expected)
        #expect((finding?.commands.isEmpty == false) == (expected == nil), "what no diff can do is said in words")
    }

    private static let kept = "http { upstream a { server 127.0.0.1:3000; keepalive 8; } server { location / {\n"

    @Test(arguments: [
        ("proxy_pass http://a;", nil, "proxy_pass http://a;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";"),
        ("proxy_http_version 1.1;\nproxy_pass http://a;", nil,
         "proxy_http_version 1.1;\nproxy_pass http://a;\nproxy_set_header Connection \"\";"),
        ("proxy_http_version 1.1;\nproxy_set_header Connection close;\nproxy_pass http://a;", nil,
         "proxy_http_version 1.1;\nproxy_set_header Connection \"\";\nproxy_pass http://a;"),
        // A field beside the others, which a block with one of its own would not inherit.
        ("proxy_set_header Host $host;\nproxy_pass http://a;", nil,
         "proxy_set_header Host $host;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\nproxy_pass http://a;"),
        ("proxy_set_header Host $host; proxy_pass http://a;", NginxVersion(1, 29, 6),
         "proxy_set_header Host $host; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://a;"),
        ("fastcgi_pass a;", NginxVersion(1, 29, 7), "fastcgi_pass a;\nfastcgi_keep_conn on;"),
    ] as [(String, NginxVersion?, String)])
    func `keepalive that keeps nothing open is told`(location: String, version: NginxVersion?, expected: String) throws {
        let configuration = Self.kept + location + "\n} } }\n"
        let finding = try #require(findings(configuration, version: version).first { $0.id == "keepalive-not-used" })
        #expect(finding.caution != nil)
        let after = try FilePatch.apply([#require(finding.diff.flatMap(FilePatch.init))], to: configuration)
        #expect(after == Self.kept + expected + "\n} } }\n")
    }

    @Test(arguments: [
        ("proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://a;", nil, 60),
        ("proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://a$request_uri;", nil, 60),
        ("proxy_http_version 1.1; proxy_set_header Connection $upgrade; proxy_pass http://a;", nil, nil),
        ("proxy_http_version 1.1; proxy_set_header Connection $open; proxy_pass http://a;", nil, 60),
        ("proxy_http_version 1.1; proxy_set_header Connection $elsewhere; proxy_pass http://a;", nil, 60),
        ("proxy_http_version 1.1; proxy_set_header Host $host; proxy_pass http://a;", nil, nil),
        ("proxy_pass http://a;", NginxVersion(1, 29, 7), 60), ("proxy_pass http://a;", NginxVersion(1, 29, 6), nil),
        ("proxy_http_version 1.0; proxy_pass http://a;", NginxVersion(1, 30, 0), nil),
        ("grpc_pass grpc://a;", nil, 60), ("uwsgi_pass a;", nil, nil), ("fastcgi_pass a;", nil, nil),
        ("fastcgi_keep_conn on; fastcgi_pass a;", nil, 60),
    ] as [(String, NginxVersion?, Int?)])
    func `connections are kept where nginx keeps them`(location: String, version: NginxVersion?, expected: Int?) {
        let maps = "map $http_upgrade $upgrade { default upgrade; '' close; }\nmap $http_upgrade $open { default upgrade; '' ''; }\n"
        let site = site(Self.kept.replacing("http {", with: "http {\n" + maps) + location + "\n} } }\n", version: version)
        #expect(site.upstreams.first { $0.name == "a" }?.keepaliveTimeout == expected)
    }

    @Test(arguments: [
        ("nginx version: nginx/1.22.1\u{0}", NginxVersion(1, 22, 1)), ("x nginx/ nginx/%s openresty/1.29.2.3 y", NginxVersion(1, 29, 2)),
        ("nginx/1.29.7", NginxVersion(1, 29, 7)), ("nothing", nil as NginxVersion?),
    ])
    func `the version is read out of the program`(program: String, expected: NginxVersion?) {
        var system = RecordedSystem(time: time)
        system.files["/usr/sbin/nginx"] = program
        #expect(NginxVersion.of(program: nil, from: system) == expected)
        #expect(NginxVersion.of(program: "/opt/nginx", from: system) == nil)
    }

    /// With groups and addresses a variable needs no resolver, whatever follows them.
    @Test(arguments: [
        ("proxy_pass http://10.0.0.1:3000$request_uri;", nil, "10.0.0.1:3000"), ("proxy_pass http://a$1;", nil, "a"),
        ("proxy_pass http://a/$1;", nil, "a"), ("proxy_pass http://$to;", nil, "blue"), ("proxy_pass http://$to$request_uri;", nil, "blue"),
        ("proxy_pass http://${to}_2;", .error, nil),
        ("set $b 10.0.0.7:80; proxy_pass http://$b/x;", nil, "10.0.0.7:80"), ("set $b http://a; proxy_pass $b;", nil, "a"),
        ("set $b ''; set $b A; proxy_pass http://$b;", nil, "a"), ("proxy_pass http://$geo;", nil, "10.0.0.8:80"),
        ("proxy_pass http://$half;", .error, "blue"), ("set $b api.internal; proxy_pass http://$b;", .error, nil),
        ("set $b $host; proxy_pass http://$b;", .notice, nil), ("proxy_pass http://$host;", .notice, nil),
        ("proxy_pass http://10.0.0.1:3$port;", .notice, nil), ("resolver 10.0.0.53; proxy_pass http://$host;", nil, nil),
    ] as [(String, LintFinding.Severity?, String?)])
    func `a resolver is asked for where one is needed`(location: String, severity: LintFinding.Severity?, upstream: String?) {
        let configuration = """
            http {
                upstream a { server 10.0.0.1:80; } upstream blue { server 10.0.0.2:80; }
                map $host $to { default blue; hostnames; x.example a; } geo $geo { default 10.0.0.8; }
                split_clients $remote_addr $half { 50% blue; * api.internal; }
                server { location / { \(location) } }
            }
            """
        let finding = findings(configuration).first { $0.id == "variable-without-resolver" }
        #expect(finding?.severity == severity, "\(finding?.why ?? "none")")
        if let upstream { #expect(site(configuration).upstreams.contains { $0.name == upstream && $0.connectTimeout == 60 }) }
    }

    @Test func `an idle time-out that stands there is replaced`() {
        var scene = Scene.app("127.0.0.1:3000", [:])
        scene.listen("127.0.0.1:3000", by: scene.process("gunicorn", unit: "app.service", command: "gunicorn app:app"))
        let configuration = "http { \(Self.reusing) upstream a {\nserver 127.0.0.1:3000;\nkeepalive 8;\nkeepalive_timeout 60s;\n}\n"
            + Self.server
        #expect(after("keepalive-too-long", configuration, evidence: scene.evidence()) == configuration.replacing("60s", with: "1s"))
    }

    @Test(arguments: [
        ("node /srv/app.js", 5), ("/usr/bin/node --enable-source-maps app.js", 5), ("/usr/bin/python3 /usr/bin/gunicorn app:app", 2),
        ("gunicorn: master [app]", 2), ("python3.11 -u -m uvicorn app:app", 5), ("puma 6.4.0 (tcp://0.0.0.0:3000) [app]", 20),
        ("/usr/bin/java -jar app.jar", 20), ("/srv/node-api/bin/server", nil), ("python3 nodes.py", nil), ("app --javascript", nil),
        ("python3 /srv/node/app.py", nil), ("caddy run --config /etc/puma", nil),
    ])
    func `an application server is known by its program`(command: String, seconds: Int?) {
        #expect(Lint.Context.idleDefault(of: command)?.seconds == seconds)
    }

    /// What --apply may do without a person: nothing that could cost anything.
    @Test func `only what costs nothing has no word of caution`() throws {
        var scene = Scene.app("127.0.0.1:3000", [:])
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        let node = ProcessFacts(pid: 1, name: "node", commandLine: "node app.js")
        func caution(_ id: String, _ configuration: String, _ evidence: EvidenceSet) -> String? {
            findings(configuration, evidence: evidence, names: both).first { $0.id == id }?.caution
        }
        let bare = Self.proxy("proxy_pass http://localhost:3000;")
        let named = Self.proxy("proxy_set_header Host $host;\n    proxy_pass http://localhost:3000;")
        let group = "http { upstream a {\nserver localhost:3000;\nserver 10.0.0.1:80;\n}\n" + Self.server
        let id = "localhost-two-families"
        #expect(caution(id, bare, scene.evidence())?.contains("Host") == true)
        #expect(caution(id, bare, EvidenceSet())?.contains("Nothing listens") == true)
        #expect(caution(id, named, scene.evidence()) == nil && caution(id, group, scene.evidence()) == nil)
        var stranger = Scene.app("127.0.0.1:3000", [:], ["ActiveState": "failed"])
        stranger.listen("127.0.0.1:3000", by: stranger.process("ssh"))
        #expect(caution(id, named, stranger.evidence())?.contains("ssh") == true)
        for (beside, word) in [
            ("proxy_cache one;", "cached"), ("proxy_cache one; proxy_cache_key $scheme$proxy_host$uri;", "cached"),
            ("proxy_cache one; proxy_cache_key $host$uri;", nil), ("proxy_cache off;", nil),
            ("proxy_redirect http://localhost:3000/ /;", "proxy_redirect"), ("proxy_redirect off;", nil),
        ] {
            let text = Self.proxy("proxy_set_header Host $host; \(beside)\n    proxy_pass http://localhost:3000;")
            #expect(caution(id, text, scene.evidence())?.contains(word ?? "-") == (word == nil ? nil : true), "\(beside)")
        }
        let secure = Self.proxy("proxy_set_header Host $host;\n    proxy_pass https://localhost:3000;")
        #expect(caution(id, secure, scene.evidence())?.contains("TLS") == true)
        #expect(caution("no-zone", group, scene.evidence()) == nil)
        for id in ["max-fails-two-servers", "connect-timeout-60"] { #expect(caution(id, group, scene.evidence()) != nil) }
        let kept = group.replacing("upstream a {", with: "\(Self.reusing) upstream a {\nkeepalive 8;\nkeepalive_timeout 60s;")
        var bound = scene.evidence()
        bound.listeners = .known([Listener(address: PeerAddress(parsing: "10.0.0.1:80"), owner: node)], source: "")
        #expect(caution("keepalive-too-long", kept, bound) != nil)
    }

    @Test(arguments: [
        ("localhost:80", "server localhost:80; server localhost:80;", false), ("localhost:80", "server localhost:8080;", false),
        ("localhost:80", "server mylocalhost:80;", false), (":3000", "server a;\nserver b:3000;", false),
        ("localhost:80", "proxy_pass http://localhost:80/x;", true), ("localhost:80", "server\n  localhost:80;", true),
        ("localhost:80", "server b; # localhost:80", false), ("/run/a.sock", "server unix:/run/a.sock;", true),
    ])
    func `an edit finds its text once, as a whole, in its own statement`(from: String, text: String, isFound: Bool) throws {
        let edit = Fix.Edit(file: "/a", line: 1, from: from, to: "X")
        let diff = UnifiedDiff.make(edit, text: text + "\n")
        #expect((diff != nil) == isFound)
        if let diff { #expect(FilePatch.apply([try #require(FilePatch(diff))], to: text + "\n") == text.replacing(from, with: "X") + "\n") }
    }

    @Test func `a good configuration has none of the warnings`() {
        let good = """
            worker_rlimit_nofile 8192;
            error_log /var/log/nginx/error.log warn;
            events { worker_connections 1024; }
            http {
                proxy_connect_timeout 2s;
                error_page 502 503 504 /50x.html;
                upstream a { zone a 64k; server 10.0.0.1:80 max_fails=5; server 10.0.0.2:80 max_fails=5; server 10.0.0.3:80; }
                server { location / { proxy_pass http://a; } }
            }
            """
        #expect(findings(good).isEmpty, "\(findings(good).map(\.id))")
    }

    @Test func `units and limits are looked at`() {
        var scene = Scene.app(
            "127.0.0.1:3000", [:],
            [
                "KillSignal": "9", "TimeoutStopUSec": "1s", "KillMode": "process",
                "ExecStart": "argv[]=gunicorn --port 3000 --backlog 4096 ; ",
            ])
        scene.listen("127.0.0.1:3000", by: scene.process("gunicorn", unit: "app.service", command: "gunicorn app:app"))
        let found = findings(
            "events { worker_connections 4096; }\nworker_rlimit_nofile 1024;\nhttp { \(Self.reusing) upstream a {\nserver "
                + "127.0.0.1:3000;\nkeepalive 8;\n}\nserver { listen 80 backlog=9999;\nlocation / { proxy_pass "
                + "http://a; } } }\n",
            evidence: scene.evidence())
        for id in [
            "kill-signal", "timeout-stop", "kill-mode", "no-restart", "backlog-above-somaxconn",
            "descriptors-below-connections", "keepalive-too-long",
        ] {
            #expect(found.contains { $0.id == id }, "\(id)")
        }
        #expect(found.filter { $0.id == "backlog-above-somaxconn" }.count == 2)
        #expect(found.first { $0.id == "keepalive-too-long" }?.diff?.contains("keepalive_timeout 1s;") == true)
    }

    @Test func `PM2's fork mode is mentioned`() {
        var set = EvidenceSet()
        set.apps = .known(
            [ManagedApp(supervisor: .pm2, name: "api", status: "online", execMode: "fork_mode", killTimeout: 1_600)],
            source: "pm2 jlist")
        let found = findings("http { }", evidence: set)
        #expect(found.map(\.id) == ["pm2-fork-reload", "pm2-kill-timeout"])
        #expect(found.allSatisfy { $0.diff != nil || !$0.commands.isEmpty })
    }

    @Test func `includes, quotes, comments and foreign directives are read`() throws {
        var system = RecordedSystem(time: time)
        system.files["/etc/nginx/nginx.conf"] =
            "# c { \nload_module x.so;\nhttp {\n  include conf.d/*.conf; log_format j '{\"s\":$status}';\n  brotli "
            + "on; content_by_lua_block { if x then } end }\n  access_log /var/log/j.log j;\n}\n"
        system.files["/etc/nginx/conf.d/b.conf"] =
            "server { location ~ \"^/a{2}\" { fastcgi_pass unix:/run/php.sock; } }"
        system.files["/etc/nginx/conf.d/a.conf"] = "upstream u { server \"10.0.0.1:80\" max_fails=3; }"
        let site = NginxSite(
            mainFile: "/etc/nginx/nginx.conf", prefix: "/p", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system
        )
        #expect(site.files == ["/etc/nginx/nginx.conf", "/etc/nginx/conf.d/a.conf", "/etc/nginx/conf.d/b.conf"])
        #expect(site.upstreams.first?.servers.first?.maxFails == 3)
        let route = try #require(site.routes.first)
        #expect(
            route.scheme == "fastcgi" && route.target == "unix:/run/php.sock"
                && route.directive.place == "/etc/nginx/conf.d/b.conf:1")
        #expect(site.gaps.contains { $0.hasPrefix("/var/log/j.log: its log_format has no time") })
        #expect(site.errorLogs == ["/e"])
    }

    @Test(arguments: 0..<30)
    func `a broken configuration neither traps nor loops`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let parts = [
            "http", "{", "}", ";", "server", " ", "\n", "\"", "'", "\\", "upstream a", "proxy_pass http://", "$",
            "include *;", "#", "location", "5s", "\u{0}",
        ]
        let text = (0..<80).map { _ in parts[random.next(below: parts.count)] }.joined(
            separator: random.next() % 2 == 0 ? " " : "")
        _ = findings(text)
    }
}
