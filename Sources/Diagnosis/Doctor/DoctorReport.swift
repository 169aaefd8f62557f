package import Machine

/// What the doctor found on a host.
package struct DoctorReport: Sendable, Codable {
    /// One incident with its verdict.
    package struct Case: Sendable, Codable {
        /// Its name, and whom it concerns.
        package var id: IncidentID
        /// Name of the group, or the address when there is none.
        package var upstream: String
        package var peer: PeerAddress?
        /// First and last failure.
        package var start: Timestamp
        package var end: Timestamp
        /// Whether it still fails now.
        package var isOngoing: Bool
        /// Failed attempts by reason.
        package var attempts: [String: Int]
        /// Requests that got 502, 503 or 504 because of it, by the access log.
        package var requestsFailed: Int
        package var verdict: Verdict
    }

    /// Who made an answer, as far as `$upstream_header_time`, `$upstream_status` or `$upstream_addr` in the log's format tell.
    package enum AnswerSource: String, Sendable, Codable, CaseIterable {
        /// An upstream sent it.
        case application
        /// No upstream was asked: `return`, a limit, a page of the proxy's own.
        case proxy
        /// An upstream was asked and sent no head.
        case gateway
        /// The format has none of them.
        case unknown
    }

    /// 502, 503 and 504 that no line of the error log explains.
    package struct AppAnswer: Sendable, Codable {
        /// What was answered, how often and when.
        package var status: Int
        /// Empty when the log's format does not have it.
        package var path: String
        package var source: AnswerSource
        package var count: Int
        package var first: Timestamp
        package var last: Timestamp
    }

    /// A connection tried now.
    package struct UpstreamTest: Sendable, Codable {
        /// Name of the group, or the address when there is none.
        package var upstream: String
        /// As written in the configuration.
        package var server: String
        package var address: PeerAddress
        package var place: String
        package var isReachable: Bool
        /// Who listens, or why it failed.
        package var detail: String
        package var microseconds: Int?
        /// What connecting gave; 0 when it worked, 110 for no answer.
        package var errorNumber: Int32
        /// What the health URI answered, and what the TLS handshake showed; nil: there is none, or it was not tried.
        package var health: String?
        package var tls: String?
        /// It can be reached, but its health check or its certificate fails requests.
        package var isTroubled = false
    }

    /// When the host was examined, and how far back.
    package var time: Timestamp
    package var since: Timestamp
    /// Main configuration file; nil: no nginx here.
    package var configuration: String?
    /// The server's own test of its configuration, as words.
    package var testCommand: [String]?
    /// What makes the running server read its configuration again, as words.
    package var reloadCommand: [String]?
    package var logs: [String] = []
    package var linesWithErrors = 0
    package var responsesFailed = 0
    package var bytesRead: Int64 = 0
    package var cases: [Case] = []
    package var appAnswers: [AppAnswer] = []
    package var upstreams: [UpstreamTest] = []
    package var findings: [LintFinding] = []
    /// What could not be looked at, by name.
    package var gaps: [String] = []
    /// Milliseconds.
    package var took: Int64 = 0

    package init(time: Timestamp, since: Timestamp) { self.time = time; self.since = since }
}

extension DoctorReport {
    /// As it may be shown: diffs repeat lines of configurations, which hold passwords and keys.
    package func masked() -> DoctorReport {
        var report = self
        for index in report.cases.indices {
            var fix = report.cases[index].verdict.fix
            fix.diff = fix.diff.map(SecretMask.mask)
            if let edit = fix.edit {
                fix.edit = Fix.Edit(file: edit.file, line: edit.line, from: SecretMask.mask(edit.from), to: SecretMask.mask(edit.to))
            }
            report.cases[index].verdict.fix = fix
        }
        for index in report.findings.indices {
            report.findings[index].title = SecretMask.mask(report.findings[index].title)
            report.findings[index].why = SecretMask.mask(report.findings[index].why)
            report.findings[index].diff = report.findings[index].diff.map(SecretMask.mask)
            report.findings[index].commands = report.findings[index].commands.map(SecretMask.mask)
        }
        for index in report.appAnswers.indices { report.appAnswers[index].path = SecretMask.mask(report.appAnswers[index].path) }
        report.gaps = gaps.map(SecretMask.mask)
        return report
    }
}
