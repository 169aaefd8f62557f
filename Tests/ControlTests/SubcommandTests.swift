import ArgumentParser
import Control
import Supervisor
import Testing

@Suite("The commands of both programs")
struct SubcommandTests {
    /// What the supervisor's program starts in the foreground by itself: not for people.
    private static let hidden: Set = ["serve"]

    @Test("whatever goodgate passes on, goodgate-control knows, and the other way round") func names() {
        let known = ControlProgram.configuration.subcommands.compactMap { $0.configuration.commandName }
        #expect(Set(known).subtracting(Self.hidden).union(["help"]) == Set(Subcommand.controlNames))
        #expect(Set(Subcommand.controlNames).count == Subcommand.controlNames.count)
    }

    @Test("the help names each of them", arguments: Subcommand.controlNames + ["run", "version"]) func help(name: String) {
        let words = HelpText.text(for: Identity(programPath: "goodgate")).split { !$0.isLetter && $0 != "-" }
        #expect(words.contains(name[...]))
    }
}
