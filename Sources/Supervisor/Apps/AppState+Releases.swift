internal import Machine

extension AppState.Release {
    /// A release of a block as it is now.
    init(number: UInt32, of block: AppSpecification) {
        self.init(number: number, block: block.processFingerprint, base: block, isWhole: true)
    }
}

// The lines of a release in the state file.
extension AppState {
    /// What stands for a value that is not there; a value has an equals sign before it.
    private static let missing = "-"
    private static func optional(_ text: String?) -> String { text.map { "=" + $0 } ?? missing }

    /// A line per fact, in fields.
    static func lines(of release: Release) -> [[String]] {
        var lines = [["release", "\(release.number)", "\(release.block)"]]
        if let base = release.base {
            lines.append(["block_command"] + base.command)
            let watchdog = base.watchdog.map { UInt64(max($0.milliseconds, 0)) }
            let numbers = [base.memoryMax, base.openFilesMax, UInt64(base.creationMask), watchdog]
            lines.append(
                ["block", optional(base.directory), optional(base.user), optional(base.group), base.listen.text]
                    + numbers.map { optional($0.map { "\($0)" }) })
            if !base.environment.isEmpty { lines.append(["block_env"] + base.environment) }
            if !base.environmentFiles.isEmpty { lines.append(["block_env_file"] + base.environmentFiles) }
            if release.isWhole {
                lines.append(["block_times"] + times(of: base))
                if let health = base.health { lines.append(["block_health"] + fields(of: health)) }
            }
            if let log = base.log { lines.append(["block_log", log.path, "\(log.rotateBytes)", "\(log.keep)"]) }
        }
        if let directory = release.directory { lines.append(["directory", directory]) }
        if let command = release.command { lines.append(["command"] + command) }
        if !release.environment.isEmpty { lines.append(["env"] + release.environment) }
        if let files = release.environmentFiles { lines.append(["env_file"] + files) }
        return lines
    }

    private static func fields(of health: AppHealth) -> [String] {
        [health.uri, "\(health.interval.milliseconds)", "\(health.timeout.milliseconds)", "\(health.passes)", "\(health.fails)",
         optional(health.match)]
    }

    /// What needs no new process, but for the check.
    private static func times(of base: AppSpecification) -> [String] {
        let times = [base.startTimeout, base.stopTimeout, base.drainTimeout, base.restart.firstDelay, base.restart.lastDelay]
        return times.map { "\($0.milliseconds)" }
            + ["\(base.stopSignal)", base.restart.condition.rawValue, "\(base.instances)", optional(base.memoryRecycle.map { "\($0)" })]
    }

    /// Takes in a line of the release that was read last; false if it makes no sense.
    mutating func takeRelease(_ kind: String?, _ rest: [String]) -> Bool {
        guard !apps.isEmpty else { return false }
        let app = apps.count - 1
        if kind == "release" {
            guard rest.count == 2, let number = UInt32(rest[0]), let block = UInt64(rest[1]) else { return false }
            apps[app].releases.append(Release(number: number, block: block))
            return true
        }
        guard let last = apps[app].releases.indices.last else { return false }
        switch kind {
        case "directory": apps[app].releases[last].directory = rest.first
        case "command": apps[app].releases[last].command = rest
        case "env": apps[app].releases[last].environment = rest
        case "env_file": apps[app].releases[last].environmentFiles = rest
        case "block_command": apps[app].releases[last].base = AppSpecification(name: apps[app].name, command: rest)
        default: return apps[app].releases[last].takeBlock(kind, rest)
        }
        return true
    }
}

extension AppState.Release {
    /// Takes in a line of the block that the release was made for.
    fileprivate mutating func takeBlock(_ kind: String?, _ rest: [String]) -> Bool {
        guard var base else { return false }
        switch kind {
        case "block":
            let isSound = rest.enumerated().allSatisfy { $0 == 3 || Self.isOptional($1) }
            guard rest.count == 8, isSound, let listen = AppListen(text: rest[3]) else { return false }
            func text(_ index: Int) -> String? { rest[index].first == "=" ? String(rest[index].dropFirst()) : nil }
            func number(_ index: Int) -> UInt64? { text(index).flatMap { UInt64($0) } }
            base.directory = text(0)
            base.user = text(1)
            base.group = text(2)
            base.listen = listen
            base.memoryMax = number(4)
            base.openFilesMax = number(5)
            base.creationMask = UInt32(clamping: number(6) ?? 0)
            base.watchdog = number(7).map { .milliseconds(Int64(clamping: $0)) }
        case "block_times":
            guard rest.count == 9, let signal = Int32(rest[5]), let condition = RestartPolicy.Condition(rawValue: rest[6]),
                let instances = Int(rest[7]), (1...10_000).contains(instances)
            else { return false }
            let times = rest.prefix(5).compactMap { Int64($0) }.map { Duration.milliseconds($0) }
            guard times.count == 5 else { return false }
            (base.startTimeout, base.stopTimeout, base.drainTimeout) = (times[0], times[1], times[2])
            base.restart = RestartPolicy(condition: condition, firstDelay: times[3], lastDelay: times[4])
            (base.stopSignal, base.instances) = (signal, instances)
            base.memoryRecycle = UInt64(rest[8].dropFirst())
            isWhole = true
        case "block_health":
            guard rest.count == 6, let interval = Int64(rest[1]), let timeout = Int64(rest[2]), let passes = Int(rest[3]),
                let fails = Int(rest[4]), Self.isOptional(rest[5])
            else { return false }
            base.health = AppHealth(
                uri: rest[0], interval: .milliseconds(interval), timeout: .milliseconds(timeout), passes: passes, fails: fails,
                match: rest[5] == "-" ? nil : String(rest[5].dropFirst()))
        case "block_env": base.environment = rest
        case "block_env_file": base.environmentFiles = rest
        case "block_log":
            guard rest.count == 3, let rotate = UInt64(rest[1]), let keep = UInt32(rest[2]) else { return false }
            base.log = AppLog(path: rest[0], rotateBytes: rotate, keep: keep)
        default: return false
        }
        self.base = base
        return true
    }

    private static func isOptional(_ field: String) -> Bool { field == "-" || field.first == "=" }
}
