import Config
import Glibc
import Machine
import Messages
import struct TestKit.SeededGenerator
import TestKit
import Testing

@testable import Supervisor

@Suite("Random accidents to real processes", .blocking)
struct AppChaosTests {
    /// All processes that run a script of this test, found by their command lines, whoever their parents are.
    private func scripts(_ directory: TestDirectory) -> [Int32] {
        System.glob("/proc/[0-9]*").compactMap { path in
            let line = System.text(path + "/cmdline")
            return line.contains(directory.path) && line.contains(".py") ? Int32(path.dropFirst(6)) : nil
        }
    }

    @Test("apps, keepers and the supervisor are killed at random: never more processes than slots allow, none left over",
          arguments: [1, 2, 3] as [UInt64])
    func accidents(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let directory = TestDirectory()
        var host = try TestHost(directory: directory)
        var specification = host.specification(instances: 2)
        specification.restart = RestartPolicy(firstDelay: .milliseconds(20), lastDelay: .milliseconds(100))
        specification.stopTimeout = .seconds(2)
        host.start(specification)
        var most = 0
        for step in 0..<14 {
            let processes = host.processes
            switch dice.next(below: 6) {
            case 0, 1: if let victim = processes.first { kill(victim, SIGKILL) }
            case 2:
                let keepers = host.supervisor.apps["api"]?.instances.values.compactMap { $0.state?.keeperProcess } ?? []
                if let keeper = keepers.first { kill(keeper, SIGKILL) }
            case 3:
                host.die()
                if dice.next(below: 2) == 0, let victim = processes.last { kill(victim, SIGKILL) }
                if dice.next(below: 3) == 0 { try? System.remove(directory.path + "/s/apps.state") }
                host = try TestHost(directory: directory)
                host.supervisor.configure([specification])
            case 4: _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["N=\(step)"], soakMilliseconds: 0))
            default: _ = host.supervisor.restart(app: "api")
            }
            let time = Double(dice.next(below: 600)) / 1000
            _ = host.run(seconds: time) { _ in
                most = max(most, scripts(directory).count)
                return false
            }
        }
        #expect(most <= 4, "two slots, at most two instances in each")
        #expect(host.run(seconds: 30) { $0.routes.count == 2 && !$0.supervisor.status[0].isRolling && $0.processes.count == 2 })
        #expect(scripts(directory).sorted() == host.processes)
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("200 OK")) }
        host.finish()
        #expect(eventually { scripts(directory).isEmpty })
        #expect(eventually { System.glob(directory.path + "/s/keepers/*").isEmpty })
    }
}
