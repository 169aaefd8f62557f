internal import Config
internal import Machine

// Rolls that were under way when the supervisor before this one died, or handed its apps over.
extension AppSupervisor {
    /// Looks at the roll of a former supervisor whose instances were taken over. One that was committed is settled; of one that was not,
    /// the candidates are withdrawn if the block says something else by now.
    ///
    /// - Returns: The roll to go on with.
    func takeUp(_ roll: AppState.Roll?, app: ManagedApp, _ block: AppSpecification) -> AppState.Roll? {
        guard let roll else { return nil }
        if roll.release == app.machine.activeRelease {
            // What is left of the old instances goes by itself.
            app.rollsFrom = roll.from
            rollEnded(app, release: roll.release, .completed)
            return nil
        }
        guard app.releases[roll.release]?.block == block.processFingerprint else {
            giveUp(roll, app: app, why: "the block was edited")
            return nil
        }
        return roll
    }

    /// Goes on with a roll: candidates that were taken over are proven as if this supervisor had started them. A soak begins anew.
    func goOn(_ app: ManagedApp, _ roll: AppState.Roll, _ block: AppSpecification) {
        guard let release = app.releases[roll.release] else { return }
        host.notice(app: app.name, text: "app \(app.name): the roll to release \(roll.release) goes on", level: .notice)
        app.rollsFrom = roll.from
        let answer = self.roll(app, to: release, soak: .milliseconds(Int64(clamping: roll.soakMilliseconds)))
        if !app.machine.isRolling { app.rollsFrom = nil }
        guard answer != .accepted else { return }
        giveUp(roll, app: app, why: "its slots are taken")
        if !app.runs(block) { app.pendingBlock = block }
    }

    private func giveUp(_ roll: AppState.Roll, app: ManagedApp, why: String) {
        host.notice(app: app.name, text: "app \(app.name): the roll to release \(roll.release) is given up, \(why)", level: .warning)
        act(app) { machine, now, actions in machine.withdrawCandidates(now: now, actions: &actions) }
    }
}
