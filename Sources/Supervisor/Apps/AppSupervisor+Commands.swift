package import Machine

/// What `goodgate app …`, `deploy` and `rollback` order.
extension AppSupervisor {
    /// What a deploy changes against the block; nil: as the block says.
    package struct Deploy: Equatable, Sendable {
        /// Program and arguments.
        package var command: [String]?
        /// Working directory.
        package var directory: String?
        /// `NAME=VALUE`, on top of the block's.
        package var environment: [String]
        /// Instead of the block's.
        package var environmentFiles: [String]?
        /// How long the first new instance serves a slice of the traffic.
        package var soak: Duration

        /// Makes an order.
        package init(
            command: [String]? = nil, directory: String? = nil, environment: [String] = [],
            environmentFiles: [String]? = nil, soak: Duration = .seconds(10)
        ) {
            self.command = command
            self.directory = directory
            self.environment = environment
            self.environmentFiles = environmentFiles
            self.soak = soak
        }
    }

    /// Starts an app that is stopped, or whose next start is due later.
    package func start(app: String) -> AppMachine.Answer {
        command(app) { machine, now, actions in
            machine.start(now: now, actions: &actions)
            return .accepted
        }
    }

    /// Stops an app; it stays so over restarts of the supervisor.
    package func stop(app: String) -> AppMachine.Answer {
        command(app) { machine, now, actions in
            machine.stop(now: now, actions: &actions)
            return .accepted
        }
    }

    /// Replaces all its instances one after the other; env_file is read again.
    package func restart(app: String) -> AppMachine.Answer {
        command(app) { machine, now, actions in machine.restart(now: now, actions: &actions) }
    }

    /// Sets its number of instances until the block is edited.
    package func scale(app: String, to count: Int) -> AppMachine.Answer {
        let answer = command(app) { machine, now, actions in machine.scale(to: count, now: now, actions: &actions) }
        if answer == .accepted { apps[app]?.scale = count }
        return answer
    }

    /// Brings a new release; the report `rollEnded` tells how it went.
    ///
    /// - Returns: The number of the release, if the deploy began.
    package func deploy(app name: String, _ deploy: Deploy) -> (answer: AppMachine.Answer, release: UInt32) {
        guard let app = apps[name] else { return (.refused, 0) }
        let number = app.lastRelease + 1
        let release = AppState.Release(
            number: number, block: app.block.processFingerprint, command: deploy.command, directory: deploy.directory,
            environment: deploy.environment, environmentFiles: deploy.environmentFiles)
        return (order(app, to: release, soak: deploy.soak), number)
    }

    /// Goes back to the release before the active one.
    package func rollback(app name: String) -> (answer: AppMachine.Answer, release: UInt32) {
        guard let app = apps[name], let number = app.previousRelease, let release = app.releases[number],
            number != app.machine.activeRelease
        else { return (.refused, 0) }
        return (order(app, to: release, soak: .zero), number)
    }

    /// Begins a roll that somebody ordered, and notes what it began from.
    private func order(_ app: ManagedApp, to release: AppState.Release, soak: Duration) -> AppMachine.Answer {
        let former = app.rollsFrom
        let before = app.machine.activeRelease
        // Of a stopped app it is over at once.
        app.rollsFrom = before
        let answer = roll(app, to: release, soak: soak)
        // A roll that this one put an end to has cleared it.
        app.rollsFrom = answer == .accepted ? (app.machine.isRolling ? before : nil) : former
        settle()
        return answer
    }

    /// Stops all apps, for the end of the program. They start again with the next one.
    package func stopAll() {
        save()
        isEnding = true
        for app in apps.values { act(app) { machine, now, actions in machine.stop(now: now, actions: &actions) } }
        settle()
    }

    private func command(
        _ name: String, _ body: (inout AppMachine, Duration, inout [AppAction]) -> AppMachine.Answer
    ) -> AppMachine.Answer {
        guard let app = apps[name] else { return .refused }
        var answer = AppMachine.Answer.refused
        act(app) { machine, now, actions in answer = body(&machine, now, &actions) }
        changed(within: .zero)
        settle()
        return answer
    }
}
