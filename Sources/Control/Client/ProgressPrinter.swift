import ArgumentParser
import Diagnosis
import Foundation
import Glibc
import NIOHTTP1

/// Shows an order's progress: a bar on a terminal, plain lines elsewhere, the API's own lines with `--json`.
struct ProgressPrinter {
    enum Style { case bar, plain, json }

    let style: Style
    private var bar = ""
    private var lastText = ""
    /// The event that an order failed: the result that follows says the same.
    private var failure: String?

    init(json: Bool) { style = json ? .json : isatty(1) == 1 ? .bar : .plain }

    /// Sends an order and shows what happens until it is over.
    /// - Throws: `ExitCode(1)` when it did not succeed; the reason is on standard error.
    ///
    /// - Parameter app: When the connection is lost, the order goes on: what becomes of this app is looked at then. nil: it is not.
    static func follow(
        _ options: ControlOptions, _ resource: String, body: (some Encodable)? = nil as String?, app: String? = nil
    ) async throws {
        try await options.run { client in
            var printer = ProgressPrinter(json: options.json)
            var result: ProgressReport?
            let data = try body.map { try APICoding.encoder.encode($0) }
            var release: UInt32?
            do {
                try await client.send(.POST, resource, body: data) { line in
                    let report = try APICoding.decoder.decode(ProgressReport.self, from: Data(line))
                    printer.show(report, line)
                    release = report.release ?? release
                    if report.kind == "result" { result = report }
                }
            } catch let error as ClientError {
                // Taken is what was reported of.
                guard error.isLostConnection, result == nil, let app, let release else { throw error }
                let report = try await outcome(of: app, release, client)
                printer.show(report, Array(try APICoding.encoder.encode(report)))
                result = report
            }
            guard let result else { throw ClientError("the control process ended before the order was done; see \"goodgate status\"") }
            guard result.succeeded == true else { throw ExitCode(1) }
        }
    }

    /// How often an app is looked at whose order nobody tells of, and how often in vain.
    private static let lookInterval = Duration.milliseconds(500)
    private static let looksMax = 20

    /// Waits for the end of a roll that goes on in the supervisor while the control process is another one.
    private static func outcome(of app: String, _ release: UInt32, _ client: ControlClient) async throws -> ProgressReport {
        var looksLeft = looksMax
        while true {
            do {
                let report = try await client.get([AppReport].self, "/v1/apps").first { $0.name == app }
                guard let report else { throw ClientError("app \(app): it is in no block of the configuration any more") }
                looksLeft = looksMax
                if !report.rolling {
                    let verdict = AppOperation.Verdict(report, after: release)
                    var result = ProgressReport(kind: "result", text: verdict.text)
                    (result.succeeded, result.release) = (verdict.succeeded, release)
                    return result
                }
            } catch let error as ClientError where looksLeft > 0 && error.kind == nil {
                // The next control process is started within seconds.
                looksLeft -= 1
            }
            try await Task.sleep(for: lookInterval)
        }
    }

    private mutating func show(_ report: ProgressReport, _ line: [UInt8]) {
        if style == .json {
            print(String(decoding: line, as: UTF8.self))
            fflush(nil)
            return
        }
        if let text = failure {
            failure = nil
            if report.text != text || report.kind != "result" { showEvent(text) }
        }
        switch report.kind {
        case "progress":
            guard let done = report.done, let total = report.total else { return }
            bar = Self.bar(done, of: total) + " " + TextEscape.terminal(report.text)
            write(style == .bar ? "\r\u{1b}[K" + bar : TextEscape.terminal(report.text) + "\n")
        case "event" where report.event == "rollFailed": failure = report.text
        case "event": showEvent(report.text)
        default: showResult(report)
        }
    }

    private mutating func showEvent(_ event: String) {
        // The bar stays the last line.
        let text = TextEscape.terminal(event)
        lastText = event
        write(style == .bar ? "\r\u{1b}[K\(text)\n\(bar)" : text + "\n")
    }

    private func showResult(_ report: ProgressReport) {
        if style == .bar { write("\r\u{1b}[K") }
        let text = TextEscape.terminal(report.text)
        guard report.succeeded != true else {
            // What was just said needs no second time.
            if report.text != lastText { write(text + "\n") }
            return
        }
        var lines = ["goodgate: " + text]
        for words in report.lastLines ?? [] {
            lines.append("last lines of \(TextEscape.terminal(words.instance)) (release \(words.release)):")
            lines += words.lines.map { "  " + TextEscape.terminal($0) }
        }
        fflush(nil)
        FileHandle.standardError.write(Data((lines.joined(separator: "\n") + "\n").utf8))
    }

    /// `[##########----------]`
    static func bar(_ done: UInt32, of total: UInt32) -> String {
        let width = 20
        let full = total == 0 ? width : Int(UInt64(width) * UInt64(min(done, total)) / UInt64(total))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full) + "]"
    }

    private func write(_ text: String) {
        print(text, terminator: "")
        fflush(nil)
    }
}
