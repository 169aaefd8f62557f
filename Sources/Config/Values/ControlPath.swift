/// Where the control socket is when nothing names it. The supervisor listens there, and the commands look there.
package enum ControlPath {
    /// The default path of the control socket.
    ///
    /// - Parameters:
    ///   - prefix: `-p` of the command line, nil without it: then every program of a prefix has a socket of its own.
    ///   - user: effective user of the supervisor.
    ///   - runtimeDirectory: `XDG_RUNTIME_DIR`, nil or "" when it is not set.
    package static func standard(prefix: String?, user: UInt32, runtimeDirectory: String?) -> String {
        if let prefix, !prefix.isEmpty { return ConfigurationPath.withSlash(prefix) + "control/control.sock" }
        if user == 0 { return "/run/goodgate/control.sock" }
        if let runtimeDirectory, runtimeDirectory.hasPrefix("/") { return runtimeDirectory + "/goodgate/control.sock" }
        return "/tmp/goodgate-\(user)/control.sock"
    }
}
