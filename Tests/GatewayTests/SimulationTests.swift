import Glibc
import Testing

/// The worker as it is shipped, under a simulated kernel: sockets, epoll and the clock come from a seed.
/// `GOODGATE_SIMULATE=SEED Scripts/run-tests --filter SimulationTests` runs one seed and prints what happened.
@Suite struct SimulationTests {
    /// Seeds that found something once.
    static let found: [UInt64] = [
        18, // proxy_http_version 1.0 and a chunked body that is not buffered: sent with a length of 0
        69, 93, 212, // keep-alive was promised, and the connection closed: an answer before the body was read
        71, // a buffer was left to an exchange that had ended: bad chunks
        329, 415, // a cached connection that was dead counted against its peer, which was not tried again
        890, 1007, // an answer before the request was sent: its head was waited for again
        717, // 100 Continue did not fit into the socket: its rest was never sent, and the next head came behind half a line
        5745, // a reset that a send was told of passed for the end of the body
    ]

    private func run(_ seed: UInt64, isTraced: Bool = false) -> String? {
        var template = Array("/tmp/goodgate-simulation-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return "mkdtemp failed" }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for part in ["body", "proxy"] { mkdir("\(directory)/\(part)", 0o700) }
        let simulation = Simulation(seed: seed, directory: directory, isTraced: isTraced)
        let faults = simulation.run()
        if let trace = simulation.network.trace { print(simulation.plan.configuration + "\n" + trace.joined(separator: "\n")) }
        removeTree(directory)
        guard !faults.isEmpty else { return nil }
        let again = "GOODGATE_SIMULATE=\(seed) Scripts/run-tests --filter SimulationTests"
        return "seed \(seed): \(faults.prefix(3).joined(separator: "; ")) (again: \(again))"
    }

    private func removeTree(_ path: String) {
        guard let directory = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeTree("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }

    /// Sixteen parts run beside each other.
    @Test(arguments: 0..<16) func everySeedEndsWell(part: UInt64) {
        let wanted = getenv("GOODGATE_SIMULATE").map { String(cString: $0) }
        if let wanted {
            guard part == 0, let seed = UInt64(wanted) else { return }
            if let fault = run(seed, isTraced: true) { Issue.record("\(fault)") }
            return
        }
        let count = getenv("GOODGATE_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 1024
        var wrong: [String] = []
        for seed in stride(from: part, to: count, by: 16) {
            if let fault = run(seed) { wrong.append(fault) }
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(count / 16) seeds: \(wrong.prefix(4).joined(separator: "\n"))")
    }

    @Test func seedsThatFoundSomethingStayWell() {
        for seed in Self.found {
            if let fault = run(seed) { Issue.record("\(fault)") }
        }
    }
}
