/// How one instance of an app that goodgate runs ended without having been asked to, as its keeper saw it.
package struct AppEnd: Sendable, Hashable, Codable {
    /// When it ended.
    package var time: Timestamp
    /// `NAME.SLOT#SERIAL`, as in the error log and in `goodgate status`.
    package var instance: String
    /// The release it ran, and its main process; 0 when not known.
    package var release: Int
    package var process: Int32
    /// What it passed to `exit`; nil when a signal ended it.
    package var status: Int?
    /// What ended it; nil when it called `exit`.
    package var signal: Int?
    /// Processes of its control group that the kernel killed for want of memory.
    package var outOfMemoryKills: Int
    /// How long it ran.
    package var ranMilliseconds: Int64
    /// What it wrote last, oldest first, secrets masked; missing until its keeper has told.
    package var lastLines: [String]?

    package init(
        time: Timestamp, instance: String, release: Int = 0, process: Int32 = 0, status: Int? = nil, signal: Int? = nil,
        outOfMemoryKills: Int = 0, ranMilliseconds: Int64 = 0
    ) {
        self.time = time; self.instance = instance; self.release = release; self.process = process
        self.status = status; self.signal = signal
        self.outOfMemoryKills = outOfMemoryKills; self.ranMilliseconds = ranMilliseconds
    }

    /// `instance api.0#3 of release 2`.
    package var subject: String { "instance \(instance)" + (release > 0 ? " of release \(release)" : "") }

    /// `was killed by signal 9, by the OOM killer`.
    package var words: String {
        let end = signal.map { "was killed by signal \($0)" } ?? status.map { "exited with status \($0)" } ?? "is gone"
        return outOfMemoryKills > 0 ? end + ", after an OOM kill in its control group" : end
    }
}
