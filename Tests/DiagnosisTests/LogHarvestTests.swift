import Machine
import Testing

@testable import Diagnosis

@Suite struct LogHarvestTests {
    private static func line(_ time: String, _ message: String) -> String {
        "2026/11/22 \(time) [error] 1#1: *1 \(message), client: 192.0.2.1, server: a, request: \"GET /\(time) HTTP/1.1\", host: \"a\"\n"
    }
    private static func refused(_ time: String) -> String {
        line(time, "connect() failed (111: Connection refused) while connecting to upstream").replacing(
            ", host:", with: ", upstream: \"http://127.0.0.1:3000/\", host:")
    }

    /// Two virtual hosts with error logs of their own share an upstream; the logs are read one after the other.
    private func harvest(_ first: String, _ second: String, access: String = "", format: String? = nil) -> (LogHarvest, DoctorReport) {
        let until = Timestamp(seconds: 1_795_384_800)  // 22:00 on that day
        var system = RecordedSystem(time: until)
        system.files = [
            "/etc/nginx/nginx.conf": """
            http {
                upstream app { server 127.0.0.1:3000; }
                \(format.map { "log_format own \($0);" } ?? "")
                map $arg_to $to { default http://api.internal:80/; }
                server { error_log /log/a.log; access_log /log/access\(format == nil ? "" : " own"); location / { proxy_pass http://app; } }
                server { error_log /log/b.log; access_log off; set $shop Shop.internal; location / { proxy_pass http://app; } }
            }
            """, "/log/a.log": first, "/log/b.log": second, "/log/access": access,
        ]
        for path in ["/log/a.log", "/log/b.log", "/log/access"] {
            system.statuses[path] = FileStatus(mode: 0o100644, modified: until)
        }
        let site = NginxSite(
            mainFile: "/etc/nginx/nginx.conf", prefix: "/", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system)
        let since = until.advanced(byMilliseconds: -86_400_000)
        var report = DoctorReport(time: until, since: since)
        var harvest = LogHarvest(since: since, until: until, zone: LocalZone(fixedOffset: 0))
        harvest.read(site, names: [:], from: system, report: &report)
        return (harvest, report)
    }

    @Test func `a second log does not stretch the incidents of the first over the day`() {
        let (found, _) = harvest(Self.refused("08:00:00") + Self.refused("20:00:00"), Self.refused("08:00:30") + Self.refused("14:00:00"))
        #expect(found.incidents.map { $0.last.since($0.first) } == [30_000, 0, 0])
        #expect(found.incidents.map(\.attempts) == [2, 1, 1])
        #expect(Set(found.incidents.map(\.id)).count == 3)
    }

    @Test func `failed requests of a piece count in the whole`() throws {
        let access = ["08:00:00", "08:00:30", "08:04:00"].map {
            "192.0.2.1 - - [22/Nov/2026:\($0) +0000] \"GET /\($0) HTTP/1.1\" 502 150 \"-\" \"x\"\n"
        }
        let (found, _) = harvest(
            Self.refused("08:00:00") + Self.refused("20:00:00"), Self.refused("08:00:30") + Self.refused("08:04:00"),
            access: access.joined())
        let incident = try #require(found.incidents.first)
        #expect(incident.attempts == 3 && found.failedRequests == [incident.id: 3])
    }

    /// Three sites, one client, one path, one second: five requests each, all on connections of their own.
    @Test func `requests that look alike are counted for the incident that each had`() {
        var errors = "", access = ""
        for index in 0..<15 {
            let port = 3_000 + index / 5
            errors += Self.refused("08:00:00").replacing("*1 ", with: "*\(index + 1) ").replacing(":3000/", with: ":\(port)/")
            access += "192.0.2.1 - - [22/Nov/2026:08:00:0\(index < 12 ? 0 : 1) +0000] \"GET /08:00:00 HTTP/1.1\" 502 150 \"-\" \"x\"\n"
        }
        let (found, _) = harvest(errors, "", access: access)
        #expect(found.incidents.count == 3 && found.incidents.map { found.failedRequests[$0.id] } == [5, 5, 5])
    }

    /// Fifty requests that the second server answered, and ten for which it took too long: of one client, path and second.
    @Test func `what failed is not put down to a server that was only passed by`() throws {
        let refused = (1...50).map { Self.refused("08:00:00").replacing("*1 ", with: "*\($0) ") }.joined()
        let timeout = Self.line("08:00:00", "upstream timed out (110: Connection timed out) while reading response header from upstream")
            .replacing(", host:", with: ", upstream: \"http://127.0.0.1:3001/\", host:")
        let timeouts = (51...60).map { timeout.replacing("*1 ", with: "*\($0) ") }.joined()
        let access = (0..<60).map {
            "192.0.2.1 - - [22/Nov/2026:08:00:00 +0000] \"GET /08:00:00 HTTP/1.1\" \($0 < 50 ? 200 : 504) 150 \"-\" \"x\"\n"
        }
        let (found, _) = harvest(refused + timeouts, "", access: access.joined())
        let late = try #require(found.incidents.first { $0.counts[.responseTimeout] == 10 })
        #expect(found.incidents.count == 2 && found.failedRequests == [late.id: 10])
    }

    /// One request that three servers refused is one; the next on its connection is another.
    @Test func `attempts of one request count as one`() {
        let attempts = (0..<3).map { Self.refused("08:00:00").replacing(":3000/", with: ":300\($0)/") }.joined()
        let line = "192.0.2.1 - - [22/Nov/2026:08:00:00 +0000] \"GET /08:00:00 HTTP/1.1\" 502 150 \"-\" \"x\"\n"
        let (found, _) = harvest(attempts, "", access: line)
        #expect(found.failedRequests.values.sorted() == [1] && found.failedRequests[found.incidents.max { $0.id < $1.id }!.id] == 1)
        let (twice, _) = harvest(attempts + attempts, "", access: line + line)
        #expect(twice.failedRequests.values.reduce(0, +) == 2)
    }

    @Test func `an empty pool in one log belongs to the refusals in the other`() {
        let empty = Self.line("08:00:40", "no live upstreams while connecting to upstream").replacing(
            ", host:", with: ", upstream: \"http://app/\", host:")
        let (found, _) = harvest(Self.refused("08:00:00") + Self.refused("20:00:00"), empty)
        #expect(found.incidents.map(\.counts) == [[.connectRefused: 1, .poolEmpty: 1], [.connectRefused: 1]])
    }

    @Test func `what a proxy_pass names is called by host and port`() {
        let passes = ["http://app", "http://api.internal", "https://api.internal/x", "http://127.0.0.1:3000", "http://unix:/run/s:/"]
        var system = RecordedSystem(time: Timestamp(seconds: 0))
        system.files["/n"] = """
            http {
                upstream app { server 127.0.0.1; }
                server { \(passes.enumerated().map { "location /\($0) { proxy_pass \($1); }" }.joined(separator: "\n")) }
            }
            """
        let site = NginxSite(mainFile: "/n", prefix: "/", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system)
        #expect(site.upstreams.map(\.name) == ["app", "api.internal:80", "api.internal:443", "127.0.0.1:3000", "unix:/run/s"])
        #expect(site.upstreams.map(\.written) == ["app", "api.internal", "api.internal", "127.0.0.1:3000", "unix:/run/s"])
        #expect(site.upstreams.map(\.place) == [2, 4, 5, 6, 7].map { "/n:\($0)" })
    }

    /// With `proxy_pass http://$host` every client makes up names.
    @Test func `names that clients made up are one incident, those of the configuration their own`() {
        func unresolved(_ time: String, _ name: String) -> String { Self.line(time, "\(name) could not be resolved (3: Host not found)") }
        let (found, _) = harvest(
            (10..<50).map { unresolved("08:00:\($0)", "name\($0).example") }.joined()
                // Parts and words of the configuration are as easily made up.
                + ["a", "http", "server", "internal"].map { unresolved("08:00:51", $0) }.joined()
                + unresolved("08:00:55", "api.internal") + unresolved("08:00:56", "shop.internal"), "")
        #expect(found.incidents.map(\.attempts) == [44, 1, 1])
        #expect(found.incidents.map(\.host) == ["name10.example", "api.internal", "shop.internal"])
    }

    /// The first line is of the request that the error log has, the second of another one at the same time.
    @Test(arguments: [
        (#"escape=json '{"time":"$time_iso8601","ip":"$remote_addr",' '"request":"$request","status":"$status"}'"#,
         #"{"time":"2026-11-22T08:00:01+00:00","ip":"192.0.2.1","request":"GET /08:00:00 HTTP/1.1","status":"502"}"#,
         #"{"time":"2026-11-22T08:00:01+00:00","ip":"192.0.2.1","request":"GET /\"x?y HTTP/1.1","status":"502"}"#, "/\"x"),
        (#"'$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'"#,
         #"a:80 192.0.2.1 - - [22/Nov/2026:09:00:01 +0100] "GET /08:00:00 HTTP/1.1" 502 1"#,
         #"a:80 192.0.2.1 - - [22/Nov/2026:09:00:01 +0100] "GET /\x22x HTTP/1.1" 502 1"#, "/\"x"),
        (#"'$http_x_forwarded_for $remote_addr $msec $request_method $request_uri $status'"#,
         "10.1.1.1, 10.1.1.2 192.0.2.1 1795334401.123 GET /08:00:00 502", "- 192.0.2.1 1795334401.123 GET /x 502", "/x"),
        ("'$status $remote_addr [$time_local] \"$request\"'",
         "502 192.0.2.1 [22/Nov/2026:08:00:01 +0000] \"GET /08:00:00 HTTP/1.1\"",
         "502 192.0.2.1 [22/Nov/2026:08:00:01 +0000] \"GET /x HTTP/1.1\"", "/x"),
        // By the client and the second alone: the page of an error has a $uri of its own.
        ("'$time_iso8601 $remote_addr $uri status=$status'",
         "2026-11-22T08:00:01+00:00 192.0.2.1 /50x.html status=502", "2026-11-22T08:00:01+00:00 192.0.2.9 /x status=502", "/x"),
        ("'$time_iso8601 status=$status'", "2026-11-22T08:00:01+00:00 status=502", "2026-11-22T08:00:09+00:00 status=502", ""),
    ])
    func `a request is found in the error log whatever its format`(format: String, own: String, other: String, path: String) throws {
        // The third line has the status in another place.
        let access = "\(own)\n\(other)\n\(own.replacing("502", with: "200"))\n"
        let (found, report) = harvest(Self.refused("08:00:00"), "", access: access, format: format)
        let incident = try #require(found.incidents.first)
        #expect(found.failedRequests == [incident.id: 1])
        #expect(report.appAnswers.map(\.path) == [path] && report.appAnswers.map(\.count) == [1] && report.responsesFailed == 2)
    }

    @Test func `what stood elsewhere than the status is no status`() {
        let (_, report) = harvest(
            "", "", access: "2026-11-22T08:00:01+00:00 GET /a 200 502\n2026-11-22T08:00:01+00:00 GET /b 502 1\n",
            format: "'$time_iso8601 $request_method $request_uri $status $bytes_sent'")
        #expect(report.appAnswers.map(\.path) == ["/b"])
    }

    /// Upstreams that sent a head have its time, others `-`; who was not asked has none of both.
    @Test(arguments: [("0.004", DoctorReport.AnswerSource.application), ("-, 0.004", .application), ("0.004, -", .gateway)])
    func `the time of a head tells whose answer it was`(time: String, source: DoctorReport.AnswerSource) {
        let format = "'$remote_addr [$time_local] \"$request\" $status $upstream_addr head=$upstream_header_time'"
        func line(_ path: String, _ upstream: String, _ head: String) -> String {
            "192.0.2.1 [22/Nov/2026:08:00:00 +0000] \"GET \(path) HTTP/1.1\" 502 \(upstream) head=\(head)\n"
        }
        let (found, report) = harvest(
            Self.refused("08:00:00"), "", access: line("/08:00:00", "127.0.0.1:3000", time) + line("/return", "-", "-"), format: format)
        #expect(report.appAnswers.first { $0.path == "/return" }?.source == .proxy)
        // The first attempt failed, the second was answered: the line in the error log does not explain the status.
        #expect(report.appAnswers.contains { $0.path == "/08:00:00" && $0.source == .application } == (source == .application))
        #expect(found.failedRequests.isEmpty == (source == .application))
        let text = DoctorText.render(report)
        #expect(text.contains("without asking an upstream") && text.contains("The application itself") == (source == .application))
    }

    @Test func `two formats in one file count each line once`() {
        let path = "/etc/nginx/nginx.conf", until = Timestamp(seconds: 1_795_384_800)
        var system = RecordedSystem(time: until)
        system.files = [
            path: """
            http {
                log_format long '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
                    '"$http_user_agent" "$http_x_forwarded_for"';
                log_format none '$remote_addr $time_iso8601';
                access_log /log/access;
                server { access_log /log/access long; location / { access_log /log/other none; } }
            }
            """,
            "/log/access": [#""a""#, #""a" "b""#].map {
                "192.0.2.1 - - [22/Nov/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 502 1 \"-\" \($0)\n"
            }.joined(),
        ]
        system.statuses["/log/access"] = FileStatus(mode: 0o100644, modified: until)
        let site = NginxSite(mainFile: path, prefix: "/", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system)
        #expect(site.accessLogs.map(\.path) == ["/log/access"])
        #expect(site.gaps == ["/log/other: its log_format has no $status behind a text, so its responses are not read"])
        var report = DoctorReport(time: until, since: Timestamp(seconds: 0))
        var harvest = LogHarvest(since: Timestamp(seconds: 0), until: until, zone: LocalZone(fixedOffset: 0))
        harvest.read(site, names: [:], from: system, report: &report)
        #expect(report.responsesFailed == 2)
    }

    /// What this process takes for local time is not nginx's: both its logs are.
    @Test(
        arguments: [("+0000", "08:00:00", 0), ("+0200", "10:00:00", 0), ("-0500", "03:00:00", 0), (nil, "23:30:00", 1)]
            as [(String?, String, Int)])
    func `the error log is in the zone that the access log tells`(zone: String?, time: String, gaps: Int) throws {
        let path = "/etc/nginx/nginx.conf", until = Timestamp(seconds: 1_795_384_800)
        var system = RecordedSystem(time: until)
        system.files = [
            path: "error_log /log/error;\nhttp { access_log /log/access; server { location / { proxy_pass http://127.0.0.1:3000; } } }",
            "/log/error": Self.refused(time),
            "/log/access": zone.map { "192.0.2.1 - - [22/Nov/2026:\(time) \($0)] \"GET /\(time) HTTP/1.1\" 502 1 \"-\" \"x\"\n" } ?? "",
        ]
        for log in ["/log/error", "/log/access"] { system.statuses[log] = FileStatus(mode: 0o100644, size: 99, modified: until) }
        let site = NginxSite(mainFile: path, prefix: "/", defaultErrorLog: "/e", defaultAccessLog: "/a", from: system)
        var report = DoctorReport(time: until, since: Timestamp(seconds: 0))
        // Without an access log the zone of this process counts, which is a wrong one here.
        var harvest = LogHarvest(since: Timestamp(seconds: 0), until: until, zone: LocalZone(fixedOffset: zone == nil ? 0 : nil))
        harvest.read(site, names: [:], from: system, report: &report)
        #expect(harvest.incidents.map(\.first.text) == (zone == nil ? [] : ["2026-11-22T08:00:00Z"]))
        #expect(harvest.failedRequests.values.map { $0 } == (zone == nil ? [] : [1]))
        #expect(report.gaps.filter { $0.contains("--zone") }.count == gaps)
    }

    @Test(arguments: [
        ("error_log syslog:server=unix:/dev/log;", "journalctl -t nginx"), ("error_log stderr;", "nginx' own output"),
        ("error_log /dev/null crit;", "is not written down"), ("error_log memory:32m debug;", "memory"),
        ("http { access_log /log/$host.log; }", "variables"), ("http { access_log /dev/stdout; }", "own output"),
        ("http { access_log syslog:server=10.0.0.1; }", "syslog"), ("error_log /log/none.log;", "/log/none.log is not there"),
    ])
    func `a log that is not read is a gap, and no other is read instead`(directive: String, gap: String) {
        let path = "/etc/nginx/nginx.conf", until = Timestamp(seconds: 1_795_384_800)
        var system = RecordedSystem(time: until)
        system.files = [path: directive, "/log/error": Self.refused("08:00:00"), "/log/access": ""]
        for log in ["/log/error", "/log/access"] { system.statuses[log] = FileStatus(mode: 0o100644, modified: until) }
        let site = NginxSite(
            mainFile: path, prefix: "/", defaultErrorLog: "/log/error", defaultAccessLog: "/log/access", from: system)
        var report = DoctorReport(time: until, since: Timestamp(seconds: 0))
        var harvest = LogHarvest(since: Timestamp(seconds: 0), until: until, zone: LocalZone(fixedOffset: 0))
        harvest.read(site, names: [:], from: system, report: &report)
        #expect((site.gaps + report.gaps).contains { $0.contains(gap) }, "\(site.gaps + report.gaps)")
        #expect(report.logs == [directive.contains("error_log") ? "/log/access" : "/log/error"])
    }
}
