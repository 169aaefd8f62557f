internal import Config
package import Machine

/// The state file and what status commands show.
extension AppSupervisor {
    /// Writes the state now. A failure costs a warning: the apps run on.
    ///
    /// - Parameter isLast: All apps are about to be stopped: nobody goes on with a roll that is not committed.
    package func save(isLast: Bool = false) {
        saveAt = nil
        // Without the lock the file is another supervisor's.
        guard !isEnding, lock != nil else { return }
        var state = AppState(boot: boot)
        for app in apps.values.sorted(by: { $0.name < $1.name }) where !app.isRemoved {
            var record = AppState.App(
                name: app.name, activeRelease: app.machine.activeRelease, nextSerial: app.machine.serialToUse,
                isRunning: app.machine.isRunning, scale: app.scale, lastRelease: app.lastRelease,
                previousRelease: app.previousRelease)
            record.roll = app.roll.flatMap { isLast && $0.release != app.machine.activeRelease ? nil : $0 }
            record.releases = app.releases.values.sorted { $0.number < $1.number }
            for snapshot in app.machine.snapshots {
                guard let instance = app.instances[snapshot.key], instance.process > 0, !instance.isEmptied else { continue }
                record.instances.append(
                    AppState.Instance(
                        slot: snapshot.key.slot, serial: snapshot.key.serial, release: snapshot.release,
                        process: instance.process, startTicks: instance.state?.appStartTicks ?? 0,
                        address: instance.address?.listenKey ?? "", isReady: snapshot.phase == .ready,
                        restarts: snapshot.restarts, cgroups: instance.cgroups, lastExit: snapshot.lastExit))
            }
            state.apps.append(record)
        }
        saves += 1
        state.save = saves
        do throws(SystemError) {
            try directories.save(state)
            saveLasting(state.lasting)
            for app in apps.values { app.unsavedRoll = nil }
        } catch {
            // The other file stands in for it until it can be written again.
            let isSaved = saveLasting(state.lasting(isWhole: true))
            let trouble = "state file \"\(directories.stateFile)\" cannot be written \(error.text)"
            host.notice(app: "", text: trouble, level: .warning)
            for app in apps.values {
                guard let release = app.rollsTo ?? app.unsavedRoll?.release else { continue }
                let roll = ManagedApp.UnsavedRoll(release: release, isCommitted: release == app.machine.activeRelease)
                guard app.unsavedRoll != roll else { continue }
                app.unsavedRoll = roll
                // The other file takes no roll: it tells of a release from the moment that it is the app's.
                let result = if !roll.isCommitted {
                    "is under way unsaved: if this supervisor is killed before the release has gone through, the next one gives it up"
                } else if isSaved {
                    "is kept in \"\(directories.lastingFile ?? "")\" only"
                } else {
                    "could not be saved: if this supervisor is killed, the next one does not know of it"
                }
                let text = "app \(app.name): release \(release) \(result): \(trouble)"
                host.notice(app: app.name, text: text, level: .warning)
            }
        }
    }

    /// Writes what has to last, when that is news.
    ///
    /// - Returns: Whether it is written.
    @discardableResult
    private func saveLasting(_ state: AppState) -> Bool {
        var content = state
        content.save = 0
        guard content != lastLasting else { return directories.lastingFile != nil }
        do throws(SystemError) {
            try directories.saveLasting(state)
            (lastLasting, lostLasting) = (content, nil)
            return directories.lastingFile != nil
        } catch {
            // It is tried with each save, and told of once.
            lastLasting = nil
            defer { lostLasting = content }
            guard content != lostLasting else { return false }
            host.notice(
                app: "", text: """
                    "\(directories.lastingFile ?? "")" cannot be written \(error.text): after a reboot deploys, scales and stops of apps \
                    are forgotten
                    """, level: .warning)
            return false
        }
    }

    /// One app as `app list` shows it.
    package struct Status: Equatable, Sendable {
        /// Name of the block.
        package var name: String
        /// Whether it is to run.
        package var isRunning: Bool
        /// A deploy, restart or recycling is under way.
        package var isRolling: Bool
        /// Release that runs.
        package var release: UInt32
        /// Release that `rollback` goes back to.
        package var previousRelease: UInt32?
        /// Instances that are wanted, and that the block asks for.
        package var count: Int
        package var blockCount: Int
        /// What the release runs, and how it differs from the block.
        package var command: [String]
        package var differences: [String]
        /// The block in force was given up, for this reason: a release of the block before it runs. nil: it runs.
        package var refusedBlock: String?
        /// Address that the app itself binds; nil: each instance has its own.
        package var fixedAddress: String?
        /// What can be expected of it.
        package var outlook: AppOutlook
        /// Its instances.
        package var instances: [Instance]

        /// One instance.
        package struct Instance: Equatable, Sendable {
            /// What its machine says.
            package var snapshot: AppMachine.InstanceSnapshot
            /// Where it is dialled (`NetworkAddress.listenKey`); "" while unknown.
            package var address: String
            /// Its last STATUS=.
            package var status: String
            /// Why the last start in its slot failed; nil: it did not, or one is ready since.
            package var lastFailure: String?
            /// Lines it wrote, and of these not logged.
            package var lines: UInt64
            /// See `lines`.
            package var linesDropped: UInt64
        }
    }

    /// All apps by name. Allocates.
    package var status: [Status] {
        apps.values.sorted { $0.name < $1.name }.map { app in
            let specification = app.specification(of: app.machine.activeRelease)
            return Status(
                name: app.name, isRunning: app.machine.isRunning, isRolling: app.machine.isRolling,
                release: app.machine.activeRelease, previousRelease: app.previousRelease, count: app.machine.count,
                blockCount: app.block.instances, command: specification.command,
                differences: specification.differences(from: app.block),
                refusedBlock: app.machine.isRolling ? nil : app.refusedBlock, fixedAddress: specification.listen.fixedAddress,
                outlook: app.machine.outlook,
                instances: app.machine.snapshots.map { snapshot in
                    let instance = app.instances[snapshot.key]
                    return Status.Instance(
                        snapshot: snapshot, address: instance?.address?.listenKey ?? "", status: instance?.state?.status ?? "",
                        lastFailure: snapshot.phase == .ready ? nil : app.lastFailures[snapshot.key.slot],
                        lines: instance?.state?.lines ?? 0,
                        linesDropped: instance?.state?.linesDropped ?? 0)
                })
        }
    }
}

extension AppListen {
    /// The address of `listen ADDRESS:PORT`, as text.
    fileprivate var fixedAddress: String? { if case .fixed(let address) = self { address.listenKey } else { nil } }
}
