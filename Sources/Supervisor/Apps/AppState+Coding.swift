internal import Machine

// The state file: a line per fact, fields separated by spaces and escaped by %XX, a checksum at the end. Not JSON: it
// is read by the privileged process before anything else works, and every line can be checked by itself.
extension AppState {
    /// Why a file is not used.
    enum Damage: Error, Equatable {
        case empty
        /// Not ours, or of another version.
        case foreign
        /// The checksum does not match: a half-written or damaged file.
        case checksum
        case line(Int)
    }

    private static let title = "goodgate apps 1"
    private static let savePrefix = "save:"

    /// The content of the file.
    var encoded: [UInt8] {
        var text = Self.title + "\n"
        func line(_ fields: [String]) { text += fields.map(Self.escaped).joined(separator: " ") + "\n" }
        // Versions that do not know of it take this for a boot, and then the one that follows.
        if save > 0 { line(["boot", "\(Self.savePrefix)\(save)"]) }
        line(["boot", boot])
        for app in apps {
            line([
                "app", app.name, "\(app.activeRelease)", "\(app.nextSerial)", app.isRunning ? "1" : "0",
                app.scale.map { "\($0)" } ?? "-", "\(app.lastRelease)", app.previousRelease.map { "\($0)" } ?? "-",
            ])
            if let roll = app.roll {
                line(["roll", "\(roll.release)", roll.from.map { "\($0)" } ?? "-", "\(roll.soakMilliseconds)"])
            }
            for release in app.releases { for fields in Self.lines(of: release) { line(fields) } }
            for instance in app.instances {
                line([
                    "instance", "\(instance.slot)", "\(instance.serial)", "\(instance.release)", "\(instance.process)",
                    "\(instance.startTicks)", instance.address, instance.isReady ? "1" : "0", "\(instance.restarts)",
                ] + instance.cgroups)
                if let exit = instance.lastExit { line(Self.fields(of: exit)) }
            }
        }
        return Array(text.utf8) + Array("end \(text.utf8.fingerprint)\n".utf8)
    }

    /// Reads a file.
    init(decoding bytes: [UInt8]) throws(Damage) {
        guard !bytes.isEmpty else { throw .empty }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(Self.title + "\n") else { throw .foreign }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.removeLast().isEmpty, let end = lines.popLast() else { throw .checksum }
        let body = lines.joined(separator: "\n") + "\n"
        guard end == "end \(body.utf8.fingerprint)" else { throw .checksum }
        boot = ""
        for (index, line) in lines.enumerated().dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false).map(Self.unescaped)
            guard take(fields) else { throw .line(index + 1) }
        }
    }

    /// Takes in one line; false if it makes no sense.
    private mutating func take(_ fields: [String]) -> Bool {
        let rest = Array(fields.dropFirst())
        switch fields.first {
        case "boot":
            guard rest.count == 1 else { return false }
            guard rest[0].hasPrefix(Self.savePrefix) else {
                boot = rest[0]
                return true
            }
            guard let number = UInt64(rest[0].dropFirst(Self.savePrefix.count)) else { return false }
            save = number
        case "app":
            guard rest.count == 7, let release = UInt32(rest[1]), let serial = UInt32(rest[2]), let last = UInt32(rest[5])
            else { return false }
            let scale = Int(rest[4])
            guard rest[4] == "-" || (1...10_000).contains(scale ?? 0) else { return false }
            apps.append(
                App(
                    name: rest[0], activeRelease: release, nextSerial: serial, isRunning: rest[3] == "1", scale: scale,
                    lastRelease: last, previousRelease: UInt32(rest[6])))
        case "roll":
            guard rest.count == 3, !apps.isEmpty, let release = UInt32(rest[0]), let soak = UInt64(rest[2]) else { return false }
            apps[apps.count - 1].roll = Roll(release: release, from: UInt32(rest[1]), soakMilliseconds: soak)
        case "instance":
            guard rest.count >= 8, !apps.isEmpty, let slot = Int(rest[0]), (0..<10_000).contains(slot),
                let serial = UInt32(rest[1]), let release = UInt32(rest[2]), let process = Int32(rest[3]),
                let ticks = UInt64(rest[4]), let restarts = UInt64(rest[7])
            else { return false }
            apps[apps.count - 1].instances.append(
                Instance(
                    slot: slot, serial: serial, release: release, process: process, startTicks: ticks, address: rest[5],
                    isReady: rest[6] == "1", restarts: restarts, cgroups: Array(rest.dropFirst(8))))
        case "last_exit":
            guard let app = apps.indices.last, let last = apps[app].instances.indices.last, let exit = Self.exit(rest) else { return false }
            apps[app].instances[last].lastExit = exit
        default: return takeRelease(fields.first, rest)
        }
        return true
    }

    private static func fields(of exit: InstanceExit) -> [String] {
        let (kind, number) =
            switch exit.cause {
            case .status(let status): ("status", status)
            case .signal(let signal): ("signal", signal)
            case .unknown: ("unknown", 0)
            }
        return ["last_exit", kind, "\(number)", exit.hasCore ? "1" : "0", "\(exit.outOfMemoryKills)"]
    }

    private static func exit(_ fields: [String]) -> InstanceExit? {
        guard fields.count == 4, let number = Int32(fields[1]), let kills = UInt32(fields[3]) else { return nil }
        let cause: InstanceExit.Cause
        switch fields[0] {
        case "status": cause = .status(number)
        case "signal": cause = .signal(number)
        case "unknown": cause = .unknown
        default: return nil
        }
        return InstanceExit(cause: cause, hasCore: fields[2] == "1", outOfMemoryKills: kills)
    }

    /// Letters, digits and harmless signs stand for themselves; an empty field is a lone % (that of a text is %25).
    static func escaped(_ field: String) -> String {
        if field.isEmpty { return "%" }
        var result = ""
        for byte in field.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    static func unescaped(_ field: Substring) -> String {
        if field == "%" { return "" }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
