internal import Config
internal import CLinux

// Binary upgrade as nginx does it: the old binary renames its pid file and starts the new one with the listening sockets left open and
// named in the environment. Both serve from the same sockets until one of them is told to go.
extension Supervisor {
    func startNewBinary() {
        guard let configuration = configurations[current] else { return post(.newBinaryFailed) }
        let pidPath = configuration.settings.pidPath
        // The new binary takes them over.
        leaveApps()
        if let pidPath {
            do throws(SystemError) {
                try System.rename(pidPath, to: pidPath + PidFile.oldSuffix)
                hasOldPidName = true
            } catch {
                log.write(
                    .alert,
                    "rename() \(pidPath) to \(pidPath)\(PidFile.oldSuffix) failed before executing new binary process \"\(arguments[0])\"",
                    error)
                configureApps()
                upgradeFailed()
                return post(.newBinaryFailed)
            }
        }
        do throws(SystemError) {
            let inheritance = "\(ListenerTable.environmentName)=\(configuration.listeners.inheritance)"
            let theirs = makeBond()
            let others = upgradeInheritance(theirs)
            newBinary = try System.spawn(
                System.Program(
                    path: arguments[0].contains("/") ? arguments[0] : executables.supervisor, arguments: arguments,
                    environment: System.environment + [inheritance] + others.environment,
                    inherited: configuration.listeners.descriptors + others.descriptors))
            withExtendedLifetime(theirs) {}
            upgradeStarted()
            log.write(.notice, "start new binary process \(newBinary ?? 0)")
            post(.newBinaryStarted)
            if upgrade != nil { post(.newBinaryAwaited) }
        } catch {
            log.write(.alert, "execve() failed while executing new binary process \"\(arguments[0])\"", error)
            if let pidPath { rename(pidPath + PidFile.oldSuffix, backTo: pidPath) }
            configureApps()
            upgradeFailed()
            post(.newBinaryFailed)
        }
    }

    func restorePidFile() {
        otherBinaryIsGone()
        defer {
            // Only its end was awaited.
            if let status = statusAfterNewBinary { end(status) }
        }
        guard !leavesWorkers else { return }
        if statusAfterApps == nil { configureApps() }
        if !machine.isEnding { tellReady("; the new binary ended") }
        guard let path = configurations[current]?.settings.pidPath else { return }
        rename(path + PidFile.oldSuffix, backTo: path)
    }

    private func rename(_ old: String, backTo path: String) {
        do throws(SystemError) {
            try System.rename(old, to: path)
            hasOldPidName = false
        } catch {
            log.write(
                .alert, "rename() \(old) back to \(path) failed after the new binary process \"\(arguments[0])\" exited", error)
        }
    }
}
