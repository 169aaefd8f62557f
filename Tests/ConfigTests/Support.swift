@testable import Config

/// Files in memory.
struct MemorySource: ConfigurationSource {
    var files: [String: String] = [:]
    var facts: ConfigurationFacts
    var names: [String: NameResolution] = [:]

    init(_ files: [String: String] = [:]) {
        self.files = files
        facts = ConfigurationFacts()
        facts.isRoot = true
        facts.hostName = "Box.example"
        facts.processorCount = 4
    }

    func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        guard let text = files[path] else { throw ConfigurationReadError(code: 2, text: "No such file or directory") }
        return Array(text.utf8)
    }

    func glob(pattern: String) -> [String] {
        let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return files[pattern] == nil ? [] : [pattern] }
        return files.keys.filter { $0.hasPrefix(parts[0]) && $0.hasSuffix(parts[1]) }.sorted()
    }

    func resolve(host: String) -> NameResolution { names[host] ?? .postponed }
}

/// Parses `/etc/nginx/nginx.conf` with the prefix `/srv/`.
func parse(_ text: String, files: [String: String] = [:], source: MemorySource? = nil) -> Configuration.Outcome {
    var source = source ?? MemorySource(files)
    source.files["/etc/nginx/nginx.conf"] = text
    return Configuration.parse(
        ConfigurationRequest(path: "/etc/nginx/nginx.conf", prefix: "/srv"), source: source, patterns: GroupCounter())
}

/// What stands around a snippet.
enum Wrapping: String, CaseIterable {
    case main, events, http, server, location, upstream, serverIf, locationIf, limitExcept, app, match

    /// What may stand there.
    var context: DirectiveContext {
        switch self {
        case .main: .main
        case .events: .events
        case .http: .http
        case .server: .server
        case .location: .location
        case .upstream: .upstream
        case .serverIf: .serverIf
        case .locationIf: .locationIf
        case .limitExcept: .limitExcept
        case .app: .app
        case .match: .match
        }
    }

    /// The lines before and after the snippet; the snippet begins on line `prefix.count + 1`.
    private var lines: (before: [String], after: [String]) {
        switch self {
        case .main: (["events { }"], [])
        case .events: (["events {"], ["}"])
        case .http: (["events { }", "http {"], ["}"])
        case .server: (["events { }", "http {", "server {"], ["}", "}"])
        case .location: (["events { }", "http {", "server {", "location / {"], ["}", "}", "}"])
        case .upstream: (["events { }", "http {", "upstream u {"], ["}", "}"])
        case .serverIf: (["events { }", "http {", "server {", "if ($uri) {"], ["}", "}", "}"])
        case .locationIf:
            (["events { }", "http {", "server {", "location / {", "if ($uri) {"], ["}", "}", "}", "}"])
        case .limitExcept:
            (["events { }", "http {", "server {", "location / {", "limit_except GET {"], ["}", "}", "}", "}"])
        case .app: (["events { }", "app a {"], ["}"])
        case .match: (["events { }", "http {", "match m {"], ["}", "}"])
        }
    }

    /// Line of the first line of the snippet.
    var firstLine: Int { lines.before.count + 1 }

    func around(_ snippet: String) -> String {
        (lines.before + [snippet] + lines.after).joined(separator: "\n") + "\n"
    }
}

extension Configuration.Outcome {
    /// Errors as `LINE MESSAGE`.
    var errors: [String] { lines(.emergency) }
    var warnings: [String] { lines(.warning) }
    var notices: [String] { lines(.notice) }

    private func lines(_ severity: Diagnostic.Severity) -> [String] {
        diagnostics.filter { $0.severity == severity }.map { "\($0.location?.line ?? 0) \($0.message)" }
    }
}

extension Configuration {
    /// Settings of the only server's location with that name; nested ones too.
    func location(_ name: String, server: Int = 0) -> LocationSettings {
        func find(_ nodes: [LocationNode]) -> LocationNode? {
            for node in nodes {
                if node.match.name(patterns: patterns).elementsEqual(name.utf8) { return node }
                if let found = find(node.children) { return found }
            }
            return nil
        }
        guard let http, let node = find(http.servers[server].locations) else { return LocationSettings() }
        return http[node.settings]
    }

    var server: ServerSettings { http!.servers[0] }
    var serverSettings: LocationSettings { http![server.settings] }

    /// A template as text, with variables as `$name` and captures as `$1`.
    func text(_ template: Template?) -> String? {
        guard let template else { return nil }
        return template.parts.map { part in
            switch part {
            case .literal(let bytes): String(decoding: bytes, as: UTF8.self)
            case .variable(let id): "$\(variables[id].name)"
            case .capture(let index): "$\(index)"
            }
        }.joined()
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
