internal import CLinux

// What the service manager is told, and when.
extension Supervisor {
    /// The configuration in force serves.
    func tellReady(_ note: String = "") {
        let count = configurations[current]?.settings.workerCount ?? 0
        let apps = configurations[current]?.settings.apps.count ?? 0
        var status = "serving with \(count) worker\(count == 1 ? "" : "s")"
        if apps > 0 { status += ", \(apps) app\(apps == 1 ? "" : "s")" }
        hasToldReady = true
        serviceManager.tell(.ready(process: System.process, status: status + note))
    }

    /// The old binary has ended, so this process is the service manager's own child now. systemd noted otherwise when it was told of this
    /// process: it would not wait for its end at a stop, but kill it. It looks again only after it was told of another process.
    func oldBinaryEnded() {
        oldBinaryEnd.map(ignore)
        oldBinaryEnd = nil
        removeOldPidFile()
        otherBinaryIsGone()
        guard hasToldReady, let worker = workers.values.first else { return }
        serviceManager.tell(.mainProcess(worker.process))
        tellReady()
    }

    /// A reload begins. It ends with `tellReady`, whatever comes of it.
    func tellReloading() { serviceManager.tell(.reloading(microseconds: cs_monotonic_ns() / 1000)) }

    /// Once, when the end has begun; while two binaries live the end of one is not the end of the service.
    func tellStoppingIfSo() {
        guard machine.isEnding, !hasToldStopping, isLast else { return }
        hasToldStopping = true
        serviceManager.tell(.stopping(status: "finishing what is in flight, then stopping apps"))
    }
}
