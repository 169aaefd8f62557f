import Config
import Diagnosis
import Foundation

/// Files on disk for `check`. A file whose
/// directives belong into an `http` block is a site file, as in conf.d: it is wrapped in what nginx.conf would put around it.
struct CheckedFiles: ConfigurationSource {
    let main: String
    let facts: ConfigurationFacts

    init(main: String) {
        self.main = main
        var facts = ConfigurationFacts()
        // As a service would start it, whoever asks.
        facts.isRoot = true
        facts.hostName = ProcessInfo.processInfo.hostName
        facts.processorCount = ProcessInfo.processInfo.activeProcessorCount
        self.facts = facts
    }

    func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let kind = (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
        if let kind, ![.typeRegular, .typeDirectory].contains(kind), target != "/dev/null" {
            throw .unsuitable("is no regular file")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationReadError(code: 2, text: "No such file or directory")
        }
        let bytes = [UInt8](data)
        return path == main && Self.isSiteFile(bytes) ? Array("events {} http { ".utf8) + bytes + Array("\n}\n".utf8) : bytes
    }

    /// Whether a file is one for conf.d.
    static func isSiteFile(at path: String) -> Bool { FileManager.default.contents(atPath: path).map { isSiteFile([UInt8]($0)) } ?? false }

    private static let backupEndings = ["~", ".bak", ".old", ".orig", ".save", ".swp", ".rpmnew", ".rpmsave"]

    /// Whether a file of a folder is a configuration: by its name, or because it begins with a directive, as in Debian's sites-available.
    static func isConfiguration(at path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        if name.hasSuffix(".conf") { return true }
        if name.hasPrefix(".") || name.contains(".dpkg-") || backupEndings.contains(where: name.hasSuffix) { return false }
        // A folder may hold anything, and a directive stands early.
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 65_536) else { return false }
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = line.drop { $0 == " " || $0 == "\t" }
            if text.isEmpty || text.first == "#" { continue }
            let word = String(text.prefix { !" \t;{".contains($0) })
            return word == "include" || !DirectiveTable.entries(named: word).isEmpty
        }
        return false
    }

    /// Whether the first directive that stands in only one of the two is one of the http block's, not of the main context.
    private static func isSiteFile(_ bytes: [UInt8]) -> Bool {
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let word = line.drop { $0 == " " || $0 == "\t" }.prefix { !" \t;{".contains($0) }
            var contexts: DirectiveContext = []
            for entry in DirectiveTable.entries(named: String(word)) { contexts.formUnion(entry.contexts) }
            if contexts.contains(.main) != contexts.contains(.http) { return contexts.contains(.http) }
        }
        return false
    }

    func glob(pattern: String) -> [String] { Glob.paths(pattern, from: LiveSystem()).filter { FileManager.default.fileExists(atPath: $0) } }
}
