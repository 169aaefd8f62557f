import Machine

/// A doctor's report for the terminal.
package enum DoctorText {
    /// The whole report; `width` in columns. `manual` as in `VerdictText`.
    package static func render(_ report: DoctorReport, width: Int = 100, manual: String = "") -> String {
        var out = "goodgate doctor, \(report.time.text), looking back to \(report.since.text)\n"
        if let configuration = report.configuration {
            out += "configuration \(TextEscape.terminal(configuration)), \(report.logs.count) log files, "
        }
        out += "\(report.bytesRead >> 20) MB read, \(report.responsesFailed) responses with 502, 503 or 504, "
        out += "\(report.linesWithErrors) explaining lines, \(report.took) ms\n"
        if !report.upstreams.isEmpty { out += "\nUpstreams now\n" }
        for test in report.upstreams {
            let name = test.upstream == test.server ? test.server : "\(test.upstream): \(test.server)"
            let address = test.address.text == test.server ? "" : " = \(test.address.text)"
            let time = test.microseconds.map { " in \($0) µs" } ?? ""
            out +=
                "  \(!test.isReachable ? "FAIL" : test.isTroubled ? "BAD " : "ok  ")  \(TextEscape.terminal(name + address)): "
                + "\(TextEscape.terminal(test.detail))\(time)"
            out += "  [\(TextEscape.terminal(test.place))]\n"
            for text in [test.health, test.tls].compactMap(\.self) { out += "        \(TextEscape.terminal(text))\n" }
        }
        out += report.cases.isEmpty
            ? report.appAnswers.isEmpty ? "\nNo failures found.\n" : "\nNo failed connections to an upstream found.\n"
            : "\nIncidents (\(report.cases.count))\n"
        for item in report.cases { out += "\n" + render(item, width: width, manual: manual) }
        for source in DoctorReport.AnswerSource.allCases { out += render(report.appAnswers.filter { $0.source == source }, of: source) }
        if !report.findings.isEmpty { out += "\nWhat will fail one day (\(report.findings.count))\n" }
        for finding in report.findings { out += "\n" + render(finding, width: width) }
        if !report.gaps.isEmpty { out += "\nCould not be looked at\n" }
        for gap in report.gaps { out += "  \(TextEscape.terminal(gap))\n" }
        return out
    }

    private static func render(_ answers: [DoctorReport.AppAnswer], of source: DoctorReport.AnswerSource) -> String {
        guard !answers.isEmpty else { return "" }
        var out =
            switch source {
            case .application: "\nThe application itself answered so\n"
            case .proxy: "\nThe proxy answered so without asking an upstream (`return`, a limit, a page of its own)\n"
            case .gateway: "\nNo upstream answered these, and the error log that was read does not say why\n"
            case .unknown: "\nNo line of the error log explains these: the application itself answered so (or `return` did)\n"
            }
        for answer in answers {
            let path = answer.path.isEmpty ? "(the log's format has no path)" : TextEscape.terminal(answer.path)
            out += "  \(answer.count) × \(answer.status) \(path), \(answer.first.text) to \(answer.last.text)\n"
        }
        return out
    }

    private static func render(_ item: DoctorReport.Case, width: Int, manual: String) -> String {
        let counts = item.attempts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map {
            "\($0.value) × \($0.key)"
        }
        var out = "\(item.id.text)  \(TextEscape.terminal(item.upstream))"
        if let peer = item.peer, peer.text != item.upstream { out += " at \(TextEscape.terminal(peer.text))" }
        out += "  \(item.start.text) to \(item.isOngoing ? "now" : item.end.text)\n"
        let requests = item.requestsFailed == 1 ? "1 request" : "\(item.requestsFailed) requests"
        out += "            \(counts.joined(separator: ", ")); \(requests) failed\n"
        return out + VerdictText.render(item.verdict, width: width, manual: manual)
    }

    private static func render(_ finding: LintFinding, width: Int) -> String {
        var out =
            "\(finding.severity.rawValue): \(TextEscape.terminal(finding.title))  "
            + "[\(TextEscape.terminal(finding.place))]\n"
        out += VerdictText.wrap("  " + TextEscape.terminal(finding.why), width: width, indent: 2) + "\n"
        for command in finding.commands { out += "  $ \(TextEscape.terminal(command))\n" }
        if let diff = finding.diff {
            for line in diff.linesByByte where !line.isEmpty { out += "  \(TextEscape.terminal(line))\n" }
        }
        if let caution = finding.caution {
            out += VerdictText.wrap("  careful: " + TextEscape.terminal(caution), width: width, indent: 11) + "\n"
        }
        return out
    }
}
