/// What PM2, php-fpm and supervisord write into log files of their own, which the journal does not have: ends, restarts, full pools.
///
/// Only files that such a process has open now are read, through its own descriptor: no path is guessed, and none that somebody exchanges
/// is followed. O(processes + bytes read); at most 1 MB of the end of each log, of at most 16 logs.
package struct ManagerLogCollector: Collector {
    private let zone: LocalZone

    /// - Parameter zone: the logs' local time.
    package init(zone: LocalZone = LocalZone()) { self.zone = zone }

    /// As `Collector` says.
    package var name: String { "the logs of PM2, php-fpm and supervisord" }
    package var isVolatile: Bool { false }
    package var isHostWide: Bool { true }
    package var isHistory: Bool { true }

    private static let bytesMax = 1 << 20
    private static let logsMax = 16

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet) {
        guard let pids = try? ProcessTable.pids(from: system) else { return }
        var events: [LifeEvent] = [], sources: [String] = []
        for pid in pids where sources.count < Self.logsMax {
            guard let raw = try? system.read("/proc/\(pid)/cmdline", limit: 512),
                let manager = LogManager(title: LineText(raw.map { $0 == 0 ? 32 : $0 }[...]))
            else { continue }
            guard let descriptors = try? system.list("/proc/\(pid)/fd") else {
                evidence.unread.append("no right to read the log of \(manager.rawValue) (process \(pid))")
                continue
            }
            for number in descriptors.prefix(64) {
                let path = "/proc/\(pid)/fd/\(number)"
                guard let target = try? system.link(path), manager.isLog(target), !sources.contains(target) else { continue }
                guard let status = try? system.status(path), status.mode & 0o170000 == 0o100000 else { continue }
                do {
                    let bytes = try system.tail(path, limit: Self.bytesMax)
                    sources.append(target)
                    let cgroup = (try? system.text("/proc/\(pid)/cgroup")).flatMap(ProcessTable.unitCgroup)
                    let unit = cgroup.flatMap(ProcessTable.unit(ofCgroup:))
                    events += parse(bytes, manager, unit: unit, path: target)
                } catch { evidence.unread.append("\(target): \(error.text)") }
            }
        }
        guard !sources.isEmpty else { return }
        let end = subject.until.advanced(byMilliseconds: 5_000)
        let near = events.filter { $0.time >= subject.since && $0.time <= end }
        evidence.managerLogs = .known(near.sorted { $0.time < $1.time }, source: sources.joined(separator: ", "))
    }

    /// The lines that tell something; those without a time are skipped, as the first may be that is cut off.
    func parse(_ bytes: [UInt8], _ manager: LogManager, unit: String?, path: String) -> [LifeEvent] {
        var zone = zone
        return bytes.split(separator: 10).compactMap { line in
            let text = LineText(line.prefix(2_000))
            guard let (local, message) = manager.split(text), let time = zone.timestamp(local) else { return nil }
            let origin = EventReader.Origin(time: time, identifier: manager.rawValue, unit: unit, source: path)
            return EventReader.read(message, origin)
        }
    }
}
