/// A systemd unit as `systemctl show` tells it. Text fields are empty when systemd did not tell them.
package struct UnitState: Sendable, Hashable {
    /// Full name, such as `app.service`.
    package var name: String
    /// Not systemd's: an app that goodgate runs itself, named `app NAME`.
    package var isOwn = false
    /// active, inactive, failed, activating, deactivating, reloading.
    package var activeState = ""
    package var subState = ""
    /// success, exit-code, signal, core-dump, oom-kill, timeout, watchdog, start-limit-hit, …
    package var result = ""
    /// 1 exited, 2 killed, 3 dumped (`CLD_*`); 0 never ran.
    package var mainCode = 0
    package var mainStatus = 0
    package var restarts = 0
    package var mainExited: Timestamp?
    package var activeSince: Timestamp?
    /// Bytes; nil: no limit.
    package var memoryMax: UInt64?
    package var controlGroup = ""
    package var execStart = ""
    package var environment = ""
    package var killSignal = 15
    /// Milliseconds; nil: unlimited or not told.
    package var timeoutStop: Int64?
    package var restart = ""
    package var runtimeDirectory = ""
    package var fragmentPath = ""
    package var addressFamilies = ""
    package var addressDeny = ""
    package var type = ""
    package var killMode = ""

    package init(name: String) { self.name = name }

    /// Name of an own app in the configuration and in commands.
    package var appName: String { isOwn ? String(name.dropFirst(4)) : name }

    /// For sentences: systemd may not have answered.
    package var stateText: String { activeState.isEmpty ? "in an unknown state" : activeState }
    package var isDown: Bool { activeState == "failed" || activeState == "inactive" }
    package var isStarting: Bool { activeState == "activating" }

    /// How the main process ended, in words: "was killed by signal 9", "exited with code 1"; nil when it never ended.
    package var endText: String? {
        switch mainCode {
        case 1: "exited with code \(mainStatus)"
        case 2: "was killed by signal \(mainStatus)"
        case 3: "was killed by signal \(mainStatus) and dumped core"
        default: nil
        }
    }

    /// The end of its last main process, as an event.
    package var end: LifeEvent? {
        guard let time = mainExited, let text = endText else { return nil }
        let kind: LifeEvent.Kind =
            mainCode == 1 ? .exited(code: mainStatus) : .killed(signal: mainStatus, coreDumped: mainCode == 3)
        return LifeEvent(
            time: time, kind: kind, unit: name, line: "\(name): its main process \(text)",
            source: "systemctl show \(name)")
    }
}
