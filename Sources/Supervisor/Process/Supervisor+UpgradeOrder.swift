internal import CLinux
internal import Config
internal import Glibc
internal import Messages

/// A `goodgate upgrade` under way: who asked, and the pipe by which the new program says that it serves.
struct UpgradeOrder {
    /// nil: the control process that asked is gone, and nobody waits for an answer.
    var request: UInt32?
    let reader: Descriptor
    /// The new program's end; given up here as soon as it runs.
    var writer: Descriptor?
}

// `goodgate upgrade`: as USR2, and the old program ends by itself once the new one serves.
extension Supervisor {
    /// The environment variable by which the new program finds its end of the pipe.
    private static let environmentName = "GOODGATE_UPGRADE"
    /// Time in which the control process passes the answer on before it goes, in milliseconds.
    private static let farewell: UInt64 = 300

    /// Begins an upgrade; the answer comes when it is decided.
    func beginUpgrade(_ number: UInt32, _ control: ControlProcess) {
        func refuse(_ answer: ControlAnswer) { control.send(.answer(request: number, answer)) }
        guard System.process != 1 else {
            return refuse(
                ControlAnswer(.refused, text: "goodgate is process 1 of a container, which ends with it: replace the container"))
        }
        guard upgrade == nil, newBinary == nil, !oldBinaryLives, !machine.isEnding else {
            return refuse(ControlAnswer(.busy, text: "an upgrade is under way, or this program is ending"))
        }
        do throws(SystemError) {
            let (reader, writer) = try System.pipe()
            try listen(to: reader, as: .upgrade)
            upgrade = UpgradeOrder(request: number, reader: reader, writer: writer)
            post(.signal(.changeBinary))
        } catch { refuse(ControlAnswer(.failed, text: "no pipe \(error.text)")) }
    }

    /// What the new program gets beside the listening sockets.
    func upgradeInheritance(_ bond: UpgradeBond?) -> (environment: [String], descriptors: [Int32]) {
        let pidFile = configurations[current]?.settings.pidPath.map { $0 + PidFile.oldSuffix }
        let environment = OldBinary.environment(stateDirectory: stateDirectories?.root, pidFile: pidFile)
        var inheritance = (environment: environment, descriptors: [Int32]())
        if let writer = upgrade?.writer {
            inheritance.environment.append("\(Self.environmentName)=\(writer.number)")
            inheritance.descriptors.append(writer.number)
        }
        if let bond = bond?.inheritance {
            inheritance.environment.append(bond.environment)
            inheritance.descriptors.append(bond.descriptor)
        }
        return inheritance
    }

    /// The new program runs: only it holds the writing end from now on, so that its end is seen.
    func upgradeStarted() { upgrade?.writer = nil }

    /// Makes the locks that say who of the two programs ends last. Without them, only the end of the other process says so.
    /// - Returns: that of the new one.
    func makeBond() -> UpgradeBond? {
        guard let directory = stateDirectories?.root else { return nil }
        do throws(SystemError) {
            let (ours, theirs) = try UpgradeBond.pair(in: directory)
            bond = ours
            return theirs
        } catch {
            bond = nil
            log.write(.warning, "locking \"\(directory)\" failed: if both binaries are ended at one time, apps may run on", error)
            return nil
        }
    }

    /// The new program said that it serves, or ended.
    func serveUpgrade() {
        guard let upgrade, let byte = System.readChunk(upgrade.reader, byteCount: 1) else { return }
        guard !byte.isEmpty else { return upgradeFailed() }
        // It said so and died: its end is told next, and this program stays.
        guard let newBinary, ProcessFacts.isAlive(newBinary) else { return }
        finishUpgrade(
            ControlAnswer(
                .done, text: "process \(newBinary) serves now; process \(System.process) ends when its requests are done"))
        post(.signal(.quit))
        // The new program's control process takes the socket.
        controlEndsAt = System.now + Self.farewell
    }

    /// The new program could not be started, or ended before it served.
    func upgradeFailed() {
        finishUpgrade(
            ControlAnswer(.failed, text: "the new program did not start, see the error log; this one serves as before"))
    }

    /// It has had its time: it gives the apps back at its end.
    func drainNewBinary() {
        guard newBinary != nil else { return }
        finishUpgrade(
            ControlAnswer(.failed, text: "the new program does not serve, see the error log; it is ended, and this one serves as before"))
        signalNewBinary(SIGQUIT)
    }

    func signalNewBinary(_ signal: Int32) { if let newBinary { try? System.kill(newBinary, signal: signal) } }

    private func finishUpgrade(_ answer: ControlAnswer) {
        guard let upgrade else { return }
        ignore(upgrade.reader)
        self.upgrade = nil
        guard let control, let request = upgrade.request else { return }
        control.send(.answer(request: request, answer))
        watchControl(control)
    }

    // MARK: - In the new program

    /// The pipe to the program that started this one by `goodgate upgrade`.
    static func takeServingWriter() -> Descriptor? {
        System.inheritedDescriptor(named: environmentName)
    }

    /// Says, once, that this program serves, and has the apps if there are any.
    func tellServing() {
        guard let writer = servingWriter, machine.hasServed, apps?.waitingBlocks == nil else { return }
        try? System.write([1], to: writer.number)
        servingWriter = nil
    }
}
