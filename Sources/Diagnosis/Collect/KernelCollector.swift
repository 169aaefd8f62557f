/// The kernel's log: OOM kills, segfaults, SYN floods, full tables, LSM denials.
package struct KernelCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the kernel log" }
    package var isVolatile: Bool { false }
    package var isHostWide: Bool { true }
    package var isHistory: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        do {
            let bytes = try system.read("/dev/kmsg", limit: 8 << 20)
            guard let boot = bootTime(system) else {
                evidence.kernel = .unavailable(why: "the boot time in /proc/stat is not readable")
                return
            }
            let events = Self.parse(bytes, boot: boot).filter {
                $0.time >= subject.since && $0.time <= subject.until.advanced(byMilliseconds: 5_000)
            }
            evidence.kernel = .known(EventReader.merged(events), source: "dmesg")
        } catch {
            let known = evidence.journal.value?.contains { $0.source == "journalctl -k" } ?? false
            evidence.kernel = known ? .known([], source: "journalctl -k") : .unavailable(why: error.text)
        }
    }

    /// Wall clock minus uptime: nearer to the log's clock than `btime`, which is rounded to seconds.
    private func bootTime(_ system: some SystemReader) -> Timestamp? {
        if let text = try? system.text("/proc/uptime"), let first = text.split(separator: " ").first,
            let seconds = Double(first)
        {
            return system.now().advanced(byMilliseconds: -Int64(seconds * 1_000))
        }
        return ProcessTable.bootTime(from: system)
    }

    /// Records of `/dev/kmsg`: `priority,sequence,microseconds,flags;message`; lines that begin with a space continue the one before.
    package static func parse(_ bytes: [UInt8], boot: Timestamp) -> [LifeEvent] {
        var events: [LifeEvent] = []
        for line in bytes.split(separator: 10) where line.first != 32 {
            let text = LineText(line)
            guard let semicolon = text.find(";") else { continue }
            let head = LineText(line[..<semicolon]).string.split(separator: ",")
            guard head.count >= 3, let micros = Int64(head[2]) else { continue }
            let origin = EventReader.Origin(
                time: boot.advanced(byMilliseconds: micros / 1_000), isKernel: true, source: "dmesg")
            if let event = EventReader.read(LineText(line[(semicolon + 1)...]), origin) { events.append(event) }
        }
        return events
    }
}
