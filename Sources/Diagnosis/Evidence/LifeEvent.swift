/// Something that happened to a process, a unit or a container, with its time: from the journal, the kernel log, a supervisor's log or our own.
package struct LifeEvent: Sendable, Hashable {
    /// What happened.
    package enum Kind: Sendable, Hashable {
        case started
        /// An ordered stop began (deploy, reload, `systemctl stop`).
        case stopping
        case stopped
        case exited(code: Int)
        case killed(signal: Int, coreDumped: Bool)
        /// The supervisor's verdict, such as `exit-code`, `signal`, `oom-kill`, `timeout`.
        case failed(result: String)
        case restartScheduled(count: Int)
        /// The supervisor stopped trying.
        case gaveUp
        /// The stop time-out passed and SIGKILL was sent.
        case stopTimedOut
        /// The kernel's or oomd's OOM killer. `constraint` is MEMCG, NONE, CPUSET, MEMORY_POLICY or empty.
        case outOfMemory(constraint: String)
        case segfault
        /// The app's own log says its port was taken.
        case addressInUse
        /// The app's own log says which address it listens on.
        case listening(port: UInt16)
        /// A worker of the app server hung, or its pool was exhausted.
        case workerTimeout
        case poolExhausted(limit: Int)
        /// PM2 gave up waiting for readiness, or reloaded in fork mode.
        case reload
        case synFlood(port: UInt16)
        case conntrackFull
        /// An LSM said no. `permission` is name_connect, connectto, write, …
        case denied(permission: String, port: UInt16?)
    }

    /// Whether it tells of a worker that its own master replaces: the unit lives on.
    package var isWorker = false
    /// Whether it is the end of a command of the unit, such as ExecReload=, and not of its main process: alone it says nothing of that.
    package var isOfControl = false
    /// Which of several applications in the unit it tells of: PM2's and supervisord's name, `pool www` of php-fpm; nil: the unit itself.
    package var member: String?
    /// When it happened, what, and to which process.
    package var time: Timestamp
    package var kind: Kind
    package var pid: Int32?
    /// Process name, when told.
    package var process: String?
    package var unit: String?
    package var cgroup: String?
    /// The line it was read from, unescaped.
    package var line: String
    /// The path or command that shows the line.
    package var source: String

    package init(
        time: Timestamp, kind: Kind, pid: Int32? = nil, process: String? = nil, unit: String? = nil,
        cgroup: String? = nil,
        line: String = "", source: String = ""
    ) {
        self.time = time; self.kind = kind; self.pid = pid; self.process = process; self.unit = unit;
        self.cgroup = cgroup
        self.line = line; self.source = source
    }
}

extension LifeEvent {
    /// What a process did that the kernel ended it for (`segfault`), for sentences.
    package var crashText: String {
        if line.contains("trap invalid opcode") { return "was stopped at an invalid instruction" }
        if line.contains("trap divide error") { return "divided by zero" }
        return line.contains("] trap ") ? "crashed" : "crashed with a memory error"
    }
}

extension LifeEvent.Kind {
    /// Whether it is an end that nobody ordered: INT and TERM are how supervisors stop, 130 and 143 how shells and Java tell it.
    package var isCrash: Bool {
        switch self {
        case .exited(let code): ![0, 130, 143].contains(code)
        case .killed(let signal, _): ![2, 15].contains(signal)
        case .segfault: true
        default: false
        }
    }
}
