internal import Config
internal import Machine

extension AppSpecification {
    /// Takes over an `app` block of the configuration.
    ///
    /// - Parameter workerUser: Who runs an app without `user` when the supervisor is root.
    init(_ settings: AppSettings, workerUser: String?) {
        let listen: AppListen =
            switch settings.listen {
            case .port: .port
            case .descriptor: .descriptor
            case .unix: .unix
            case .fixed(let address): .fixed(address)
            case .nowhere: .nowhere
            }
        self.init(
            name: settings.name, command: settings.command, instances: settings.instances, listen: listen,
            environment: settings.environment.map { variable in
                variable.value.map { "\(variable.name)=\($0)" } ?? variable.name
            })
        directory = settings.directory
        user = settings.user ?? workerUser
        group = settings.group
        environmentFiles = settings.environmentFiles
        health = settings.health.map { health in
            AppHealth(
                uri: String(decoding: health.uri, as: UTF8.self), interval: .milliseconds(health.interval),
                timeout: .milliseconds(health.timeout), passes: health.passes, fails: health.fails, match: health.match)
        }
        startTimeout = .milliseconds(settings.startTimeout)
        stopSignal = settings.stopSignal
        stopTimeout = .milliseconds(settings.stopTimeout)
        drainTimeout = stopTimeout
        restart = RestartPolicy(
            condition: settings.restart.policy == .always ? .always : settings.restart.policy == .never ? .never : .onFailure,
            firstDelay: .milliseconds(settings.restart.backoffMin), lastDelay: .milliseconds(settings.restart.backoffMax))
        memoryMax = settings.memoryMax.map { UInt64($0) }
        memoryRecycle = settings.memoryRecycle.map { UInt64($0) }
        openFilesMax = settings.fileLimit.map { UInt64($0) }
        creationMask = settings.umask.map { UInt32($0) } ?? 0o022
        watchdog = settings.watchdog.map { .milliseconds($0) }
        log = settings.log.map { AppLog(path: $0.path, rotateBytes: UInt64($0.rotateSize ?? 0), keep: UInt32($0.keep)) }
    }
}
