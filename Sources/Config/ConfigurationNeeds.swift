/// What a configuration needs of the host beside its own files.
package struct ConfigurationNeeds: Sendable {
    /// `user`, with its group if that is given.
    package struct User: Hashable, Sendable {
        /// As written.
        package var name: String
        /// nil: the one named as the user.
        package var group: String?
        /// Where `user` stands.
        package var location: SourceLocation?
    }

    /// A log file.
    package struct Log: Hashable, Sendable {
        /// Absolute.
        package var path: String
        /// The first directive that names it; nil: the built-in one.
        package var location: SourceLocation?

        /// By default of no directive.
        package init(path: String, location: SourceLocation? = nil) {
            self.path = path
            self.location = location
        }

        /// Where it lies, without a slash at the end but for the root.
        package var folder: String { path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "." }
    }

    /// nil: none is named.
    package var user: User?
    /// Each file once, in the order of the configuration.
    package var logs: [Log] = []

    /// Of a configuration as far as it was read. O(locations).
    package init(_ configuration: Configuration) {
        let main = configuration.main
        user = main.user.map { User(name: $0, group: main.group, location: main.userLocation) }
        var seen: Set<String> = []
        func add(_ path: String, _ location: SourceLocation?) {
            if seen.insert(path).inserted { logs.append(Log(path: path, location: location)) }
        }
        func add(_ list: [ErrorLogSettings]) {
            for log in list { if case .file(let path) = log.destination { add(path, log.location) } }
        }
        add(main.errorLogs)
        for settings in configuration.http?.locations ?? [] {
            add(settings.core.errorLogs)
            for log in settings.log.targets { if case .file(let path) = log.destination { add(path, log.location) } }
        }
    }
}

extension SourceLocation {
    /// nginx's ` in FILE:LINE`, which ends a message.
    package var suffix: String { line == 0 ? " in \(file)" : " in \(file):\(line)" }
}
