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

    @Flag(help: "Print JSON.")
    var json = false

    /// What it writes.
    static let fileName = "goodgate.conf"

    func run() throws {
        let report: InitReport
        do {
            report = try make()
        } catch {
            if json { try ControlOptions.printJSON(APIError.Body(error: "refused", message: error.message)) }
            throw error
        }
        if json { return try ControlOptions.printJSON(report) }
        guard let text = report.configuration else {
            return Swift.print("\(report.origin) is a whole configuration and runs as it is: goodgate run -c \(report.origin)")
        }
        guard let file = report.file else { return Swift.print(text, terminator: "") }
        Swift.print("\(file) was made from \(report.origin). Look at it, then: goodgate run -p \(report.folder)")
    }

    /// Looks, and writes unless only `--print` is asked for.
    private func make() throws(ClientError) -> InitReport {
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        guard (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil else {
            throw ClientError("\(folder): no such folder")
        }
        let file = path + "/" + Self.fileName
        guard print || !FileManager.default.fileExists(atPath: file) else {
            throw ClientError("\(file) is there already and stays as it is; --print shows what would be written")
        }
        let searchPath = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let project = ProjectFolder(path, searchPath: searchPath.split(separator: ":").map(String.init))
        guard let starter = StarterConfiguration.make(for: project) else {
            throw ClientError("\(path): nothing that is known; looked for \(StarterConfiguration.signs)")
        }
        if starter.isComplete {
            let whole = "\(path)/\(starter.origin)"
            return InitReport(folder: path, origin: whole, file: nil, configuration: nil)
        }
        let text = starter.text(for: project)
        guard !print else { return InitReport(folder: path, origin: starter.origin, file: nil, configuration: text) }
        do {
            // Fails when the file has come to be meanwhile.
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw ClientError("\(file) cannot be written: \(error.localizedDescription)")
        }
        return InitReport(folder: path, origin: starter.origin, file: file, configuration: text)
    }
}
