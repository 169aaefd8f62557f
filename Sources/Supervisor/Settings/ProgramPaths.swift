internal import Config

/// The files that the command line and the program's identity name.
struct ProgramPaths: Equatable {
    /// Full path with the final slash: where the program was started is of no importance any more.
    var prefix: String
    /// Full path.
    var configuration: String
    /// Full path; "" for standard error.
    var errorLog: String

    /// - Parameters:
    ///   - workingDirectory: where a relative `-p` begins; nil: nobody knows.
    ///   - exists: whether a file exists, for Goodgate's search of its configuration.
    init(_ options: CommandLineOptions, identity: Identity, workingDirectory: String?, exists: (String) -> Bool) {
        var prefix = options.prefix ?? identity.prefix
        if let workingDirectory, !prefix.isEmpty, !prefix.hasPrefix("/") {
            let steps = prefix.split(separator: "/").filter { $0 != "." }
            prefix = ([workingDirectory == "/" ? "" : workingDirectory] + steps.map(String.init)).joined(separator: "/")
        }
        if !prefix.isEmpty, !prefix.hasSuffix("/") { prefix += "/" }
        self.prefix = prefix
        func full(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }
        if let file = options.configurationFile {
            configuration = full(file)
        } else if options.prefix != nil, !identity.isNginx {
            let candidates = ["goodgate.conf", "nginx.conf", "conf/nginx.conf"].map(full)
            configuration = candidates.first(where: exists) ?? candidates[0]
        } else {
            configuration = identity.configurationPaths.first(where: exists) ?? identity.configurationPaths[0]
        }
        let log = options.errorLog ?? identity.errorLogPath
        errorLog = log.isEmpty || log == "stderr" ? "" : full(log)
    }
}
