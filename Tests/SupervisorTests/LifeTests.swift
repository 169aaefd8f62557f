import Foundation
import TestKit
import Testing

@testable import Supervisor

/// A running supervisor with stand-in workers: reloads, crashes, log rotation, upgrades.
@Suite(.blocking, .timeLimit(.minutes(20))) struct LifeTests {
    private func generation(_ rig: ProgramRig, _ port: UInt16) -> Int32? { ProgramRig.number(after: "generation", in: rig.ask(port: port)) }
    private func worker(_ rig: ProgramRig, _ port: UInt16) -> Int32? { ProgramRig.number(after: "worker", in: rig.ask(port: port)) }

    @Test func aReloadReplacesTheWorkersAndSaysSoOnceForEach() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure("worker_processes 2;", http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            #expect(generation(rig, port) == 1)
            for expected in 1...3 {
                rig.signal(SIGHUP)
                #expect(rig.waitForLog("exited with code 0", count: expected * 2))
                #expect(generation(rig, port) == Int32(expected + 1))
            }
            #expect(rig.read("error.log").components(separatedBy: "exited with code").count == 7)
            #expect(!rig.read("error.log").contains("[alert]"))
        }
    }

    @Test func noConnectionIsRefusedDuringReloads() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure("worker_processes 2;", http: "server { listen 127.0.0.1:\(port) reuseport; }")
            try rig.start()
            var refused = 0
            for round in 0..<10 {
                rig.signal(SIGHUP)
                for _ in 0..<20 where rig.ask(port: port) == nil { refused += 1 }
                #expect(rig.waitForLog("exited with code 0", count: 2 * (round + 1)))
            }
            // An accepted connection of a stand-in that ends is reset, not refused: it drains without looking at its queue. So only a
            // connection that nobody took counts, and with reuseport each queue has a reader in every generation.
            #expect(refused <= 20)
            #expect(generation(rig, port) == 11)
        }
    }

    @Test func aReloadMovesListeners() throws {
        try withRig { rig in
            let ports = (0..<3).map { _ in ProgramRig.freePort() }
            try rig.configure(
                http: "server { listen 127.0.0.1:\(ports[0]); listen 127.0.0.1:\(ports[1]); listen unix:\(rig.directory)/a; }")
            try rig.start()
            try rig.configure(
                http: "server { listen 127.0.0.1:\(ports[1]); listen 127.0.0.1:\(ports[2]); listen unix:\(rig.directory)/b; }")
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("exited with code 0"))
            #expect(generation(rig, ports[1]) == 2)
            #expect(generation(rig, ports[2]) == 2)
            #expect(rig.ask(port: ports[0]) == nil)
            #expect(!rig.exists("a"))
            #expect(rig.ask(path: rig.directory + "/b") != nil)
        }
    }

    @Test func aBrokenConfigurationKeepsTheOldOneAndSaysWhy() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            let good = rig.read("nginx.conf")
            try rig.write("nginx.conf", good + "rubbish;\n")
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("[emerg]"))
            #expect(rig.read("error.log").contains("unknown directive \"rubbish\" in \(rig.directory)/nginx.conf:"))
            #expect(generation(rig, port) == 1)
            try rig.write("nginx.conf", good)
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("exited with code 0"))
            #expect(generation(rig, port) == 2)
        }
    }

    @Test(arguments: ["standin-refuse", "standin-crash"]) func aReloadWhoseWorkersFailIsGivenUp(word: String) throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            try rig.configure("# \(word)", http: "server { listen 127.0.0.1:\(port); listen unix:\(rig.directory)/new; }")
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("the new configuration is given up, the running one stays"))
            #expect(generation(rig, port) == 1)
            #expect(!rig.exists("new"))
        }
    }

    @Test func aReloadThatIsGivenUpDrainsTheWorkersThatWereReady() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure("worker_processes 2;", http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            #expect(generation(rig, port) == 1)
            try rig.configure("worker_processes 2; # standin-half", http: "server { listen 127.0.0.1:\(port); }")
            rig.signal(SIGHUP)
            var silent: Int32?
            var isReady = false
            #expect(
                rig.wait {
                    let answer = rig.ask(port: port)
                    guard ProgramRig.number(after: "generation", in: answer) == 2 else { return false }
                    if ProgramRig.number(after: "place", in: answer) == 0 {
                        isReady = true
                    } else {
                        silent = ProgramRig.number(after: "worker", in: answer)
                    }
                    return isReady && silent != nil
                })
            let starting = try #require(silent)
            rig.signal(SIGKILL, to: starting)
            #expect(rig.waitForLog("the new configuration is given up, the running one stays"))
            #expect(rig.waitForLog("generation 2 drains"), "it may have requests")
            #expect(!rig.read("error.log").contains("generation 2 stops"))
            #expect(rig.waitForLog("exited with code 0"))
            #expect(generation(rig, port) == 1)
        }
    }

    @Test(arguments: [SIGQUIT, SIGTERM]) func anEndDuringAReloadLeavesNothingBehind(signal: Int32) throws {
        try withRig { rig in
            try rig.configure(http: "server { listen unix:\(rig.directory)/old; }")
            try rig.start()
            #expect(rig.ask(path: rig.directory + "/old") != nil)
            try rig.configure("# standin-silent", http: "server { listen unix:\(rig.directory)/new; }")
            try rig.write("nginx.conf", rig.read("nginx.conf").replacingOccurrences(of: "/nginx.pid", with: "/new.pid"))
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("generation 2 runs"))
            #expect(rig.exists("new") && rig.exists("new.pid"))
            rig.signal(signal)
            #expect(rig.wait { !rig.isRunning })
            for name in ["old", "new", "nginx.pid", "new.pid"] { #expect(!rig.exists(name), "\(name)") }
        }
    }

    @Test func aReloadThatCannotWriteItsPidFileLeavesNothing() throws {
        try withRig { rig in
            try rig.configure(http: "server { listen unix:\(rig.directory)/old; }")
            try rig.start()
            let good = rig.read("nginx.conf")
            let bad = good.replacingOccurrences(of: "/nginx.pid", with: "/missing/nginx.pid").replacingOccurrences(of: "/old", with: "/new")
            try rig.write("nginx.conf", bad)
            rig.signal(SIGHUP)
            #expect(rig.waitForLog("[emerg]"))
            #expect(rig.read("error.log").contains("/missing/nginx.pid\" failed (2: No such file or directory)"))
            #expect(rig.wait { !rig.exists("new") })
            #expect(rig.ask(path: rig.directory + "/old") != nil)
        }
    }

    @Test func aStartThatCannotWriteItsPidFileSaysSoAndLeavesNothing() throws {
        try withRig { rig in
            try rig.configure(http: "server { listen unix:\(rig.directory)/s; }")
            try rig.write("nginx.conf", rig.read("nginx.conf").replacingOccurrences(of: "/nginx.pid", with: "/missing/nginx.pid"))
            #expect(try rig.run(rig.standardArguments + ["-g", "daemon off;"]).status == 1)
            let lines = rig.read("error.log").split(separator: "\n").filter { $0.contains("[emerg]") }
            #expect(lines.count == 1 && lines[0].hasSuffix("failed (2: No such file or directory)"), "\(lines)")
            #expect(!rig.exists("s"))
        }
    }

    @Test func aStartThatTheWorkersRefuseEndsWithStatusOne() throws {
        try withRig { rig in
            try rig.configure("# standin-refuse")
            #expect(try rig.run(rig.standardArguments + ["-g", "daemon off;"]).status == 1)
            #expect(rig.read("error.log").contains("[emerg]"))
            #expect(!rig.exists("nginx.pid"))
        }
    }

    @Test func aCrashedWorkerIsReplacedAndCrashesInARowAreSlowedDown() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            for count in 1...3 {
                let process = try #require(worker(rig, port))
                rig.signal(SIGSEGV, to: process)
                #expect(rig.waitForLog("worker process \(process) exited on signal 11"))
                #expect(rig.waitForLog("start worker process", count: count + 2))
            }
            let log = rig.read("error.log")
            #expect(log.contains("the next start is in 100 ms"))
            #expect(log.contains("the next start is in 200 ms"))
            #expect(ProgramRig.number(after: "column", in: rig.ask(port: port)) == 1)
        }
    }

    @Test func logsAreReopened() throws {
        try withRig { rig in
            try rig.configure()
            try rig.start()
            #expect(rig.waitForLog("runs"))
            try FileManager.default.moveItem(atPath: rig.directory + "/error.log", toPath: rig.directory + "/error.log.1")
            rig.signal(SIGUSR1)
            #expect(rig.waitForLog("has logs"), "the worker writes to the new file")
            #expect(rig.read("error.log.1").contains("reopens"))
            rig.signal(SIGQUIT)
            #expect(rig.wait { !rig.isRunning })
            #expect(rig.read("error.log").contains("[notice] \(rig.processIdentifier)#\(rig.processIdentifier): exit"))
        }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT]) func everyEndLeavesNothingBehind(signal: Int32) throws {
        try withRig { rig in
            try rig.configure("worker_processes 3;", http: "server { listen unix:\(rig.directory)/s; }")
            try rig.start()
            #expect(rig.ask(path: rig.directory + "/s") != nil)
            rig.signal(signal)
            #expect(rig.wait { !rig.isRunning })
            #expect(rig.status == 0)
            #expect(!rig.exists("nginx.pid"))
            #expect(!rig.exists("s"))
        }
    }

    @Test func workersThatDoNotListenAreKilled() throws {
        try withRig { rig in
            try rig.configure("# standin-stubborn")
            try rig.start()
            #expect(rig.waitForLog("runs"))
            rig.signal(SIGTERM)
            #expect(rig.wait { !rig.isRunning })
            #expect(rig.read("error.log").contains("exited on signal 9"))
        }
    }

    @Test func aWorkerThatTalksWithoutAPauseKeepsNobodyFromBeingHeard() throws {
        try withRig { rig in
            try rig.configure("# standin-flood")
            try rig.start()
            let start = Date()
            #expect(rig.waitForLog("more before it"))
            rig.signal(SIGQUIT)
            #expect(rig.wait { !rig.isRunning })
            let lines = rig.read("error.log").components(separatedBy: "is not understood").count - 1
            #expect(lines <= Int(Date().timeIntervalSince(start)) + 2, "one line a second at most")
        }
    }

    @Test func manyListenersArriveInSeveralPackets() throws {
        try withRig { rig in
            let list = (0..<150).map { "listen unix:\(rig.directory)/s\($0);" }.joined(separator: " ")
            try rig.configure(http: "server { \(list) }")
            try rig.start()
            for index in [0, 59, 60, 61, 119, 120, 149] { #expect(rig.ask(path: rig.directory + "/s\(index)") != nil) }
        }
    }

    @Test func aWorkerSurvivesTheSupervisorsDeathOnlyAsItLikes() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            #expect(worker(rig, port) != nil)
            rig.signal(SIGKILL)
            #expect(rig.waitForLog("lost its supervisor"), "the end of the channel tells a worker")
        }
    }

    @Test func aBinaryUpgradeKeepsTheSocketsWhicheverSideGoes() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); listen unix:\(rig.directory)/s; }")
            try rig.start()
            let old = rig.processIdentifier
            func pid() -> Int32? { Int32(rig.read("nginx.pid").trimmingCharacters(in: .whitespacesAndNewlines)) }

            rig.signal(SIGUSR2)
            #expect(rig.wait { rig.exists("nginx.pid.oldbin") && rig.exists("nginx.pid") })
            let first = try #require(pid())
            #expect(first != old)
            #expect(rig.read("nginx.pid.oldbin") == "\(old)\n")
            rig.signal(SIGTERM, to: first)
            #expect(rig.wait { !rig.exists("nginx.pid.oldbin") })
            #expect(pid() == old)
            #expect(rig.ask(path: rig.directory + "/s") != nil)

            rig.signal(SIGUSR2)
            #expect(rig.wait { rig.exists("nginx.pid.oldbin") && rig.exists("nginx.pid") })
            let second = try #require(pid())
            defer { kill(second, SIGKILL) }
            rig.signal(SIGQUIT)
            #expect(rig.wait { !rig.isRunning && !rig.exists("nginx.pid.oldbin") })
            #expect(rig.ask(path: rig.directory + "/s") != nil)
            #expect(rig.ask(port: port) != nil)
            rig.signal(SIGTERM, to: second)
            #expect(rig.wait { !rig.exists("nginx.pid") && !rig.exists("s") })
        }
    }

    @Test func anOldBinaryThatIsKilledLeavesNoPidFileWhateverTheNewOneCallsIts() throws {
        try withRig { rig in
            try rig.configure(http: "server { listen unix:\(rig.directory)/s; }")
            try rig.start()
            #expect(rig.ask(path: rig.directory + "/s") != nil)
            try rig.write("nginx.conf", rig.read("nginx.conf").replacingOccurrences(of: "/nginx.pid", with: "/other.pid"))
            rig.signal(SIGUSR2)
            #expect(rig.wait { rig.exists("nginx.pid.oldbin") && rig.exists("other.pid") })
            let new = try #require(Int32(rig.read("other.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
            defer { kill(new, SIGKILL) }
            rig.signal(SIGKILL)
            #expect(rig.wait { !rig.exists("nginx.pid.oldbin") })
            rig.signal(SIGTERM, to: new)
            #expect(rig.wait { !rig.exists("other.pid") && !rig.exists("s") })
        }
    }
}
