import Foundation
import TestKit
import Testing

@testable import Supervisor

/// The program as a user or a script starts it.
@Suite(.blocking, .timeLimit(.minutes(20))) struct ProgramTests {
    @Test func aGoodConfigurationPassesTheTest() throws {
        try withRig { rig in
            try rig.configure(http: "server { listen 127.0.0.1:\(ProgramRig.freePort()); }")
            let result = try rig.run(["-t"] + rig.standardArguments)
            #expect(result.status == 0)
            #expect(
                result.errors == """
                    nginx: the configuration file \(rig.directory)/nginx.conf syntax is ok
                    nginx: configuration file \(rig.directory)/nginx.conf test is successful

                    """)
            #expect(!rig.exists("nginx.pid"))
            #expect(try rig.run(["-tq"] + rig.standardArguments).errors.isEmpty)
        }
    }

    @Test func aBrokenConfigurationFailsTheTestWithFileAndLine() throws {
        try withRig { rig in
            try rig.configure("bogus_directive on;")
            let result = try rig.run(["-t"] + rig.standardArguments)
            #expect(result.status == 1)
            #expect(result.errors.contains("nginx: [emerg] unknown directive \"bogus_directive\" in \(rig.directory)/nginx.conf:3\n"))
            #expect(result.errors.hasSuffix("nginx: configuration file \(rig.directory)/nginx.conf test failed\n"))
            #expect(rig.read("error.log").contains("[emerg]"))
        }
    }

    @Test func ofVeryManyErrorsTheFirstFiftyArePrinted() throws {
        try withRig { rig in
            try rig.configure(String(repeating: "nonsense;\n", count: 60))
            let result = try rig.run(["-t"] + rig.standardArguments)
            #expect(result.status == 1)
            #expect(result.errors.components(separatedBy: "unknown directive \"nonsense\"").count == 51)
            #expect(result.errors.contains("nginx: [emerg] 10 more errors are not printed\n"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root changes the user")) func whatTheHostLacksIsReportedWithTheOtherErrors() throws {
        try withRig { rig in
            for nonsense in ["", "nonsense;"] {
                try rig.configure("user nosuchuser;\nerror_log \(rig.directory)/none/e.log;\n\(nonsense)")
                let result = try rig.run(["-t"] + rig.standardArguments)
                #expect(result.status == 1)
                let file = "\(rig.directory)/nginx.conf"
                #expect(result.errors.contains("nginx: [emerg] getpwnam(\"nosuchuser\") failed in \(file):3\n"), "\(result.errors)")
                let log = "open() \"\(rig.directory)/none/e.log\" failed (2: No such file or directory) in \(file):4\n"
                #expect(result.errors.contains(log), "\(result.errors)")
                #expect(result.errors.contains("unknown directive") == !nonsense.isEmpty)
            }
        }
    }

    @Test func aMissingConfigurationIsNamed() throws {
        try withRig { rig in
            let result = try rig.run(["-t"] + rig.standardArguments)
            #expect(result.status == 1)
            #expect(result.errors.contains("open() \"\(rig.directory)/nginx.conf\" failed (2: No such file or directory)"))
        }
    }

    @Test func theDumpHoldsEveryFileOnce() throws {
        try withRig { rig in
            try rig.configure("include inc.conf; include inc.conf;")
            try rig.write("inc.conf", "# nothing")
            let result = try rig.run(["-T"] + rig.standardArguments)
            #expect(result.status == 0)
            let main = rig.read("nginx.conf")
            #expect(
                result.output == "# configuration file \(rig.directory)/nginx.conf:\n\(main)\n"
                    + "# configuration file \(rig.directory)/inc.conf:\n# nothing\n")
        }
    }

    @Test func aTestDoesNotDisturbWhatRuns() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); listen unix:\(rig.directory)/s; }")
            try rig.start()
            let pid = rig.read("nginx.pid")
            #expect(try rig.run(["-t"] + rig.standardArguments).status == 0)
            #expect(rig.read("nginx.pid") == pid)
            #expect(rig.ask(port: port) != nil)
            #expect(rig.ask(path: rig.directory + "/s") != nil)
        }
    }

    @Test(arguments: [
        (["-v"], "nginx", "nginx version: nginx/1.31.4\n"), (["-V"], "nginx", "configure arguments: --prefix="),
        (["-v"], "goodgate", "goodgate version: goodgate/"), (["-h"], "goodgate", "Examples:"), (["-h"], "nginx", "-s signal"),
    ]) func versionsAndHelpGoToStandardError(words: [String], name: String, text: String) throws {
        try withRig(name: name) { rig in
            let result = try rig.run(words)
            #expect(result.status == 0)
            #expect(result.errors.contains(text))
            #expect(result.output.isEmpty)
        }
    }

    @Test(arguments: [
        (["-x"], "nginx", "nginx: invalid option: \"x\"\n"), (["run"], "nginx", "nginx: invalid option: \"run\"\n"),
        (["-s", "restart"], "nginx", "nginx: invalid option: \"-s restart\"\n"),
        (["--test"], "goodgate", "goodgate: unknown option \"--test\"; did you mean \"-t\"?\n"),
        (["stauts"], "goodgate", "goodgate: unknown command \"stauts\" (did you mean \"status\"?)"),
    ]) func mistakesEndWithStatusOne(words: [String], name: String, text: String) throws {
        try withRig(name: name) { rig in
            let result = try rig.run(words)
            #expect(result.status == 1)
            #expect(result.errors.hasPrefix(text))
        }
    }

    @Test(arguments: [
        (["--version"], "goodgate version: goodgate/"), (["--help"], "Commands:"), (["run", "--help"], "supervises them in the foreground"),
    ]) func longOptionsPrintToStandardOutput(words: [String], text: String) throws {
        try withRig(name: "goodgate") { rig in
            let result = try rig.run(words)
            #expect(result.status == 0)
            #expect(result.output.contains(text))
            #expect(result.errors.isEmpty)
        }
        try withRig { rig in
            let result = try rig.run([words.last ?? ""])
            #expect(result.status == 1)
            #expect(result.errors == "nginx: invalid option: \"-\"\n", "nginx knows no long options")
        }
    }

    @Test func signalsAreSentByThePidFile() throws {
        try withRig { rig in
            try rig.configure()
            let none = try rig.run(["-s", "stop"] + rig.standardArguments)
            #expect(none.status == 1)
            #expect(none.errors == "nginx: [error] open() \"\(rig.directory)/nginx.pid\" failed (2: No such file or directory)\n")
            try rig.start()
            #expect(try rig.run(["-s", "reload"] + rig.standardArguments).status == 0)
            #expect(rig.waitForLog("exited with code 0"))
            #expect(try rig.run(["-s", "quit"] + rig.standardArguments).status == 0)
            #expect(rig.wait { !rig.isRunning })
            #expect(rig.status == 0)
            #expect(!rig.exists("nginx.pid"))
            try rig.write("nginx.pid", "rubbish\n")
            let bad = try rig.run(["-s", "stop"] + rig.standardArguments)
            #expect(bad.errors.contains("invalid PID number \"rubbish\" in"))
        }
    }

    @Test func aDaemonIsReadyWhenItsStarterEnds() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            #expect(try rig.run(rig.standardArguments).status == 0)
            let daemon = try #require(Int32(rig.read("nginx.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
            defer { kill(daemon, SIGTERM) }
            #expect(getsid(daemon) == daemon)
            #expect(rig.ask(port: port) != nil)
            rig.signal(SIGTERM, to: daemon)
            #expect(rig.wait { !rig.exists("nginx.pid") })
        }
    }

    private func children(of process: Int32) -> [Substring] {
        let list = try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
        return list?.split(separator: " ") ?? []
    }

    @Test func theWorkersOfADaemonLeaveOnWINCHAndComeBackOnHUP() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            #expect(try rig.run(rig.standardArguments).status == 0)
            let daemon = try #require(Int32(rig.read("nginx.pid").trimmingCharacters(in: .whitespacesAndNewlines)))
            defer { kill(daemon, SIGTERM) }
            #expect(rig.wait { children(of: daemon).count == 1 })
            rig.signal(SIGWINCH, to: daemon)
            #expect(rig.wait { children(of: daemon).isEmpty })
            rig.signal(SIGHUP, to: daemon)
            #expect(rig.wait { children(of: daemon).count == 1 })
            #expect(rig.ask(port: port) != nil)
        }
    }

    /// A terminal sends it whenever its window changes.
    @Test func inTheForegroundWINCHMeansNothing() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); }")
            try rig.start()
            #expect(rig.ask(port: port) != nil)
            let before = children(of: rig.processIdentifier)
            rig.signal(SIGWINCH)
            usleep(300_000)
            #expect(children(of: rig.processIdentifier) == before)
            #expect(rig.ask(port: port) != nil)
        }
    }

    @Test func runStaysInTheForegroundWhateverTheFileSays() throws {
        try withRig(name: "goodgate") { rig in
            try rig.configure("daemon on;")
            try rig.start(["run"] + rig.standardArguments)
            #expect(rig.read("nginx.pid") == "\(rig.processIdentifier)\n")
            rig.signal(SIGINT)
            #expect(rig.wait { !rig.isRunning })
            #expect(rig.status == 0)
        }
    }

    @Test func anAddressInUseIsNamedAndGivenUp() throws {
        try withRig { rig in
            let port = ProgramRig.freePort()
            try rig.configure(http: "server { listen 127.0.0.1:\(port); listen unix:\(rig.directory)/s; }")
            try rig.start()
            try rig.write("other.conf", rig.read("nginx.conf").replacingOccurrences(of: "nginx.pid", with: "other.pid"))
            let result = try rig.run(["-p", rig.directory, "-c", "other.conf", "-e", "other.log"])
            #expect(result.status == 1)
            #expect(result.errors.contains("nginx: [emerg] bind() to 127.0.0.1:\(port) failed (98: Address already in use)\n"))
            #expect(result.errors.contains("nginx: [emerg] still could not bind()\n"))
            #expect(rig.ask(path: rig.directory + "/s") != nil, "the socket file of the running one stays")
            #expect(!rig.exists("other.pid"))
        }
    }

    /// Under try_run, nginx's suite starts the program with descriptor 2 closed: the first file must not become standard error.
    @Test func closedStandardDescriptorsAreReplaced() throws {
        try withRig { rig in
            try rig.configure()
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            let words = ([rig.program] + rig.standardArguments).joined(separator: " ")
            shell.arguments = ["-c", "exec \(words) -g 'daemon off;' 0<&- 1>&- 2>&-"]
            try shell.run()
            defer { kill(shell.processIdentifier, SIGKILL) }
            #expect(rig.wait { rig.exists("nginx.pid") })
            for number in 0...2 {
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(shell.processIdentifier)/fd/\(number)")
                #expect(target == (number == 2 ? rig.directory + "/error.log" : "/dev/null"))
            }
            kill(shell.processIdentifier, SIGTERM)
            #expect(rig.wait { !shell.isRunning })
        }
    }

    @Test func whatIsTooLongForTheWorkersIsRefused() throws {
        try withRig { rig in
            try rig.configure()
            let long = String(repeating: "env X;", count: 700)
            let result = try rig.run(rig.standardArguments + ["-t", "-g", long])
            #expect(result.status == 1)
            #expect(result.errors.contains("-g is longer than 4096 bytes"), "\(result.errors)")
        }
    }
}
