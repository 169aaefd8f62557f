internal import Config

extension AppSpecification {
    /// What a reload has to do for an app whose block was edited.
    package enum Change: Hashable, Sendable {
        /// The block says the same.
        case none
        /// Scale, check, timeouts, restart policy: applied to the running instances.
        case live
        /// Something that only a new process can take up: a rolling deploy.
        case deploy
    }

    /// Compares the block as it runs (`self`) with the block as it now stands.
    package func change(to new: AppSpecification) -> Change {
        if self == new { return .none }
        return processPart == new.processPart ? .live : .deploy
    }

    /// This specification with everything reset that can be changed without a new process.
    private var processPart: AppSpecification {
        var part = self
        part.instances = 1
        part.health = nil
        part.startTimeout = .zero
        part.stopTimeout = .zero
        part.drainTimeout = .zero
        part.stopSignal = 0
        part.restart = RestartPolicy()
        part.memoryRecycle = nil
        return part
    }

    /// This specification with everything of another one that only a new process can take up.
    package func withProcessPart(of other: AppSpecification) -> AppSpecification {
        var result = other
        result.instances = instances
        result.health = health
        result.startTimeout = startTimeout
        result.stopTimeout = stopTimeout
        result.drainTimeout = drainTimeout
        result.stopSignal = stopSignal
        result.restart = restart
        result.memoryRecycle = memoryRecycle
        return result
    }

    /// How what this one starts differs from what a block starts, one text each. Variables by name only: their values may be secrets.
    package func differences(from block: AppSpecification) -> [String] {
        var list: [String] = []
        func add(_ name: String, _ value: String?, _ other: String?) {
            if value != other { list.append(value.map { "\(name) \($0)" } ?? "no \(name)") }
        }
        if command != block.command { list.append("command " + command.joined(separator: " ")) }
        add("directory", directory, block.directory)
        add("user", user, block.user)
        add("group", group, block.group)
        func name(_ variable: String) -> Substring { variable.prefix { $0 != "=" } }
        for variable in environment where !block.environment.contains(variable) { list.append("env \(name(variable))") }
        for variable in block.environment where !environment.contains(where: { name($0) == name(variable) }) {
            list.append("no env \(name(variable))")
        }
        for file in environmentFiles where !block.environmentFiles.contains(file) { list.append("env_file \(file)") }
        for file in block.environmentFiles where !environmentFiles.contains(file) { list.append("no env_file \(file)") }
        add("listen", listen.text, block.listen.text)
        add("memory_max", memoryMax.map { "\($0)" }, block.memoryMax.map { "\($0)" })
        add("nofile", openFilesMax.map { "\($0)" }, block.openFilesMax.map { "\($0)" })
        add("umask", String(creationMask, radix: 8), String(block.creationMask, radix: 8))
        add("watchdog", watchdog.map { "\($0)" }, block.watchdog.map { "\($0)" })
        add("log", log?.path, block.log?.path)
        return list
    }

    /// A number that stays the same, across versions of this program too, as long as no change needs a new process.
    /// Kept in the state file, to see after a restart of the supervisor whether a block was edited meanwhile.
    package var processFingerprint: UInt64 {
        var parts = [name, "command"] + command
        parts += ["directory", directory ?? "-", "user", user ?? "-", "group", group ?? "-", "env"] + environment
        parts += ["env_file"] + environmentFiles
        parts.append("listen \(listen.text)")
        parts += ["\(memoryMax ?? 0) \(openFilesMax ?? 0) \(creationMask) \(watchdog.map { "\($0)" } ?? "-")"]
        parts += [log.map { "\($0.path) \($0.rotateBytes) \($0.keep)" } ?? "-"]
        // With a byte behind each part that none of them contains.
        return parts.flatMap { Array($0.utf8) + [0xFF] }.fingerprint
    }
}
