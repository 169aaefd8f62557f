/// Turns a tree of directives into settings.
///
/// In each block the simple directives are applied first, then the nested blocks are read with a copy of the settings; that is how
/// inheritance works. An error ends one directive, never the parse.
final class ConfigurationReader {
    let request: ConfigurationRequest
    let facts: ConfigurationFacts
    let source: any ConfigurationSource
    let patternChecker: any PatternChecker
    var diagnostics: [Diagnostic] = []
    var configuration: Configuration
    /// Files whose braces do not match.
    var unbalanced: Set<String> = []
    /// Those of them of which a directive in a wrong place was reported.
    private var misplaced: Set<String> = []
    /// Some statement could not be read, so nothing is said to be missing.
    var hasLostStatements = false
    /// The `http` block that is being read.
    var http = HTTPSettings()
    /// Whether an `http` block was there.
    var hasHTTP = false
    /// The block that is being read.
    var scope: BlockScope
    /// Names that were looked up, for the bundle.
    var resolutions: [String: NameResolution] = [:]

    // What is referred to by name.
    var variableIndices: [String: Int] = [:]
    /// Where each variable was used first.
    var variableUses: [SourceLocation] = []
    var patternIndices: [PatternKey: PatternID] = [:]
    var logFormatIndices: [String: Int] = [:]
    var upstreamIndices: [String: [Int]] = [:]
    /// Upstreams by the sticky zone that they use.
    var stickyZones: [String: String] = [:]
    var logBuffers: [String: LogBufferParameters] = [:]
    /// Health checks by the location that has them, until the upstreams are complete.
    var healthChecks: [HealthCheckSettings] = []
    /// Zones of shared memory by name: nginx keeps one name space for all modules.
    var zones: [String: SharedZone] = [:]
    /// Unknown names that a known one will still be looked for.
    private var suggestionsLeft = 100
    /// Work for when all files are read.
    var deferredToEnd: [(ConfigurationReader) -> Void] = []

    struct PatternKey: Hashable {
        var bytes: Bytes
        var caseless: Bool
    }

    /// What is known of a zone.
    struct SharedZone {
        /// The module that declared it.
        var use: String
        /// 0: not given yet.
        var size: ByteCount
    }

    struct LogBufferParameters: Hashable {
        var size: ByteCount
        var flush: Milliseconds
        var gzip: Int
    }

    init(
        request: ConfigurationRequest, directory: String, source: any ConfigurationSource,
        patterns: any PatternChecker
    ) {
        self.request = request
        facts = source.facts
        self.source = source
        patternChecker = patterns
        let prefix = ConfigurationPath.withSlash(request.prefix)
        configuration = Configuration(directory: directory, prefix: prefix)
        scope = BlockScope(context: .main, location: SourceLocation(file: request.path, line: 0))
    }

    /// Applies the directives of the current block, then reads what was deferred.
    func process(_ directives: [Directive]) {
        var rows: [(directive: Int, entry: Int)] = []
        rows.reserveCapacity(directives.count)
        var hasEarly = false
        for (index, directive) in directives.enumerated() {
            guard let entry = entryIndex(for: directive) else { continue }
            rows.append((index, entry))
            if DirectiveTable.entries[entry].isEarly { hasEarly = true }
        }
        for isEarly in hasEarly ? [true, false] : [false] {
            for row in rows where DirectiveTable.entries[row.entry].isEarly == isEarly {
                apply(directives[row.directive], DirectiveTable.entries[row.entry])
            }
        }
        let current = scope
        let deferred = current.deferred
        current.deferred = []
        for work in deferred {
            work(self)
            scope = current
        }
    }

    /// Reads a nested block with its own scope.
    func read(_ directives: [Directive], in child: BlockScope) {
        let parent = scope
        scope = child
        process(directives)
        scope = parent
    }

    private func apply(_ directive: Directive, _ entry: DirectiveEntry) {
        if !entry.isRepeatable, !scope.isFirst(entry.name) {
            report(DirectiveError(directive, "is duplicate"), directive)
            return
        }
        do throws(DirectiveError) {
            try entry.handler(self, directive)
        } catch {
            report(error, directive)
        }
        scope.seen[entry.name] = directive.location
    }

    /// The row of the table that is meant, after nginx's checks of name, context, block and number of arguments.
    private func entryIndex(for directive: Directive) -> Int? {
        guard let indices = DirectiveTable.indices[directive.name] else {
            let suggestion = suggestion(for: directive.name, in: DirectiveTable.names)
            report(
                DirectiveError("unknown directive \"\(directive.name)\"", suggestion: suggestion), directive)
            return nil
        }
        for index in indices {
            guard !DirectiveTable.entries[index].contexts.isDisjoint(with: scope.context) else { continue }
            do throws(DirectiveError) {
                try check(directive, DirectiveTable.entries[index])
                return index
            } catch {
                report(error, directive)
                return nil
            }
        }
        reportMisplaced(directive)
        return nil
    }

    /// In a file whose braces do not match, the first directive in a wrong place shows where; all others would only repeat it.
    private func reportMisplaced(_ directive: Directive) {
        if misplaced.contains(directive.location.file) { return }
        if unbalanced.contains(directive.location.file) { misplaced.insert(directive.location.file) }
        report(DirectiveError(directive, "is not allowed here"), directive)
    }

    private func check(_ directive: Directive, _ entry: DirectiveEntry) throws(DirectiveError) {
        if directive.children != nil, !entry.isBlock {
            throw DirectiveError("directive \"\(directive.name)\" is not terminated by \";\"")
        }
        if directive.children == nil, entry.isBlock {
            throw DirectiveError("directive \"\(directive.name)\" has no opening \"{\"")
        }
        if !entry.arguments.allows(directive.argumentCount) {
            throw DirectiveError("invalid number of arguments in \"\(directive.name)\" directive")
        }
        if let harmless = entry.harmlessValue, directive.isWord(1, harmless) { return }
        switch entry.support {
        case .implemented: return
        case .acceptedWithNotice(let reason):
            diagnostics.append(
                Diagnostic(
                    .notice, "\"\(directive.name)\" directive is accepted and has no effect: \(reason)",
                    at: directive.location, directive: directive.name))
        case .notSupportedYet(let reason):
            throw DirectiveError(directive, "is known to nginx, but not supported by Goodgate yet: \(reason)")
        case .never(let reason):
            throw DirectiveError(directive, "is known to nginx, but not supported by Goodgate: \(reason)")
        }
    }
}

extension ConfigurationReader {
    /// The known name that is nearest to a misspelt one. Only the first hundred of a parse are looked for: a file that is no
    /// configuration may hold a million words.
    func suggestion(for name: String, in known: @autoclosure () -> [String]) -> String? {
        guard suggestionsLeft > 0 else { return nil }
        suggestionsLeft -= 1
        return EditDistance.nearest(to: name, in: known())
    }

    /// Adds an error.
    func report(_ error: DirectiveError, _ directive: Directive) {
        diagnostics.append(
            Diagnostic(
                .emergency, error.message, at: directive.location, directive: directive.name,
                suggestion: error.suggestion))
    }

    /// Adds a warning.
    func warn(_ message: String, _ directive: Directive) {
        diagnostics.append(Diagnostic(.warning, message, at: directive.location, directive: directive.name))
    }

    /// Adds an error about a place.
    func report(_ message: String, at location: SourceLocation, directive: String? = nil) {
        diagnostics.append(Diagnostic(.emergency, message, at: location, directive: directive))
    }

    /// A path relative to the prefix (logs, roots, temporary files).
    var defaults: DefaultPaths { request.defaults ?? DefaultPaths(prefix: configuration.prefix) }

    func prefixed(_ path: String) -> String { ConfigurationPath.absolute(path, in: configuration.prefix) }
}
