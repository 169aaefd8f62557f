import ArgumentParser
import Config

/// `goodgate compatibility`: the table of directives as Markdown. docs/nginx-compatibility.md is its output.
struct CompatibilityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compatibility", abstract: "Print what becomes of each nginx directive, as Markdown.", shouldDisplay: false)

    func run() { print(CompatibilityTable.markdown, terminator: "") }
}
