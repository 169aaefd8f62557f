/// The old binary of an upgrade, as it made itself known to the new one in its environment.
struct OldBinary {
    /// Who started this program. It may be gone already: then this process has another parent.
    let process: Int32
    /// Where it keeps what outlives it. That goes over to this program, whatever its own configuration says of a pid file.
    let stateDirectory: String?
    /// The file that says where it is, which it cannot remove if it is killed. Another one than ours, if that was changed since.
    let pidFile: String?

    private static let processName = "GOODGATE_UPGRADE_FROM"
    private static let stateName = "GOODGATE_UPGRADE_STATE"
    private static let pidFileName = "GOODGATE_UPGRADE_PID_FILE"

    /// What a new binary is told.
    static func environment(stateDirectory: String?, pidFile: String?) -> [String] {
        ["\(processName)=\(System.process)"] + (stateDirectory.map { ["\(stateName)=\($0)"] } ?? [])
            + (pidFile.map { ["\(pidFileName)=\($0)"] } ?? [])
    }

    /// Takes what the old binary told. One of another make tells nothing, and is the parent.
    static func inherited() -> OldBinary {
        func take(_ name: String) -> String? {
            defer { System.removeFromEnvironment(name) }
            return System.environment(name)
        }
        let state = take(stateName), pidFile = take(pidFileName)
        return OldBinary(
            process: take(processName).flatMap { Int32($0) } ?? System.parentProcess,
            stateDirectory: state?.hasPrefix("/") == true ? state : nil, pidFile: pidFile?.hasPrefix("/") == true ? pidFile : nil)
    }
}
