import Foundation

/// Programs that a test puts into its own folder to start them there.
///
/// They are never written by the test process itself. A process that another test starts at that moment inherits the descriptor
/// that is open for writing until its own `exec`, and while anybody has a file open for writing it cannot be started (ETXTBSY).
public enum Executable {
    /// Puts a program at `path`: a link, or a copy where the build is in another file system.
    public static func place(_ program: String, at path: String) throws {
        guard link(program, path) != 0 else { return }
        try install(program, at: path)
    }

    /// Copies `file` to `path`, for everybody to start.
    public static func install(_ file: String, at path: String) throws {
        let copying = try RunningProcess.run("/usr/bin/install", ["-m", "755", file, path])
        guard copying.succeeded else { throw KitError("install \(file) \(path): \(copying.errors)") }
    }
}
