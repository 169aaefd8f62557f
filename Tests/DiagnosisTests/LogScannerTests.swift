import Foundation
import struct TestKit.SeededGenerator
import Testing

@testable import Diagnosis

@Suite struct LogScannerTests {
    private static func line(_ random: inout SeededGenerator, _ second: Int64) -> (text: String, status: Int) {
        let statuses = [200, 200, 200, 304, 404, 499, 500, 502, 503, 504, 505]
        let status = statuses[random.next(below: statuses.count)]
        let time = CivilTime(utcSeconds: second)
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let path = [
            "/", "/a 502 b".replacing(" ", with: "%20"), "/x?q=\\x22 502 ", "/50250350",
            "/long/" + String(repeating: "50", count: random.next(below: 60)),
        ][random.next(below: 5)]
        let size = [0, 502, 5_021, 50, 504][random.next(below: 5)]
        return (
            "10.0.\(random.next() % 256).502 - - "
                + "[22/Nov/2026:\(two(time.hour)):\(two(time.minute)):\(two(time.second)) +0000] \"GET \(path) "
                + "HTTP/1.1\" \(status) \(size) \"-\" \"agent 502 504\"",
            status
        )
    }

    @Test(arguments: 0..<20)
    func `finds exactly the lines whose status it is`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var text = "", expected: [Int] = []
        for index in 0..<random.next(below: 120) {
            let (line, status) = Self.line(&random, 1_795_341_600 + Int64(index))
            text += line + "\n"
            if (502...504).contains(status) { expected.append(status) }
        }
        if random.next() % 2 == 0, !text.isEmpty { text.removeLast() }
        var found: [Int] = [], lines: [String] = []
        unsafe Array(text.utf8).withUnsafeBufferPointer { piece in
            unsafe StatusScanner(beforeStatus: "\" ").scan(piece) { line, status in
                found.append(Int(status))
                lines.append(unsafe String(decoding: line, as: UTF8.self))
            }
        }
        #expect(found == expected)
        #expect(lines.allSatisfy { line in text.contains(line) && !line.contains("\n") })
    }

    @Test(arguments: [
        ("$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent", "\" "),
        ("{\"time\":\"$time_iso8601\",\"status\":$status}", "\",\"status\":"),
        ("status=$status rt=$request_time", "status="),
        ("$host $status", " "), ("no such thing", ""), ("$status $host", "\n"), ("${host} is ${status}.", " is "), ("$host$status", ""),
        ("status_of_this_request=$status", "of_this_request="),
    ])
    func `the format tells what stands before the status`(format: String, before: String) {
        #expect(AccessFormat(format).beforeStatus == before)
    }

    @Test func `a status that comes first is found in each line`() {
        var found: [String] = []
        let text = "502 first\n200 502 x\n503 [22/Nov/2026:10:00:00 +0000] last of a long line of text that goes on\n504 x\n"
        unsafe Array(text.utf8).withUnsafeBufferPointer { piece in
            unsafe StatusScanner(beforeStatus: "\n").scan(piece) { line, _ in
                found.append(unsafe String(decoding: line.prefix(4), as: UTF8.self))
            }
        }
        #expect(found == ["502 ", "503 ", "504 "])
    }

    @Test func `a JSON format is scanned as well`() {
        let text =
            "{\"time\":\"2026-11-22T10:00:00+00:00\",\"status\":502}\n{\"time\":\"2026-11-22T10:00:00+00:00\",\"status\":200,\"n\":502}\n"
        var found = 0
        unsafe Array(text.utf8).withUnsafeBufferPointer { piece in
            unsafe StatusScanner(beforeStatus: "\",\"status\":").scan(piece) { _, _ in found += 1 }
        }
        #expect(found == 1)
    }

    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "diagnosis-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func `reads plain and packed files by lines and begins in the middle of a large one`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var random = SeededGenerator(seed: 7)
        var text = ""
        for index in 0..<20_000 { text += Self.line(&random, 1_795_341_600 + Int64(index)).text + "\n" }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/access.log"))
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/access.log.1"))
        _ = try Subprocess.run(["gzip", "-k", path + "/access.log.1"], deadline: 10_000, limit: 100).isEmpty
        let system = LiveSystem()
        for name in ["access.log", "access.log.1.gz"] {
            var count = 0
            try LogReader.lines("\(path)/\(name)", of: system) { _ in
                count += 1; return true
            }
            #expect(count == 20_000, "\(name)")
            var seen = 0
            try LogReader.lines("\(path)/\(name)", of: system) { _ in
                seen += 1; return seen < 5
            }
            #expect(seen == 5, "\(name): nothing comes after a stop")
        }
        let wanted = Timestamp(seconds: 1_795_341_600 + 15_000)
        let offset = system.offset(of: wanted, in: path + "/access.log", time: LogTime.find)
        var first: Timestamp?, later = 0
        try LogReader.lines(path + "/access.log", from: offset, of: system) { line in
            if let time = LogTime.find(line) {
                if first == nil { first = time }
                if time >= wanted { later += 1 }
            }
            return true
        }
        #expect(offset > Int64(text.utf8.count) / 2 && first.map { $0 <= wanted } == true && later == 5_000)
        var files = LogFiles()
        let (paths, gap) = files.find(path + "/access.log", since: Timestamp(seconds: 0), from: system)
        #expect(gap == nil && paths.count == 3 && paths.allSatisfy { $0.hasPrefix(path) })
        // The same files under another name.
        try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: path)
        #expect(files.find(path + "/link/access.log", since: Timestamp(seconds: 0), from: system).paths.isEmpty)
        #expect(files.find(path + "/error.log", since: Timestamp(seconds: 0), from: system).gap == "\(path)/error.log is not there")
        try FileManager.default.createSymbolicLink(atPath: path + "/stream.log", withDestinationPath: "/dev/null")
        #expect(files.find(path + "/stream.log", since: Timestamp(seconds: 0), from: system).gap?.contains("is no file") == true)
    }

    @Test func `a packed log that is damaged is an error, after what could be read`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var random = SeededGenerator(seed: 7)
        let text = (0..<20_000).map { Self.line(&random, 1_795_341_600 + $0).text + "\n" }.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/a.log.1"))
        _ = try? Subprocess.run(["gzip", path + "/a.log.1"], deadline: 10_000, limit: 100)
        let packed = try Data(contentsOf: URL(fileURLWithPath: path + "/a.log.1.gz"))
        try packed.prefix(packed.count / 2).write(to: URL(fileURLWithPath: path + "/a.log.1.gz"))
        try Data("garbage".utf8).write(to: URL(fileURLWithPath: path + "/a.log.2.gz"))
        var count = 0
        #expect(throws: SystemError(-1, "gzip -dc \(path)/a.log.1.gz")) {
            try LogReader.lines(path + "/a.log.1.gz", of: LiveSystem()) { _ in count += 1; return true }
        }
        #expect(count > 1_000)
        #expect(throws: SystemError.self) { try LogReader.lines(path + "/a.log.2.gz", of: LiveSystem()) { _ in true } }
    }

    @Test(arguments: [
        ("a.conf", "*.conf", true), ("a.conf", "?.conf", true), ("b.conf", "[ab].conf", true), ("c.conf", "[ab].conf", false),
        ("7-x.conf", "[0-9]*.conf", true), ("x.conf", "[0-9]*.conf", false), ("x.conf", "[!0-9]*.conf", true),
        ("x.conf", "[^x].conf", false), ("].conf", "[]].conf", true), ("-.conf", "[a-].conf", true), ("[x", "[x", true), ("a", "[", false),
        ("ab.conf", "*[b].conf", true), ("a.conf", "a.conf*", true), ("a", "a[", false),
    ])
    func `includes match as glob does`(name: String, pattern: String, expected: Bool) {
        #expect(Glob.matches(Array(name.utf8), Array(pattern.utf8)) == expected)
    }

    @Test func `rotated names are known and others are not`() {
        for name in [
            "error.log.1", "error.log.2.gz", "error.log-20261121", "error.log-20261121.gz", "error.log.2026-11-21", "error.log.1.zst",
            "error.log-20261121.xz", "error-20261121.log", "error-20261121.log.gz", "error.1.log.bz2",
        ] { #expect(LogFiles.isRotated(name, "error.log")) }
        for name in ["error.log.bak", "error.log~", "error.logs", "other.log.1", "error.log.", "error-old.log", "error.log.1.lz4"] {
            #expect(!LogFiles.isRotated(name, "error.log"))
        }
    }

    @Test func `times in log lines carry their zone`() {
        #expect(LogTime.find(LineText("x [22/Nov/2026:11:03:04 +0100] y"))?.text == "2026-11-22T10:03:04Z")
        #expect(LogTime.find(LineText("{\"time\":\"2026-11-22T05:03:04-05:00\"}"))?.text == "2026-11-22T10:03:04Z")
        #expect(LogTime.find(LineText("{\"time\":\"2026-11-22T10:03:04.123Z\"}"))?.text == "2026-11-22T10:03:04Z")
        for (text, expected) in [
            ("+02:00", 7_200), ("-0530", -19_800), ("Z", 0), ("UTC", 0), ("2", nil), ("+2:00", nil), ("+99:00", nil), ("CET", nil),
        ] as [(String, Int64?)] { #expect(LogTime.zone(named: text) == expected, "\(text)") }
        #expect(LogTime.zone(LineText("x [22/Nov/2026:11:03:04 -0130] y")) == -5_400)
        #expect(LogTime.zone(LineText("{\"time\":\"2026-11-22T05:03:04+02:00\"}")) == 7_200)
        #expect(LogTime.zone(LineText("{\"time\":\"2026-11-22T05:03:04Z\"}")) == nil)
        #expect(LogTime.find(LineText("[99/Nov/2026:11:03:04 +0100]")) == nil && LogTime.find(LineText("T T T")) == nil)
        var zone = LocalZone(fixedOffset: 3_600)
        #expect(
            zone.timestamp(CivilTime(year: 2026, month: 11, day: 22, hour: 11, minute: 3, second: 4))?.text
                == "2026-11-22T10:03:04Z")
    }

    @Test func `a program that hangs is ended at its deadline`() {
        let start = Subprocess.monotonicMilliseconds()
        #expect(throws: SystemError(110, "sleep 30")) { try Subprocess.run(["sleep", "30"], deadline: 200, limit: 10) }
        #expect(Subprocess.monotonicMilliseconds() - start < 5_000)
        #expect(throws: SystemError.self) { try Subprocess.run(["no-such-program-here"], deadline: 200, limit: 10) }
        #expect(throws: SystemError(-1, "false")) { try Subprocess.run(["false"], deadline: 2_000, limit: 10) }
        #expect((try? Subprocess.run(["yes"], deadline: 5_000, limit: 100))?.count == 100)
    }
}
