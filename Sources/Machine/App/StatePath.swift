/// Where a supervisor keeps what outlives it.
package enum StatePath {
    /// The place that a file (its pid file, or its configuration) stands for, so that two supervisors on one host never
    /// take each other's apps. Short, for the sockets in it; without a final slash.
    ///
    /// - Parameters:
    ///   - user: effective user of the supervisor.
    ///   - runtimeDirectory: `XDG_RUNTIME_DIR`, "" when it is not set.
    package static func standard(for file: String, user: UInt32, runtimeDirectory: String) -> String {
        let name = String(file.utf8.fingerprint, radix: 16)
        if user == 0 { return "/run/goodgate/" + name }
        if runtimeDirectory.hasPrefix("/"), runtimeDirectory.utf8.count <= 22 {
            return "\(runtimeDirectory)/goodgate/\(name)"
        }
        return "\(shared(by: user))/\(name)"
    }

    /// Where everybody may make a name: what is found there need not be this user's.
    package static func shared(by user: UInt32) -> String { "/tmp/goodgate-\(user)" }
}
