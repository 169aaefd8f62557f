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
