/// The programs of this installation: they lie beside each other.
struct Executables {
    /// Directory of the running program, with the final slash.
    let directory: String
    /// Full path of the running program.
    let supervisor: String
    /// The worker, opened when the supervisor started: an upgrade of the files does not mix versions.
    let worker: Descriptor?

    var workerPath: String { directory + "goodgate-worker" }
    var controlPath: String { directory + "goodgate-control" }

    init() {
        supervisor = System.linkTarget("/proc/self/exe") ?? "/usr/sbin/goodgate"
        directory = String(supervisor[...(supervisor.lastIndex(of: "/") ?? supervisor.startIndex)])
        worker = try? System.openEntry(directory + "goodgate-worker", followsLinks: true)
    }
}
