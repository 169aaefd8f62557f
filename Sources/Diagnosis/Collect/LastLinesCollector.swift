/// The last lines of the unit behind the failing peer: often they say it themselves.
package struct LastLinesCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the unit's last lines" }
    package var isVolatile: Bool { false }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let link = evidence.backends(of: subject.peer).first, link.unit.activeState != "active" else { return }
        let command = [
            "journalctl", "-u", link.unit.name, "-o", "cat", "-n", "20", "--no-pager", "-t",
            Self.program(link.unit.execStart),
        ]
        guard let output = try? system.run(command, deadline: 3_000, limit: 65_536) else { return }
        let lines = output.split(separator: 10).map { String(decoding: $0.prefix(300), as: UTF8.self) }.filter {
            !$0.hasPrefix("-- ")
        }
        if !lines.isEmpty { evidence.lastLines = .known(SecretMask.mask(lines: lines), source: "journalctl -u \(link.unit.name) -n 20") }
    }

    /// The identifier the journal gives to a program's output: its file's name.
    static func program(_ command: String) -> String {
        String((command.split(separator: " ").first ?? "").split(separator: "/").last ?? "")
    }
}
