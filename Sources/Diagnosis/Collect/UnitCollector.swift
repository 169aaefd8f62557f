/// Properties of systemd's services.
package struct UnitCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "systemd units" }
    package var isVolatile: Bool { false }
    package var isHostWide: Bool { true }

    static let properties = [
        "Id", "ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus", "NRestarts", "ExecMainExitTimestamp",
        "ActiveEnterTimestamp", "MemoryMax", "MemoryLimit", "ControlGroup", "ExecStart", "Environment", "KillSignal",
        "TimeoutStopUSec", "Restart", "RuntimeDirectory", "FragmentPath", "Type", "KillMode", "RestrictAddressFamilies",
        "IPAddressDeny",
    ].joined(separator: ",")

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        do {
            // Loaded ones by pattern; those that were never started, by name from their files.
            var output = try system.run(
                ["systemctl", "show", "*.service", "-p", Self.properties, "--no-pager"], deadline: subject.commandsMax,
                limit: 16 << 20)
            var known = Self.parse(output)
            let names = Set(known.map(\.name))
            let files = subject.isOfHost ? Self.allFiles(system) : Self.files(naming: subject.peer, system)
            let missing = files.filter { !names.contains($0) && !$0.contains("@") }
            if !missing.isEmpty {
                output =
                    (try? system.run(
                        ["systemctl", "show"] + missing.prefix(500) + ["-p", Self.properties, "--no-pager"],
                        deadline: subject.commandsMax, limit: 16 << 20)) ?? []
                known += Self.parse(output).filter { !names.contains($0.name) }
            }
            evidence.units = .known(known, source: "systemctl show")
        } catch {
            evidence.units = .unavailable(
                why: error.errorNumber == 2
                    ? "systemctl is not there" : error.errorNumber == -1 ? "systemd does not answer" : error.text)
        }
    }

    /// Services that have a file. Takes systemd a second.
    private static func allFiles(_ system: some SystemReader) -> [String] {
        let command = ["systemctl", "list-unit-files", "--type=service", "--no-legend", "--plain", "--no-pager"]
        guard let output = try? system.run(command, deadline: 20_000, limit: 1 << 20) else { return [] }
        return output.split(separator: 10).compactMap { LineText($0).fields(1).first?.string }
    }

    private static let folders = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    /// Services whose file, or a part of it in a folder beside it, says something of a peer: only those may be its backend. Quick, as a
    /// failure of now waits for it.
    private static func files(naming peer: PeerAddress?, _ system: some SystemReader) -> [String] {
        guard let word = peer?.port.map({ "\($0)" }) ?? peer?.path else { return [] }
        // RuntimeDirectory=app makes /run/app.
        let made = word.hasPrefix("/run/") ? word.split(separator: "/").dropFirst().dropLast() : []
        func isNamed(_ text: String) -> Bool {
            if text.contains(word) { return true }
            guard !made.isEmpty else { return false }
            return text.split(separator: "\n").contains { $0.hasPrefix("RuntimeDirectory=") && made.contains(where: $0.contains) }
        }
        var found: Set<String> = []
        for folder in folders {
            for name in (try? system.list(folder)) ?? [] {
                let service = name.hasSuffix(".d") ? String(name.dropLast(2)) : name
                guard service.hasSuffix(".service"), !found.contains(service) else { continue }
                let parts = name == service ? [name] : ((try? system.list("\(folder)/\(name)")) ?? []).map { "\(name)/\($0)" }
                let texts = parts.lazy.compactMap { try? system.text("\(folder)/\($0)") }
                if texts.contains(where: isNamed) { found.insert(service) }
            }
        }
        return found.sorted()
    }

    /// Blocks of `Name=value` lines, parted by empty lines.
    package static func parse(_ output: [UInt8]) -> [UnitState] {
        var units: [UnitState] = [], current: UnitState?
        for line in (output + [10, 10]).split(separator: 10, omittingEmptySubsequences: false) {
            if line.isEmpty {
                if let unit = current, !unit.name.isEmpty { units.append(unit) }
                current = nil
                continue
            }
            let text = String(decoding: line, as: UTF8.self)
            guard let equals = text.firstIndex(of: "=") else { continue }
            if current == nil { current = UnitState(name: "") }
            set(&current!, String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
        return units
    }

    private static func set(_ unit: inout UnitState, _ name: String, _ value: String) {
        switch name {
        case "Id": unit.name = value
        case "ActiveState": unit.activeState = value
        case "SubState": unit.subState = value
        case "Result": unit.result = value
        case "ExecMainCode": unit.mainCode = Int(value) ?? 0
        case "ExecMainStatus": unit.mainStatus = Int(value) ?? 0
        case "NRestarts": unit.restarts = Int(value) ?? 0
        case "ExecMainExitTimestamp": unit.mainExited = time(value)
        case "ActiveEnterTimestamp": unit.activeSince = time(value)
        case "MemoryMax", "MemoryLimit": if let limit = UInt64(value), limit < 1 << 62 { unit.memoryMax = limit }
        case "ControlGroup": unit.controlGroup = value
        case "ExecStart": unit.execStart = command(value)
        case "Environment": unit.environment = value
        case "KillSignal": unit.killSignal = Int(value) ?? 15
        case "TimeoutStopUSec": unit.timeoutStop = duration(value)
        case "Restart": unit.restart = value
        case "RuntimeDirectory": unit.runtimeDirectory = value
        case "FragmentPath": unit.fragmentPath = value
        case "Type": unit.type = value
        case "KillMode": unit.killMode = value
        case "RestrictAddressFamilies": unit.addressFamilies = value
        case "IPAddressDeny": unit.addressDeny = value
        default: break
        }
    }

    /// `{ path=/x ; argv[]=/x --port 3000 ; ignore_errors=no ; … }` to the arguments.
    private static func command(_ value: String) -> String {
        LineText(value).between("argv[]=", " ; ")?.string ?? value
    }

    /// `Sun 2026-11-22 10:00:03 UTC`; systemctl is run with TZ=UTC.
    package static func time(_ value: String) -> Timestamp? {
        let parts = value.split(separator: " ")
        guard parts.count >= 3 else { return nil }
        let date = parts[1].split(separator: "-").compactMap { Int($0) },
            clock = parts[2].split(separator: ":").compactMap { Int($0) }
        guard date.count == 3, clock.count == 3 else { return nil }
        return CivilTime(
            year: date[0], month: date[1], day: date[2], hour: clock[0], minute: clock[1], second: clock[2]
        )
        .secondsIfUTC.map { Timestamp(seconds: $0) }
    }

    /// `1min 30s`, `500ms`, `infinity` to milliseconds; nil: no limit or not understood.
    package static func duration(_ value: String) -> Int64? {
        var total: Int64 = 0
        for part in value.split(separator: " ") {
            let digits = part.prefix { $0.isNumber || $0 == "." }
            guard let number = Double(digits), number < 1e9, total < 1 << 50 else { return nil }
            switch part.dropFirst(digits.count) {
            case "us": total += Int64(number / 1_000)
            case "ms": total += Int64(number)
            case "s", "": total += Int64(number * 1_000)
            case "min": total += Int64(number * 60_000)
            case "h": total += Int64(number * 3_600_000)
            case "d": total += Int64(number * 86_400_000)
            default: return nil
            }
        }
        return total
    }
}
