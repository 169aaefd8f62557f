import ArgumentParser
import Foundation
import Testing

@testable import Control

@Suite("What commands print")
struct StatusTextTests {
    @Test(arguments: [
        (850, "850 ms"), (1000, "1.0 s"), (12_340, "12.3 s"), (242_000, "4 min 2 s"), (11_100_000, "3 h 5 min"), (176_400_000, "2 d 1 h"),
    ] as [(UInt64, String)])
    func spans(milliseconds: UInt64, text: String) { #expect(StatusText.span(milliseconds) == text) }

    @Test("a table has its columns under each other, and no space at the end of a line") func table() {
        #expect(TextTable.render(["A", "LONG", "C"], [["1", "2", ""], ["333", "4", "5"]]) == "A    LONG  C\n1    2\n333  4     5\n")
        #expect(TextTable.render(["A", "LONG", "C"], [["1", "2", "x"]], right: 1...1) == "A  LONG  C\n1     2  x\n")
    }

    @Test("whatever an app can name is escaped") func escapes() {
        var app = AppReport(
            name: "a\u{1b}[2J", state: "up", running: true, rolling: false, nextStartMilliseconds: nil, release: 1, previousRelease: nil,
            command: [], differences: ["env \u{7}"], refusedBlock: "release 3\u{1b}[m: given up",
            instancesWanted: 1, instancesInBlock: 1, instances: [])
        app.instances = [
            InstanceReport(
                slot: 0, serial: 1, release: 1, state: "ready", role: "current", healthy: true, process: 1, address: "", ageMilliseconds: 0,
                nextMilliseconds: nil, restarts: 0, failedStarts: 0, lastExit: nil, lastFailure: "could not\u{1b}",
                status: "ready\u{1b}]0;x", lines: 0, linesDropped: 0)
        ]
        let text = StatusText.apps([app])
        #expect(text.utf8.allSatisfy { $0 == 10 || $0 >= 32 && $0 != 127 })
        #expect(text.contains("does not run: release 3\\x1b[m: given up, differs from") && text.contains("could not\\x1b"))
        #expect(text.contains("a\\x1b[2J") && text.contains("env \\x07") && text.contains("ready\\x1b]0;x"))
    }

    @Test("durations are written as in the configuration", arguments: [
        ("500ms", 500), ("10s", 10_000), ("10", 10_000), ("2m", 120_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("0s", 0),
    ] as [(String, Int64)])
    func duration(text: String, milliseconds: Int64) { #expect(DurationText.milliseconds(text) == milliseconds) }

    @Test(arguments: ["", "s", "-1s", "99999999999s", "1.5s", "20000d"])
    func badDuration(text: String) { #expect(DurationText.milliseconds(text) == nil) }

    @Test("the soak of a deploy has a limit") func soak() {
        #expect(DurationText.milliseconds("1h", max: 3_600_000) == 3_600_000)
        #expect(DurationText.milliseconds("2h", max: 3_600_000) == nil)
    }

    @Test("the bar is full when all are ready, and never longer") func bar() {
        #expect(ProgressPrinter.bar(0, of: 2) == "[--------------------]")
        #expect(ProgressPrinter.bar(1, of: 2) == "[##########----------]")
        #expect(ProgressPrinter.bar(3, of: 2) == "[####################]")
        #expect(ProgressPrinter.bar(0, of: 0) == "[####################]")
    }

    @Test("the name of an app is one part of a path, whatever it is") func resource() {
        #expect(AppCommand.resource("a/../b?c d", "logs") == "/v1/apps/a%2F..%2Fb%3Fc%20d/logs")
    }
}
