internal import Config

/// The files that the command line and the program's identity name.
struct ProgramPaths: Equatable {
    /// Full path with the final slash: where the program was started is of no importance any more. Without `-p` the folder of the
    /// configuration; for nginx the one that is built in.
    var prefix: String
    /// Full path.
    var configuration: String
    /// Full path; "" for standard error.
    var errorLog: String

    /// Where things are of which nothing says so; nil: below the prefix, which `-p` says to hold everything.
    var defaults: DefaultPaths?
    /// Folders of these that are made when they are not there; a package has made nginx's.
    var ownFolders: [String] = []

    /// - Parameters:
    ///   - workingDirectory: where a relative `-p` begins, and, without it, a relative `-c`; nil: nobody knows.
    ///   - home: where a user who is not root keeps what programs leave; nil: root, or nowhere.
    ///   - exists: whether a file exists, for Goodgate's search of its configuration.
    init(
        _ options: CommandLineOptions, identity: Identity, workingDirectory: String?, home: String? = nil, exists: (String) -> Bool
    ) {
        func inWorkingDirectory(_ path: String) -> String? {
            guard let workingDirectory, !path.isEmpty, !path.hasPrefix("/") else { return nil }
            let steps = path.split(separator: "/").filter { $0 != "." }
            return ([workingDirectory == "/" ? "" : workingDirectory] + steps.map(String.init)).joined(separator: "/")
        }
        var prefix = options.prefix ?? identity.prefix
        prefix = inWorkingDirectory(prefix) ?? prefix
        if !prefix.isEmpty, !prefix.hasSuffix("/") { prefix += "/" }
        func full(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }
        let isOwn = options.prefix == nil && !identity.isNginx
        if let file = options.configurationFile {
            // Who names a file means the one that he sees; nginx means one below its prefix.
            let seen = isOwn ? inWorkingDirectory(file) : nil
            configuration = seen.flatMap { exists($0) || !exists(full(file)) ? $0 : nil } ?? full(file)
        } else if options.prefix != nil, !identity.isNginx {
            let candidates = ["goodgate.conf", "nginx.conf", "conf/nginx.conf"].map(full)
            configuration = candidates.first(where: exists) ?? candidates[0]
        } else {
            configuration = identity.configurationPaths.first(where: exists) ?? identity.configurationPaths[0]
        }
        // What a file names without a slash lies beside it.
        if isOwn, let slash = configuration.lastIndex(of: "/") { prefix = String(configuration[...slash]) }
        self.prefix = prefix
        var log = options.errorLog ?? identity.errorLogPath
        if options.prefix == nil {
            var paths = identity.defaults
            if isOwn, let home {
                paths = DefaultPaths(prefix: home + "/")
                (paths.pid, paths.accessLog) = (home + "/goodgate.pid", home + "/access.log")
                if options.errorLog == nil { log = home + "/error.log" }
            }
            defaults = paths
            // What `-e` names is the user's affair.
            let own = !isOwn ? [] : [paths.pid, paths.accessLog] + (options.errorLog == nil ? [log] : [])
            ownFolders = own.compactMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        }
        errorLog = log.isEmpty || log == "stderr" ? "" : full(log)
    }
}
