import ArgumentParser
import Foundation

/// `goodgate demo-app`: the application of the demo and of `goodgate drill`.
struct DemoAppCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-app",
        abstract: "A small web application worth killing; the demo and the drill run it.",
        discussion: """
            Listens where an app block tells it to: LISTEN_FDS, SOCKET_PATH, or HOST and PORT.

              GET  /              which instance answers
              GET  /health        200
              GET  /slow?ms=N     an answer after N milliseconds
              GET  /crash         ends the process with status 1
              GET  /eat?mb=N      takes N megabytes and keeps them
              GET  /faults?close_every=N&idle_close=MS
                                  from now on, every Nth request is left without an answer, and idle
                                  connections are closed after 1 to MS milliseconds; 0 is never
              POST /...           is executed once, and its X-Request-Id noted in the ledger
            """)

    @Option(help: "Directory for ledgers: each process notes there the X-Request-Id of each POST it executed.")
    var ledger: String?

    @Option(help: "File with \"failures=N\", starts that still fail, and \"delay=MS\", how long a start takes.")
    var boot: String?

    @Option(help: "Connections that wait to be accepted, at most.")
    var backlog: Int32 = 128

    @Option(help: "Leave every Nth request without an answer, from the start; 0 is never.")
    var closeEvery = 0

    @Flag(help: "Say that it cannot start, and exit with status 1.")
    var fail = false

    func validate() throws {
        guard (1...65_535).contains(backlog) else { throw ValidationError("--backlog takes 1 to 65535") }
    }

    func run() async throws {
        if fail { throw DemoAppError("cannot start, because --fail says so") }
        if let boot { try await DemoAppBoot.wait(file: boot) }
        let address = try DemoAppAddress(environment: ProcessInfo.processInfo.environment)
        let release = ProcessInfo.processInfo.environment["RELEASE"] ?? "1"
        let state = try DemoAppState(ledgerDirectory: ledger)
        await state.setFaults(closeEvery: closeEvery, idleClose: 0)
        try await DemoApp(state: state, name: "release \(release), process \(ProcessInfo.processInfo.processIdentifier)")
            .run(at: address, backlog: backlog)
    }
}

/// What keeps the demo app from starting, in words for people.
struct DemoAppError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Starts that fail or take their time, as a file orders.
enum DemoAppBoot {
    /// Does what the file says now. A start that fails counts itself off.
    static func wait(file: String) async throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return }
        var values: [Substring: Int] = [:]
        for word in text.split(whereSeparator: \.isWhitespace) {
            let pair = word.split(separator: "=", maxSplits: 1)
            if pair.count == 2, let number = Int(pair[1]) { values[pair[0]] = number }
        }
        if let failures = values["failures"], failures > 0 {
            let rest = "failures=\(failures - 1) delay=\(values["delay"] ?? 0)\n"
            try rest.write(toFile: file, atomically: true, encoding: .utf8)
            throw DemoAppError("cannot start, because \(file) says so \(failures) more times")
        }
        if let delay = values["delay"], delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
    }
}
