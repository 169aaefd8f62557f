import TestKit

/// Goodgate's commands against one control socket.
struct Commands {
    let socket: String
    private var environment: [String: String] { ["PATH": "/usr/bin:/bin", "GOODGATE_CONTROL": socket] }

    /// Runs a command to its end.
    func run(_ arguments: [String], seconds: Double = 60) throws -> RunningProcess.Output {
        try RunningProcess.run(GatewayProcess.binary, arguments, environment: environment, seconds: seconds)
    }

    /// Starts a command that goes on.
    func start(_ arguments: [String], output: String) throws -> RunningProcess {
        try RunningProcess(GatewayProcess.binary, arguments, environment: environment, output: output)
    }

    /// Whether the control process answers.
    var areAnswered: Bool { (try? run(["status"]))?.succeeded == true }
}
