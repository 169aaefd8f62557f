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

            With --app and --url it works on the goodgate that runs, and on your own app: it KILLS AND STOPS the app's
            processes and workers while it sends GET requests to the URL, which is why it asks for --kill. No POSTs; parked,
            retried and rescued are then counted of everybody's requests. A stopped process goes on after at most 10 s, also
            when the drill is interrupted.
              goodgate drill --app api --url http://127.0.0.1:8080/ --kill
              its faults: \(RunningSite.faults.map(\.word).joined(separator: ", "))
              only with --only, because it puts in force what the configuration files say now:
                          \(RunningSite.faultsOnDemand.map(\.word).joined(separator: ", "))

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

    @Option(help: "An app of the running goodgate, instead of the demo app; with --url and --kill.")
    var app: String?

    @Option(help: "What its load asks for: http://HOST[:PORT][/PATH].")
    var url: String?

    @Flag(help: "Yes, kill processes of that app and workers of the running goodgate.")
    var kill = false

    @OptionGroup var options: ControlOptions

    func validate() throws {
        guard (0.5...600).contains(seconds) else { throw ValidationError("--seconds takes 0.5 to 600") }
        let known = app == nil ? DrillFault.allCases : RunningSite.faults + RunningSite.faultsOnDemand
        for word in only where !known.contains(where: { $0.word == word }) {
            throw ValidationError("there is no fault \"\(word)\"; there are \(known.map(\.word).joined(separator: ", "))")
        }
        guard (app == nil) == (url == nil) else { throw ValidationError("--app and --url belong together") }
        if let url, LoadTarget(url: url) == nil { throw ValidationError("--url takes http://HOST[:PORT][/PATH], not \(url)") }
        if let app, !kill {
            throw ValidationError("this kills processes of app \(app) and workers under load: say --kill if that is meant")
        }
    }

    /// The faults that were asked for.
    private var faults: [DrillFault] {
        let usual = app == nil ? DrillFault.allCases : RunningSite.faults
        guard only.isEmpty else {
            return (app == nil ? usual : usual + RunningSite.faultsOnDemand).filter { only.contains($0.word) }
        }
        return short ? usual.filter(DrillFault.short.contains) : usual
    }

    func run() async throws {
        let command = self
        let work = Task { try await command.drill() }
        let interruption = Interruption { work.cancel() }
        do {
            try await work.value
        } catch {
            guard let cause = interruption.cause else { throw error }
            FileHandle.standardError.write(Data("goodgate: the drill was interrupted by \(cause.name)\n".utf8))
            throw ExitCode(cause.status)
        }
    }

    private func drill() async throws {
        if let app, let url, let load = LoadTarget(url: url) {
            let rows = try await run(RunningSite(client: options.client, app: app, load: load), faults)
            try report(rows)
            return
        }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let site = try await DrillSite(programs: program.deletingLastPathComponent())
        let rows: [DrillRow]
        do {
            rows = try await run(site, faults)
        } catch {
            await site.stop(keepsFolder: keep || !Task.isCancelled)
            throw error
        }
        let isPassed = rows.allSatisfy(\.isPassed)
        await site.stop(keepsFolder: keep || !isPassed)
        if !options.json, keep || !isPassed { print("its folder: \(site.folder.path)") }
        try report(rows)
    }

    private func run(_ site: any DrillTarget, _ faults: [DrillFault]) async throws -> [DrillRow] {
        do {
            let drill = Drill(site: site, time: .seconds(seconds))
            return try await drill.run(faults) { announcement in
                if let announcement { FileHandle.standardError.write(Data(announcement.utf8)) }
                if !options.json { print(DrillText.header) }
                fflush(nil)
            } each: { row in
                if !options.json { print(DrillText.render(row)) }
                fflush(nil)
            }
        } catch {
            if Task.isCancelled { throw error }
            FileHandle.standardError.write(Data("goodgate: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    /// Prints what it came to; exit status 1 if anything failed.
    private func report(_ rows: [DrillRow]) throws {
        if options.json { try options.printJSON(rows) } else { print(DrillText.summary(rows)) }
        if !rows.allSatisfy(\.isPassed) { throw ExitCode(1) }
    }
}
