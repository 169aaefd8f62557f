import ArgumentParser
import Foundation

/// `goodgate init [FOLDER]`: a configuration to start from.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented configuration for the application in a folder.",
        discussion: """
            Looks for \(StarterConfiguration.signs). Writes goodgate.conf into the folder, and never over a file that is there.
            """)

    @Argument(help: "The folder of the application.")
    var folder = "."

    @Flag(help: "Print the configuration, write nothing.")
    var print = false

    /// What it writes.
    static let fileName = "goodgate.conf"

    func run() throws {
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        guard (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil else {
            throw ValidationError("\(folder): no such folder")
        }
        let file = path + "/" + Self.fileName
        guard print || !FileManager.default.fileExists(atPath: file) else {
            throw ValidationError("\(file) is there already and stays as it is; --print shows what would be written")
        }
        let searchPath = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let project = ProjectFolder(path, searchPath: searchPath.split(separator: ":").map(String.init))
        guard let starter = StarterConfiguration.make(for: project) else {
            throw ValidationError("\(path): nothing that is known; looked for \(StarterConfiguration.signs)")
        }
        if starter.isComplete {
            let whole = "\(path)/\(starter.origin)"
            return Swift.print("\(whole) is a whole configuration and runs as it is: goodgate run -c \(whole)")
        }
        let text = starter.text(for: project)
        guard !print else { return Swift.print(text, terminator: "") }
        do {
            // Fails when the file has come to be meanwhile.
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw ValidationError("\(file) cannot be written: \(error.localizedDescription)")
        }
        Swift.print("\(file) was made from \(starter.origin). Look at it, then: goodgate run -p \(path)")
    }
}
