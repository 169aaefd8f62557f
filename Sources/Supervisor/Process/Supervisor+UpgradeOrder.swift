internal import CLinux
internal import Messages

/// A `goodgate upgrade` under way: who asked, and the pipe by which the new program says that it serves.
struct UpgradeOrder {
    var request: UInt32
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
    var upgradeInheritance: (environment: [String], descriptors: [Int32]) {
        guard let writer = upgrade?.writer else { return ([], []) }
        return (["\(Self.environmentName)=\(writer.number)"], [writer.number])
    }

    /// The new program runs: only it holds the writing end from now on, so that its end is seen.
    func upgradeStarted() { upgrade?.writer = nil }

    /// The new program said that it serves, or ended.
    func serveUpgrade() {
        guard let upgrade, let byte = System.readChunk(upgrade.reader, byteCount: 1) else { return }
        guard !byte.isEmpty else { return upgradeFailed() }
        finishUpgrade(
            ControlAnswer(
                .done, text: "process \(newBinary ?? 0) serves now; process \(System.process) ends when its requests are done"))
        post(.signal(.quit))
        // The new program's control process takes the socket.
        controlEndsAt = System.now + Self.farewell
    }

    /// The new program could not be started, or ended before it served.
    func upgradeFailed() {
        finishUpgrade(
            ControlAnswer(.failed, text: "the new program did not start, see the error log; this one serves as before"))
    }

    private func finishUpgrade(_ answer: ControlAnswer) {
        guard let upgrade else { return }
        ignore(upgrade.reader)
        self.upgrade = nil
        guard let control else { return }
        control.send(.answer(request: upgrade.request, answer))
        watchControl(control)
    }

    // MARK: - In the new program

    /// The pipe to the program that started this one by `goodgate upgrade`.
    static func takeServingWriter() -> Descriptor? {
        guard let number = System.environment(environmentName).flatMap({ Int32($0) }) else { return nil }
        System.removeFromEnvironment(environmentName)
        guard number > 2, cs_is_open(number) != 0 else { return nil }
        _ = cs_set_cloexec(number, 1)
        return Descriptor(owning: number)
    }

    /// Says, once, that this program serves.
    func tellServing() {
        guard let writer = servingWriter, machine.hasServed else { return }
        try? System.write([1], to: writer.number)
        servingWriter = nil
    }
}
