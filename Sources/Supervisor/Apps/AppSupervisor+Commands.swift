package import Machine
package import Messages

/// What `goodgate app …`, `deploy` and `rollback` order.
extension AppSupervisor {
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
    package func deploy(app name: String, _ order: DeployOrder) -> (answer: AppMachine.Answer, release: UInt32) {
        guard let app = apps[name] else { return (.refused, 0) }
        let number = app.lastRelease + 1
        var release = AppState.Release(number: number, of: app.block)
        release.command = order.command
        release.directory = order.directory
        release.environment = order.environment
        release.environmentFiles = order.environmentFiles
        return (self.order(app, to: release, soak: .milliseconds(Int64(order.soakMilliseconds))), number)
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
        let before = app.machine.activeRelease
        // Of a stopped app it is over at once. One that is under way goes on, or ends now, from where it began.
        if !app.machine.isRolling { app.rollsFrom = before }
        let answer = roll(app, to: release, soak: soak)
        if !app.machine.isRolling {
            app.rollsFrom = nil
        } else if answer == .accepted {
            app.rollsFrom = before
        }
        settle()
        return answer
    }

    /// Stops all apps, for the end of the program. They start again with the next one.
    package func stopAll() {
        save(isLast: true)
        isEnding = true
        for app in apps.values { act(app) { machine, now, actions in machine.stop(now: now, actions: &actions) } }
        settle()
    }

    /// Kills what is being stopped.
    package func killAll() {
        for app in apps.values { act(app) { machine, now, actions in machine.kill(now: now, actions: &actions) } }
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
