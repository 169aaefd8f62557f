import Diagnosis
import Foundation
import Hummingbird
import Testing

@testable import Control

/// docs/api.yaml says what the code does: neither has a route or a property that the other lacks.
@Suite("docs/api.yaml")
struct APIDescriptionTests {
    private static let text = (try? String(
        contentsOfFile: #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/docs/api.yaml",
        encoding: .utf8)) ?? ""

    /// The keys that stand so many spaces deep between a line and the next one that is less deep. The file keeps to that form.
    private static func keys(below heading: [String]) -> [String] {
        var lines = text.split(separator: "\n").map(String.init)[...]
        for (depth, name) in heading.enumerated() {
            let mark = String(repeating: "  ", count: depth) + name + ":"
            guard let start = lines.firstIndex(of: mark) else { return [] }
            let rest = lines[(start + 1)...]
            lines = rest[..<(rest.firstIndex { !$0.hasPrefix(String(repeating: "  ", count: depth + 1)) } ?? rest.endIndex)]
        }
        let indent = String(repeating: "  ", count: heading.count)
        return lines.compactMap { line in
            guard line.hasPrefix(indent), line.dropFirst(indent.count).first != " ", let colon = line.firstIndex(of: ":")
            else { return nil }
            return String(line[line.index(line.startIndex, offsetBy: indent.count)..<colon])
        }
    }

    @Test("has every route of the code, and no other") func routes() {
        let described = Self.keys(below: ["paths"]).flatMap { path in
            Self.keys(below: ["paths", path]).map { "\($0.uppercased()) \(path)" }
        }
        let served = ControlParts().makeRouter().routes.map { "\($0.method.rawValue) \($0.path)" }
        #expect(!described.isEmpty)
        #expect(Set(described) == Set(served.map(Self.braced)))
    }

    /// `/v1/apps/:name` or `{name}` as the file writes it.
    private static func braced(_ route: String) -> String {
        route.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }.joined(separator: "/")
    }

    /// One value of each type, with everything that can be missing.
    private static let samples: [String: any Encodable & Sendable] = {
        var progress = ProgressReport(kind: "result", text: "")
        (progress.event, progress.instance, progress.release, progress.done, progress.total) = ("ready", "a", 1, 1, 1)
        progress.succeeded = false
        let lines = InstanceLinesReport(instance: "a", release: 1, lines: [])
        progress.lastLines = [lines]
        let server = ServerReport(
            name: "", address: "", state: "up", backup: false, weight: 1, connections: 0, fails: 0, attempts: 0, broken: 0)
        let upstream = UpstreamReport(name: "", servers: [server])
        let instance = InstanceReport(
            slot: 0, serial: 1, release: 1, state: "ready", role: "current", healthy: true, process: 1, address: "", ageMilliseconds: 1,
            nextMilliseconds: 1, restarts: 0, failedStarts: 0, lastExit: "", lastFailure: "", status: "", lines: 0, linesDropped: 0)
        let app = AppReport(
            name: "", state: "up", running: true, rolling: false, nextStartMilliseconds: 1, release: 1, previousRelease: 1, command: [],
            differences: [], refusedBlock: "", instancesWanted: 1, instancesInBlock: 1, instances: [instance])
        let worker = WorkerReport(
            process: 1, generation: 1, index: 0, state: "ready", ageMilliseconds: 1, connections: 0, requests: 0)
        let traffic = TrafficReport(
            accepted: 0, requests: 0, activeConnections: 0, parkedNow: 0, parked: 0, retried: 0, rescued: 0, failed: 0, attemptsDropped: 0)
        let status = StatusReport(
            version: "", process: 1, startedAt: Date(), state: "serving", configuration: "", generation: 1, traffic: traffic,
            workers: [worker], apps: [app], upstreams: [upstream])
        let incident = try? APICoding.decoder.decode(IncidentReport.self, from: Data(incidentText.utf8))
        return [
            "Body": APIError.Body(error: "", message: ""), "StatusReport": status, "TrafficReport": traffic, "WorkerReport": worker,
            "AppReport": app, "InstanceReport": instance, "UpstreamReport": upstream, "ServerReport": server,
            "ScaleOrder": ScaleOrder(instances: 1), "ProgressReport": progress, "InstanceLinesReport": lines,
            "ReleaseOrder": ReleaseOrder(command: ["a"], directory: "/", environment: [], environmentFiles: [], soakMilliseconds: 0),
            "ServerOrder": ServerOrder(server: "a", upstream: "b"), "DoneReport": DoneReport(message: ""),
            "LogLineReport": LogLineReport(instance: "", line: ""),
            "IncidentList": IncidentList(incidents: []), "IncidentReport": incident, "Verdict": incident?.verdict,
            "AppEnd": incident?.ends?.first, "AttemptReport": incident?.records?.first,
        ]
    }()

    private static let incidentText = """
        {"id": "2Q1XM400", "aliases": [], "upstream": "u", "app": "a", "peer": "p", "first": 1, "last": 2, "is_open": true,
         "attempts": {"connect.refused": 1}, "requests_failed": 1, "requests_saved": 0, "requests_pending": 0, "timeline": [],
         "ends": [{"time": "2026-11-22T10:03:04.5Z", "instance": "a.0#1", "release": 1, "process": 2, "status": 3, "signal": 9,
          "out_of_memory_kills": 1, "ran_milliseconds": 4, "last_lines": ["x"]}],
         "records": [{"time": 1, "peer": "p", "phase": "connecting", "reason": "r", "action": "a", "error_number": 104, "bytes_written": 1,
          "bytes_acknowledged": 1, "bytes_read": 0, "connection_age_milliseconds": 1, "connection_idle_milliseconds": 1, "is_reused": true,
          "duration_milliseconds": 1, "request": "x", "method": "GET", "status": 502}],
         "verdict": {"incident": "2Q1XM400", "version": 1, "reason": "r", "rule": "P01", "title": "t",
          "culprit": {"kind": "unit", "name": "n"}, "cause": "c", "evidence": [], "confidence": "firm", "disproof": "d",
          "fix": {"summary": "s", "commands": []}, "alternatives": [], "ruled_out": [], "gaps": [], "page": "x",
          "looks": [{"step": "volatile", "time": 1, "after_milliseconds": 7, "took_milliseconds": 3}]}}
        """

    @Test("has every type, and no other") func types() {
        #expect(Set(Self.keys(below: ["components", "schemas"])) == Set(Self.samples.keys))
    }

    @Test("has every property of a type, and no other; what can be missing is not required", arguments: samples.keys.sorted())
    func properties(name: String) throws {
        let sample = try #require(Self.samples[name])
        let object = try JSONSerialization.jsonObject(with: APICoding.encoder.encode(sample)) as? [String: Any]
        let described = Self.keys(below: ["components", "schemas", name, "properties"])
        #expect(Set(described) == Set(try #require(object).keys))
    }

    @Test("a number that cannot be meant is read, to be refused in words", arguments: [-1, 0, 1 << 40])
    func instances(count: Int) throws {
        let order = try APICoding.decoder.decode(ScaleOrder.self, from: Data(#"{"instances": \#(count)}"#.utf8))
        #expect(order.instances == count)
    }

    @Test("requires what an empty app, worker and instance still have") func required() throws {
        let bare = try APICoding.encoder.encode(
            AppReport(
                name: "", state: "up", running: true, rolling: false, nextStartMilliseconds: nil, release: 1, previousRelease: nil,
                command: [], differences: [], refusedBlock: nil, instancesWanted: 1, instancesInBlock: 1, instances: []))
        let keys = try #require(try JSONSerialization.jsonObject(with: bare) as? [String: Any]).keys
        let line = try #require(Self.text.split(separator: "\n").first { $0.contains("required: [name, state, running") })
        let words = line.drop { $0 != "[" }.dropFirst().dropLast().split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(Set(words) == Set(keys))
    }
}
