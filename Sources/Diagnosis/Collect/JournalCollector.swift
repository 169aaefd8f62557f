import Foundation

/// The journal over the time of interest: what systemd, applications and supervisors said.
package struct JournalCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the journal" }
    package var isVolatile: Bool { false }
    package var isHostWide: Bool { true }
    package var isHistory: Bool { true }

    /// Lines read at most, the newest.
    private static let linesMax = 20_000

    /// What else a busy journal is asked for: who ends and starts units, the kernel, and what applications say of their own ends.
    private static let rest: [[String]] = [
        ["_PID=1", "+", "_TRANSPORT=kernel", "+", "SYSLOG_IDENTIFIER=systemd-oomd"],
        [
            "-g",
            "EADDRINUSE|ddress already in use|still could not bind|WORKER TIMEOUT|was sent SIG|max_children|exited on signal"
                + "|unstable restarts|entered FATAL state|exited with code|-reload- New worker|hardReload|softReload",
        ],
    ]

    static let fields = "MESSAGE,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_PID,_TRANSPORT,_COMM"

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        // An app says where it listens when it starts, long before it fails: that line names the backend.
        let since = subject.since.seconds, until = subject.until.seconds + 1
        let command =
            ["journalctl", "-o", "json", "--output-fields=" + Self.fields, "--no-pager", "-n", "\(Self.linesMax)"]
            + ["--since", "@\(since)", "--until", "@\(until)"]
        do {
            let output = try system.run(command, deadline: 10_000, limit: 32 << 20)
            var events = Self.parse(output, source: "journalctl")
            if let first = Self.cut(output) { events += readRest(subject, from: first, system, &evidence) }
            let starts = [
                "journalctl", "-o", "json", "--output-fields=" + Self.fields, "--no-pager", "-n", "500", "-b", "-g",
                "isten|running (on|at)|erving",
            ]
            if let output = try? system.run(starts, deadline: 5_000, limit: 4 << 20) {
                events += Self.parse(output, source: "journalctl -b").filter {
                    if case .listening = $0.kind { $0.time.seconds < since } else { false }
                }
            }
            events.sort { $0.time < $1.time }
            evidence.journal = .known(
                EventReader.settled(EventReader.merged(events)), source: "journalctl --since @\(since) --until @\(until)")
        } catch {
            evidence.journal = .unavailable(
                why: error.errorNumber == -1 ? "the journal is empty or may not be read" : error.text)
        }
    }

    /// Where an output begins that has as many lines as were asked for; nil: it is whole.
    private static func cut(_ output: [UInt8]) -> Timestamp? {
        // The last line may lack its end.
        output.count(where: { $0 == 10 }) >= linesMax - 1 ? time(output.prefix { $0 != 10 }) : nil
    }

    /// A chatty unit fills the newest lines: of what came before, the few that matter.
    private func readRest(
        _ subject: CollectionSubject, from first: Timestamp, _ system: some SystemReader, _ evidence: inout EvidenceSet
    ) -> [LifeEvent] {
        var events: [LifeEvent] = [], read = subject.since
        for words in Self.rest {
            let command =
                ["journalctl", "-o", "json", "--output-fields=" + Self.fields, "--no-pager", "--since", "@\(subject.since.seconds)"]
                + ["--until", "@\(first.seconds + 1)", "-n", "\(Self.linesMax)"] + words
            do {
                let output = try system.run(command, deadline: 10_000, limit: 32 << 20)
                events += Self.parse(output, source: "journalctl")
                read = max(read, Self.cut(output) ?? read)
            } catch where error.errorNumber == -1 {
                // Nothing matches.
            } catch { read = first }
        }
        if read > subject.since {
            evidence.journalFrom = read
            evidence.unread.append("the journal before \(read.text): only the last \(Self.linesMax) lines were read")
        }
        return events.filter { $0.time < first }
    }

    /// When a line was written.
    private static func time(_ line: ArraySlice<UInt8>) -> Timestamp? {
        LineText(line).after("\"__REALTIME_TIMESTAMP\":\"")?.number.map { Timestamp(milliseconds: Int64($0) / 1_000) }
    }

    /// Lines of `journalctl -o json`; lines that are no JSON are skipped.
    package static func parse(_ output: [UInt8], source: String) -> [LifeEvent] {
        var events: [LifeEvent] = []
        for line in output.split(separator: 10) {
            guard line.count < 65_536,
                let entry = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any],
                let micros = (entry["__REALTIME_TIMESTAMP"] as? String).flatMap({ Int64($0) })
            else { continue }
            let message = message(entry["MESSAGE"])
            guard !message.isEmpty else { continue }
            let identifier = entry["SYSLOG_IDENTIFIER"] as? String ?? entry["_COMM"] as? String ?? ""
            let pid = (entry["_PID"] as? String).flatMap { Int32($0) }
            // Fields that begin with _ are the journal's own, the others whatever the sender says.
            let named = identifier == "systemd" && pid == 1 ? entry["UNIT"] as? String : nil
            let unit = named ?? entry["_SYSTEMD_UNIT"] as? String
            let isKernel = entry["_TRANSPORT"] as? String == "kernel"
            let origin = EventReader.Origin(
                time: Timestamp(milliseconds: micros / 1_000), isKernel: isKernel, identifier: identifier, unit: unit,
                pid: pid,
                source: unit.map { "journalctl -u \($0)" } ?? (isKernel ? "journalctl -k" : source))
            if let event = EventReader.read(LineText(message), origin) { events.append(event) }
        }
        return events
    }

    /// Text, or an array of bytes when it is not UTF-8 or holds control characters.
    private static func message(_ value: Any?) -> String {
        if let text = value as? String { return text }
        guard let bytes = value as? [NSNumber] else { return "" }
        return String(decoding: bytes.prefix(4_096).map { UInt8(truncatingIfNeeded: $0.intValue) }, as: UTF8.self)
    }
}
