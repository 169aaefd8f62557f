import Config
import Glibc
import Machine
import Messages
import Testing

@testable import Supervisor

/// What several reloads, deploys and orders one after the other come to.
@Suite("Reloads and deploys, one after the other")
struct AppReloadTests {
    private func versions(_ host: TestHost) -> Set<String> {
        Set(host.routes.values.map { route in
            String(TestHost.get(route.address).split(separator: "\r\n").last?.split(separator: " ").first ?? "?")
        })
    }

    private func deploy(_ host: TestHost, _ version: Int, soak: UInt32 = 0) -> AppMachine.Answer {
        host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=\(version)"], soakMilliseconds: soak)).answer
    }

    private func ends(_ host: TestHost) -> Int {
        host.reports.count { if case .rollEnded = $0.report { true } else { false } }
    }

    @Test("a block that is put back before its app has ended: it runs again, unless it had been stopped", arguments: [
        (false, "1"), (false, "5"), (true, "1"),
    ])
    func putBack(wasStopped: Bool, version: String) throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        host.drainMilliseconds = 400
        if wasStopped { _ = host.supervisor.stop(app: "api") }
        host.supervisor.configure([])
        // A reload in between, of something else.
        host.supervisor.configure([])
        #expect(host.run { $0.routes.isEmpty && $0.supervisor.apps["api"] != nil })
        if version != "1" { specification.environment = ["VERSION=\(version)"] }
        host.supervisor.configure([specification])
        let saved = try #require(host.supervisor.directories.load { _ in }?.apps.first)
        #expect(saved.isRunning == !wasStopped)
        if wasStopped {
            #expect(host.run { $0.processes.isEmpty })
            #expect(!host.run(seconds: 0.3) { !$0.processes.isEmpty })
        } else {
            #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
            #expect(versions(host) == [version])
        }
    }
}
