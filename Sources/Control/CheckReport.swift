import Config
import Diagnosis
import Foundation
import Pattern

/// What `check` says of one configuration.
struct CheckReport: Codable {
    struct Finding: Codable {
        /// `missing`: the host lacks it, so that a start here would fail; the configuration itself is good.
        enum Kind: String, Codable { case error, ignored, warning, risk, missing }
        var kind: Kind
        /// `FILE:LINE`.
        var place: String
        var message: String
        /// For risks: why, and what mends it: a change of the configuration, what the change may cost, and commands or advice.
        var why: String?
        var diff: String?
        var caution: String?
        var commands: [String]?
    }

    var file: String
    var starts: Bool
    var findings: [Finding]

    /// The same for a single file.
    static func make(_ path: String) -> CheckReport {
        var host = CheckedHost()
        return make(path, host: &host)
    }

    /// Parses and judges one file. Looks at files, and at this host where the file sends requests to it.
    static func make(_ path: String, host: inout CheckedHost) -> CheckReport {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        let folder = URL(fileURLWithPath: absolute).deletingLastPathComponent().path
        let source = CheckedFiles(main: absolute)
        let request = ConfigurationRequest(path: absolute, prefix: folder + "/")
        let outcome = Configuration.parse(request, source: source, patterns: PatternCompiler())
        var findings = outcome.diagnostics.map { diagnostic in
            let place = diagnostic.location.map { "\($0.file):\($0.line)" } ?? absolute
            let suggestion = diagnostic.suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
            let kind: Finding.Kind
            switch diagnostic.severity {
            case .emergency: kind = .error
            case .warning: kind = .warning
            case .notice: kind = .ignored
            }
            return Finding(kind: kind, place: place, message: diagnostic.namedMessage + suggestion)
        }
        findings += missing(outcome.needs, absolute)
        findings += risks(absolute, folder, &host)
        return CheckReport(file: absolute, starts: outcome.configuration != nil, findings: findings)
    }

    /// The user and the folders of log files that are not there: `-t` and a start fail without them.
    private static func missing(_ needs: ConfigurationNeeds, _ main: String) -> [Finding] {
        func finding(_ location: SourceLocation?, _ message: String) -> Finding {
            Finding(kind: .missing, place: location.map { "\($0.file):\($0.line)" } ?? main, message: message)
        }
        var list: [Finding] = []
        if let user = needs.user, FileManager.default.homeDirectory(forUser: user.name) == nil {
            list.append(finding(user.location, "there is no user \"\(user.name)\" on this host"))
        }
        for log in needs.logs where log.location != nil && !FileManager.default.fileExists(atPath: log.folder) {
            list.append(finding(log.location, "there is no folder \"\(log.folder)\" on this host for the log \"\(log.path)\""))
        }
        return list
    }

    /// The doctor's static part: what is legal and still leads to 502s.
    private static func risks(_ file: String, _ folder: String, _ host: inout CheckedHost) -> [Finding] {
        let system = LiveSystem()
        var main = file
        if CheckedFiles.isSiteFile(at: file) {
            // As in conf.d: seen from the main file that would include it.
            // In a directory of its own, of a name that nobody can have taken before: others may write where it stands.
            let manager = FileManager.default
            let own = NSTemporaryDirectory() + "goodgate-check-\(UUID().uuidString)"
            main = own + "/main.conf"
            let isMade = (try? manager.createDirectory(
                atPath: own, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])) != nil
            guard isMade, manager.createFile(atPath: main, contents: Data("events {}\nhttp { include \(file); }\n".utf8)) else { return [] }
        }
        defer { if main != file { try? FileManager.default.removeItem(atPath: (main as NSString).deletingLastPathComponent) } }
        // Goodgate keeps connections to upstreams unless it is told otherwise, as nginx does since then.
        let site = NginxSite(
            mainFile: main, prefix: folder + "/", defaultErrorLog: folder + "/error.log", defaultAccessLog: folder + "/access.log",
            version: NginxVersion(1, 29, 7), from: system)
        return host.findings(site, from: system).filter { $0.id != "keepalive-not-used" }.map {
            Finding(
                kind: .risk, place: $0.place, message: $0.title, why: SecretMask.mask($0.why), diff: $0.diff.map(SecretMask.mask),
                caution: $0.caution, commands: $0.commands.isEmpty ? nil : $0.commands.map(SecretMask.mask))
        }
    }

    /// For people.
    var text: String {
        let isComplete = !findings.contains { $0.kind == .missing }
        var lines = ["\(file): " + (!starts ? "does NOT start" : isComplete ? "starts" : "starts where nothing of it is missing")]
        for kind in [Finding.Kind.error, .missing, .warning, .risk, .ignored] {
            for finding in findings where finding.kind == kind {
                lines.append("  \(kind.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0))\(finding.place): \(TextEscape.terminal(finding.message))")
                let diff = finding.diff?.linesByByte.filter { !$0.isEmpty } ?? []
                let more = [finding.why].compactMap(\.self) + (finding.commands ?? []).map { "$ \($0)" } + diff
                    + [finding.caution.map { "careful: \($0)" }].compactMap(\.self)
                lines += more.map { "          \(TextEscape.terminal($0))" }
            }
        }
        return lines.joined(separator: "\n")
    }
}
