import Glibc

/// Commands that go on until they are ended, and whom they write for.
enum StandardOutput {
    /// Ends this process as SIGPIPE does when nobody reads its output any more: `| head`, `| grep -m1`, a closed pager. The network library
    /// has that signal ignored, and what is to be written next may come in hours.
    static func endWhenUnread() {
        Task.detached {
            while true {
                var output = pollfd(fd: 1, events: 0, revents: 0)
                // SAFETY: one structure, which lives during the call.
                if unsafe poll(&output, 1, 0) == 1, Int32(output.revents) & (POLLERR | POLLNVAL) != 0 {
                    signal(SIGPIPE, SIG_DFL)
                    raise(SIGPIPE)
                }
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
