import CLinux
import Glibc

/// What a worker does to itself before it looks at a byte from outside.
public enum ProcessRights {
    /// Ignores signals that a terminal or the kernel sends to the whole group.
    public static func ignore(_ signals: [Int32]) { for number in signals { _ = signal(number, SIG_IGN) } }

    /// Notes signals instead of dying of them; a sleeping loop wakes up.
    public static func catchSignals(_ signals: [Int32]) { for number in signals { _ = cs_catch_signal(number) } }

    /// The last signal caught since the last call, 0 if none.
    public static func takeSignal() -> Int32 { cs_take_signal() }

    /// Gives up root for good.
    /// - Returns: false if the kernel refused any step; errno says why.
    public static func become(user: UInt32, group: UInt32, groups: [UInt32]) -> Bool {
        // SAFETY: the count is the array's.
        guard unsafe setgroups(groups.count, groups) == 0, setgid(group) == 0, setuid(user) == 0 else { return false }
        return true
    }

    /// No set-user-id program that this process might be made to run gains anything; no other process of the same user reads its memory.
    public static func seal() {
        _ = cs_no_new_privileges()
        _ = cs_set_dumpable(0)
    }

    public static var processID: Int32 { getpid() }

    /// Whose rights this process has now.
    public static var user: UInt32 { geteuid() }
}
