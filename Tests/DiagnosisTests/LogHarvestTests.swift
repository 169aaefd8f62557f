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
    private func harvest(_ first: String, _ second: String, access: String = "") -> (LogHarvest, DoctorReport) {
        let until = Timestamp(seconds: 1_795_384_800)  // 22:00 on that day
        var system = RecordedSystem(time: until)
        system.files = [
            "/etc/nginx/nginx.conf": """
            http {
                upstream app { server 127.0.0.1:3000; }
                map $arg_to $to { default http://api.internal:80/; }
                server { error_log /log/a.log; access_log /log/access; location / { proxy_pass http://app; } }
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

    @Test func `an empty pool in one log belongs to the refusals in the other`() {
        let empty = Self.line("08:00:40", "no live upstreams while connecting to upstream").replacing(
            ", host:", with: ", upstream: \"http://app/\", host:")
        let (found, _) = harvest(Self.refused("08:00:00") + Self.refused("20:00:00"), empty)
        #expect(found.incidents.map(\.counts) == [[.connectRefused: 1, .poolEmpty: 1], [.connectRefused: 1]])
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
}
