internal import Config
package import Machine

/// Configurations and releases.
extension AppSupervisor {
    /// Puts the `app` blocks of a configuration in force: at the start, and at each reload.
    ///
    /// Unchanged apps are not touched. What needs a new process becomes a roll, the rest applies at once. Apps that are
    /// gone are stopped. At the start, running instances of a former supervisor are taken over.
    ///
    /// - Parameters:
    ///   - blocks: One per app, names unique.
    ///   - kept: Apps that go on although no block names them: workers of before still have requests for them.
    /// - Returns: Whether it was done. false: another supervisor has the apps of the state directory (the old binary
    ///   during an upgrade); it is done as soon as that one lets go of them.
    @discardableResult
    package func configure(_ blocks: [AppSpecification], keeping kept: Set<String> = []) -> Bool {
        guard takeLock(for: blocks) else { return false }
        let isFirst = apps.isEmpty
        let found = isFirst ? findKeepers() : []
        let saved = isFirst ? loadState(isExpected: !found.isEmpty) : []
        for block in blocks {
            if let app = apps[block.name] {
                app.isKept = false
                change(app, to: block)
                comeBack(app)
            } else {
                let mine = found.filter { $0.app == AppDirectories.fileName(block.name)[...] }
                add(block, saved: record(of: block.name, in: saved, found: mine), found: mine)
            }
        }
        let names = Set(blocks.map(\.name))
        for app in Array(apps.values) where !names.contains(app.name) && !app.isRemoved {
            if kept.contains(app.name), !blocks.contains(where: { $0.listen == app.block.listen && !$0.listen.allowsTwo }) {
                keep(app)
            } else {
                remove(app)
            }
        }
        endStrangers(found, known: names)
        if isFirst { host.tookOver(apps.mapValues { Set($0.instances.keys) }) }
        if apps.values.contains(where: \.watchesMemory) {
            sampleAt = earlier(sampleAt, host.now + Self.sampleInterval)
        }
        settle()
        save()
        return true
    }

    /// The block of an app is gone, and its last request is not.
    private func keep(_ app: ManagedApp) {
        guard !app.isKept else { return }
        app.isKept = true
        host.notice(
            app: app.name, text: "app \(app.name) is in no block any more: it is stopped when the workers of before have ended",
            level: .notice)
    }

    /// Its block is gone.
    private func remove(_ app: ManagedApp) {
        app.isRemoved = true
        app.wasRunning = app.machine.isRunning
        app.pendingBlock = nil
        act(app) { machine, now, actions in machine.stop(now: now, actions: &actions) }
    }

    /// Its block is there again before it has ended.
    private func comeBack(_ app: ManagedApp) {
        guard app.isRemoved else { return }
        app.isRemoved = false
        if app.wasRunning { act(app) { machine, now, actions in machine.start(now: now, actions: &actions) } }
    }

    /// Makes sure that this is the only supervisor of the apps, or remembers to try again.
    private func takeLock(for blocks: [AppSpecification]) -> Bool {
        let isFirstTry = waitingBlocks == nil
        waitingBlocks = nil
        if lock != nil { return true }
        do throws(SystemError) {
            lock = try directories.lock()
            return true
        } catch {
            waitingBlocks = blocks
            retryAt = host.now + Self.lockInterval
            guard isFirstTry else { return false }
            host.notice(
                app: "", text: "apps are not started yet: another supervisor has them (\"\(directories.root)/lock\" \(error.text))",
                level: .warning)
            return false
        }
    }

    private func loadState(isExpected: Bool) -> [AppDirectories.SavedState] {
        let states = directories.load(isExpected: isExpected) { [host] text in host.notice(app: "", text: text, level: .warning) }
        saves = states.map(\.state.save).max() ?? 0
        return states
    }

    /// What the files say of an app: the newer one, unless a release runs that is newer than all that this one knows of.
    private func record(of name: String, in states: [AppDirectories.SavedState], found: [FoundKeeper]) -> AppState.App? {
        let records = states.map { states in states.state.apps.first { $0.name == name } }
        let record = records.first ?? nil
        let running = found.filter { $0.state.phase == .running }.map(\.release).max() ?? 0
        guard let path = states.first?.path, running > record?.lastRelease ?? 0 else { return record }
        var text = "app \(name): release \(running) runs, of which state file \"\(path)\" does not know"
        if let index = records.firstIndex(where: { $0?.releases.contains { $0.number == running } ?? false }) {
            host.notice(app: name, text: text + ": it is older, \"\(states[index].path)\" is used", level: .warning)
            return records[index]
        }
        text += record.map {
            ", and nothing else says what it is: release \($0.activeRelease) replaces it. Deploy once more what is to run"
        }
            ?? ": it is taken for what the block says"
        host.notice(app: name, text: text, level: .warning)
        return record
    }

    private func add(_ block: AppSpecification, saved: AppState.App?, found mine: [FoundKeeper]) {
        let fingerprint = block.processFingerprint
        let serials = mine.map { $0.key.serial &+ 1 }
        let first = max(saved?.nextSerial ?? 1, serials.max() ?? 1)
        let releases = saved?.releases ?? [AppState.Release(number: mine.map(\.release).max() ?? 1, of: block)]
        let active = saved?.activeRelease ?? releases.last?.number ?? 1
        // The machine goes by what runs: a watchdog, say, is a part of the process.
        var specification = releases.first { $0.number == active }?.applied(to: block) ?? block
        if let scale = saved?.scale { specification.instances = scale }
        let app = ManagedApp(
            name: block.name, block: block,
            machine: AppMachine(specification: specification, release: active, nextSerial: first))
        app.scale = saved?.scale
        for release in releases { app.add(release) }
        app.lastRelease = max(app.lastRelease, saved?.lastRelease ?? 0)
        app.previousRelease = saved?.previousRelease
        apps[block.name] = app
        for keeper in Self.inOrder(mine, active: active, saved: saved) { adopt(keeper, saved: saved, app: app) }
        let isEdited = app.releases[active].map { $0.block != fingerprint } ?? false
        if saved?.isRunning == false {
            // What was still on its way out goes on its way.
            act(app) { machine, now, actions in machine.stop(now: now, actions: &actions) }
            if isEdited { app.pendingBlock = block }
            return
        }
        let unfinished = takeUp(saved?.roll, app: app, block)
        act(app) { machine, now, actions in
            // With an edited block, the running instances serve until the new release has proven itself; without any,
            // the old release would only be started to be replaced.
            if isEdited, !machine.hasCurrent, !machine.hasCandidate { return }
            machine.start(now: now, actions: &actions)
        }
        if let unfinished {
            goOn(app, unfinished, block)
        } else if isEdited {
            beginRoll(app, to: block)
        } else {
            app.isMixed = true
        }
        act(app) { machine, now, actions in machine.start(now: now, actions: &actions) }
    }

    private func change(_ app: ManagedApp, to block: AppSpecification) {
        let isComing = app.runs(block) || app.rolls(to: block)
        // A block that waits is not what the file says any more, unless it is this one.
        let isSettled = isComing || app.pendingBlock == nil
        app.pendingBlock = nil
        switch app.block.change(to: block) {
        case .none where isSettled: break
        // One that was refused is tried again: what changed may be what it lacked. The second: back to what runs, after such an edit.
        case .live where isComing,
            .deploy where !app.machine.isRolling && app.runs(block):
            if block.instances != app.block.instances { app.scale = nil }
            app.block = block
            if app.runs(block) { app.refusedBlock = nil }
            for release in app.releases.values { app.add(release) }
            let specification = app.scaled(app.machine.activeRelease)
            let incoming = app.rollsTo.map { app.scaled($0) }
            act(app) { machine, now, actions in machine.update(specification, incoming: incoming, now: now, actions: &actions) }
            let ready = Set(app.machine.snapshots.filter { $0.phase == .ready }.map(\.key))
            for (key, instance) in app.instances { followHealth(of: instance, app: app, isReady: ready.contains(key)) }
        case .none, .live, .deploy: beginRoll(app, to: block)
        }
        if !app.machine.isRunning, !app.isRemoved { changed() }
    }

    /// Brings an edited block, or remembers it until what is in the way is over.
    func beginRoll(_ app: ManagedApp, to block: AppSpecification) {
        guard !app.machine.isBusy else {
            app.pendingBlock = block
            return
        }
        let release = next(app, block)
        if !isOnlyListen(app, block) || block.instances != app.block.instances { app.scale = nil }
        app.block = block
        if roll(app, to: release, soak: .zero) == .busy { app.pendingBlock = block }
    }

    /// The release that an edited block makes. What was deployed stays if nobody edited it: an upstream began or ceased to use the app.
    private func next(_ app: ManagedApp, _ block: AppSpecification) -> AppState.Release {
        var release = AppState.Release(number: app.lastRelease + 1, of: block)
        if isOnlyListen(app, block), let active = app.releases[app.machine.activeRelease] {
            release.command = active.command
            release.directory = active.directory
            release.environment = active.environment
            release.environmentFiles = active.environmentFiles
        }
        return release
    }

    /// Whether a block differs from what runs only in the `listen` that it has because upstreams use the app, or do not.
    private func isOnlyListen(_ app: ManagedApp, _ block: AppSpecification) -> Bool {
        guard block.listen == .nowhere || block.listen == .port else { return false }
        var former = block
        former.listen = block.listen == .nowhere ? .port : .nowhere
        return app.runs(former)
    }

    /// Begins a roll to a release.
    ///
    /// - Returns: What came of it: whoever ordered it is told, a block waits until it is accepted.
    func roll(_ app: ManagedApp, to release: AppState.Release, soak: Duration) -> AppMachine.Answer {
        let isKnown = app.releases[release.number] != nil
        if !isKnown { app.add(release) }
        // A roll that this one supersedes ends first, and forgets what it does not need.
        app.rollsTo = release.number
        app.rollSoak = soak
        let specification = app.scaled(release.number)
        var answer = AppMachine.Answer.refused
        act(app) { machine, now, actions in
            answer = machine.deploy(specification, release: release.number, soak: soak, now: now, actions: &actions)
        }
        if !app.machine.isRolling { app.rollsTo = nil }
        if answer != .accepted, !isKnown { app.keepReleases { $0 != release.number } }
        // The next supervisor is to know of it, however soon it comes.
        changed(within: .zero)
        return answer
    }

    /// Remembers what a roll came to.
    func rollEnded(_ app: ManagedApp, release: UInt32, _ result: AppReport.RollResult) {
        let active = app.machine.activeRelease
        if app.rollsTo == release { app.rollsTo = nil }
        // The next save is the first that may fail.
        if release == active, app.unsavedRoll == nil { app.unsavedRoll = ManagedApp.UnsavedRoll(release: release, isCommitted: false) }
        // Only what really ran can be gone back to: a deploy that failed leaves the release before the active one as it is.
        if let before = app.rollsFrom, before != active { app.previousRelease = before }
        app.rollsFrom = nil
        // With an edited block, what was before is history: the file does not say it any more.
        let block = app.releases[active]?.block
        if let before = app.previousRelease, app.releases[before]?.block != block { app.previousRelease = nil }
        // The active one and its predecessor are kept; the report comes after the commit.
        app.keepReleases { number in
            [active, app.previousRelease, app.rollsTo].contains(number) || app.instances.values.contains { $0.release == number }
        }
        // The app was stopped before the edited block had come into force: now it can at once, for the next start.
        if result == .cancelled, !app.machine.isRunning, !app.runs(app.block), app.pendingBlock == nil { app.pendingBlock = app.block }
        // Who ordered it is told now, and may rely on it from now on.
        changed(within: .zero)
    }

    /// After all events are handled: what has to wait for a quiet moment.
    func finishApp(_ app: ManagedApp) {
        // What is being stopped for good needs no block; if its own comes back, that one is looked at then.
        if let block = app.pendingBlock, !app.machine.isBusy, !app.isRemoved, !isEnding { change(app, to: block) }
        if app.isMixed, !app.machine.isBusy {
            app.isMixed = false
            act(app) { machine, now, actions in machine.completeRoll(now: now, actions: &actions) }
        }
        if app.isRemoved, app.machine.isGone {
            for listener in app.listeners.values.flatMap({ $0 }) { ports.release(listener.port) }
            host.outlook(app: app.name, .down)
            apps[app.name] = nil
            changed()
        }
    }

    // MARK: - The soak of a deploy

    func beginSoak(_ app: ManagedApp, until: Duration) {
        var baseline = ManagedApp.SoakBaseline(until: until, nextAt: host.now + Self.soakInterval)
        for (key, instance) in app.instances {
            if let address = instance.address {
                baseline.counts[key] = host.counts(app: app.name, instance: key, address: address)
            }
        }
        app.soak = baseline
    }

    /// Compares candidate and others since the soak began.
    func sampleSoak(_ app: ManagedApp) {
        guard let baseline = app.soak else { return }
        let now = host.now
        if baseline.until <= now { app.soak = nil } else { app.soak?.nextAt = min(now + Self.soakInterval, baseline.until) }
        var comparison = SoakComparison()
        for snapshot in app.machine.snapshots {
            guard let instance = app.instances[snapshot.key], let address = instance.address else { continue }
            let now = host.counts(app: app.name, instance: snapshot.key, address: address)
            // One that came meanwhile may have a place on the board which another one had before.
            guard let start = baseline.counts[snapshot.key] else {
                app.soak?.counts[snapshot.key] = now
                continue
            }
            let requests = now.requests - min(start.requests, now.requests)
            let failures = now.failures - min(start.failures, now.failures)
            if snapshot.role == .candidate {
                comparison.new = .init(requests: comparison.new.requests + requests, failures: comparison.new.failures + failures)
            } else {
                comparison.old = .init(requests: comparison.old.requests + requests, failures: comparison.old.failures + failures)
            }
        }
        act(app) { machine, now, actions in machine.recordSoak(comparison, now: now, actions: &actions) }
    }
}
