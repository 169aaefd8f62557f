/// `log` of an app block: where the lines go that its instances write to standard output and standard error.
package struct AppLog: Hashable, Sendable {
    /// Path of the file, absolute; `stderr` means the supervisor's own.
    package var path: String
    /// A file of this size is rotated; 0: never.
    package var rotateBytes: UInt64
    /// Rotated files that are kept.
    package var keep: UInt32

    /// Makes a log setting.
    package init(path: String, rotateBytes: UInt64 = 0, keep: UInt32 = 7) {
        self.path = path
        self.rotateBytes = rotateBytes
        self.keep = keep
    }
}
