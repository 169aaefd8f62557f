import ArgumentParser
import Foundation

/// `goodgate drill`: proves that nothing fails.
struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Run faults under steady load against a goodgate of its own, and count what fails.",
        discussion: """
            Starts goodgate with two instances of the demo app on free ports of 127.0.0.1, sends requests from
            64 clients (GET and POST, with and without keep-alive), and meanwhile kills, stops, deploys, reloads and
            upgrades. One row per fault; the exit status is 1 if any request failed that could have been served,
            or a POST was executed twice.

              requests    that began during the fault
              failed      5xx, reset or refused on a fresh connection, cut off, timed out, somebody else's answer;
                          POSTs whose head the dying instance had are listed below, because nobody may repeat them
              idle closes a reused connection ended before any byte of an answer
              parked      waited in the gateway for an instance
              retried     served by a second attempt
              rescued     taken back from the accept queue of a dead instance, and sent to another
              twice       POSTs that were executed more than once
              recovery    from the fault until all workers and instances ran again

            FAULTS
              \(DrillFault.allCases.map(\.word).joined(separator: ", "))
            """)

    @Flag(help: "A short form: \(DrillFault.short.map(\.word).joined(separator: ", ")).")
    var short = false

    @Option(help: "Only this fault; may be said several times.")
    var only: [String] = []

    @Option(help: "Seconds of load in each fault, at least.")
    var seconds = 3.0

    @Flag(help: "Keep the folder with configuration and logs.")
    var keep = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (0.5...600).contains(seconds) else { throw ValidationError("--seconds takes 0.5 to 600") }
        for word in only where !DrillFault.allCases.contains(where: { $0.word == word }) {
            throw ValidationError("there is no fault \"\(word)\"; there are \(DrillFault.allCases.map(\.word).joined(separator: ", "))")
        }
    }

    func run() async throws {
        let faults = DrillFault.allCases.filter { fault in
            only.isEmpty ? !short || DrillFault.short.contains(fault) : only.contains(fault.word)
        }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let site = try await DrillSite(programs: program.deletingLastPathComponent())
        if !json { print(DrillText.header) }
        let rows: [DrillRow]
        do {
            rows = try await Drill(site: site, time: .seconds(seconds)).run(faults) { row in
                if !json { print(DrillText.render(row)) }
                fflush(nil)
            }
        } catch {
            await site.stop(keepsFolder: true)
            FileHandle.standardError.write(Data("goodgate: \(error)\n".utf8))
            throw ExitCode(1)
        }
        let isPassed = rows.allSatisfy(\.isPassed)
        await site.stop(keepsFolder: keep || !isPassed)
        if json {
            print(String(decoding: try APICoding.prettyEncoder.encode(rows), as: UTF8.self))
        } else {
            print(DrillText.summary(rows))
            if keep || !isPassed { print("its folder: \(site.folder.path)") }
        }
        if !isPassed { throw ExitCode(1) }
    }
}
