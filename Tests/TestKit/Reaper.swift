import Foundation
import Synchronization

/// Ends the process groups of a test run that crashed or was killed: what it started must not outlive it.
///
/// A shell reads our notes from a pipe. When we are gone, however that happened, the pipe ends, and the shell kills each
/// group that was noted and not crossed out.
enum Reaper {
    private static let program = """
        groups=" "
        while read -r mark group; do
            if [ "$mark" = + ]; then groups="$groups$group "; else groups="${groups/ $group / }"; fi
        done
        for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done
        """

    /// The writing end of the pipe; -1 when the shell could not be started. Made before any other process is started, so
    /// that none inherits it.
    private static let notes: Mutex<Int32> = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return Mutex(-1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let words = ["bash", "-c", program]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var child: pid_t = 0
        let failure = posix_spawn(&child, "/bin/bash", &actions, &attributes, &arguments, &environment)
        close(ends[0])
        arguments.forEach { free($0) }
        posix_spawnattr_destroy(&attributes)
        posix_spawn_file_actions_destroy(&actions)
        return Mutex(failure == 0 ? ends[1] : -1)
    }()

    /// Makes sure that the shell runs.
    static func start() { notes.withLock { _ in } }

    static func note(_ group: pid_t) { write("+ \(group)\n") }

    static func crossOut(_ group: pid_t) { write("- \(group)\n") }

    private static func write(_ line: String) {
        notes.withLock { end in _ = line.withCString { Glibc.write(end, $0, strlen($0)) } }
    }
}
