import Foundation

/// Runs a program without a shell, with a deadline and a bound on its output.
package enum Subprocess {
    /// - Parameters:
    ///   - command: the program (looked up on PATH) and its arguments.
    ///   - deadline: milliseconds; then it gets SIGKILL and the error is 110.
    ///   - limit: bytes; a program that writes more is ended, and the output cut.
    /// - Throws: errno of the start, 110, or -1 when it exits with another status than 0 and wrote nothing.
    package static func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8] {
        guard let program = command.first else { throw SystemError(2, "") }
        var output: [UInt8] = []
        let status = try stream(command, deadline: deadline) { chunk in
            output.append(contentsOf: chunk.prefix(limit - output.count))
            return output.count < limit
        }
        if status != 0, output.isEmpty { throw SystemError(status == 127 << 8 ? 2 : -1, program) }
        return output
    }

    /// Gives the output piecewise; the consumer answers false to stop. Returns the wait status; 0 when it was stopped by the consumer.
    package static func stream(
        _ command: [String], deadline: Int, pause: Int64 = 60_000, consume: (ArraySlice<UInt8>) -> Bool
    ) throws(SystemError) -> Int32 {
        let what = command.prefix(2).joined(separator: " ")
        let (pid, descriptor) = try spawn(command)
        defer { close(descriptor) }
        let end = monotonicMilliseconds() + Int64(deadline)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let left = end - monotonicMilliseconds()
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = left <= 0 ? 0 : unsafe poll(&event, 1, Int32(min(left, pause)))
            if ready < 0, errno == EINTR { continue }
            if ready == 0 {
                // A silent minute is not the end: only the deadline is.
                if monotonicMilliseconds() < end { continue }
                _ = finish(pid, killing: true)
                throw SystemError(110, what)
            }
            // SAFETY: the count is the buffer's own.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            if count <= 0 { break }
            if !consume(buffer[..<count]) {
                _ = finish(pid, killing: true)
                return 0
            }
        }
        // It has closed its output; give it what is left of the time to exit.
        while monotonicMilliseconds() < end {
            var status: Int32 = 0
            let found = unsafe waitpid(pid, &status, WNOHANG)
            if found == pid { return status }
            if found < 0, errno != EINTR { return 0 }
            usleep(1_000)
        }
        return finish(pid, killing: true)
    }

    private static func finish(_ pid: pid_t, killing: Bool) -> Int32 {
        if killing { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// One at a time: a program that another thread starts between `pipe` and `fcntl` would inherit the write end, and the reader would
    /// wait for its end too.
    private static let starting = NSLock()

    private static func spawn(_ command: [String]) throws(SystemError) -> (pid_t, Int32) {
        var pipes: [Int32] = [-1, -1]
        starting.lock()
        defer { starting.unlock() }
        guard unsafe pipe(&pipes) == 0 else { throw SystemError(errno, command[0]) }
        for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer { close(pipes[1]) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        // A fixed environment: messages in English, no pager, times in UTC, nothing of ours leaks.
        let path =
            unsafe getenv("PATH").map { unsafe String(cString: $0) }
            ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        var variables = ["PATH=\(path)", "LC_ALL=C", "TZ=UTC", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"]
        for name in ["HOME", "PM2_HOME"] {
            if let value = unsafe getenv(name) { variables.append("\(name)=\(unsafe String(cString: value))") }
        }
        var environment: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer {
            // SAFETY: each was made by strdup above and is freed once.
            unsafe arguments.forEach { unsafe free($0) }
            unsafe environment.forEach { unsafe free($0) }
        }
        var pid: pid_t = 0
        // SAFETY: both vectors end with nil and live until after the call.
        let result = unsafe posix_spawnp(&pid, command[0], &actions, nil, &arguments, &environment)
        guard result == 0 else {
            close(pipes[0])
            throw SystemError(result, command[0])
        }
        return (pid, pipes[0])
    }

    static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
