import Machine
import TestKit
import Testing

@testable import Supervisor

@Suite("The last lines of an app", .blocking, .serialized)
struct AppLinesTests {
    @Test("each who asks at the same time gets what he asked for")
    func order() throws {
        let host = try TestHost()
        defer { host.finish() }
        let talk = "for i in range(30): print('line', i, flush=True)\n"
        let serve = "S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
        host.start(host.specification(server: talk + serve))
        var answers: [Int] = []
        for count: UInt32 in [5, 20, 1, 30] {
            #expect(host.supervisor.lastLines(app: "api", count: count) { answers.append($0.lines.count) } == 1)
        }
        #expect(host.run { _ in answers.count == 4 })
        #expect(answers == [5, 20, 1, 30])
    }

    @Test("their number is known while the app writes")
    func number() throws {
        let host = try TestHost()
        defer { host.finish() }
        let talk = """
            def talk():
                for i in range(3000):
                    print('line', i, flush=True)
                    time.sleep(0.001)
            threading.Thread(target=talk).start()

            """
        let serve = "S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()\n"
        host.start(host.specification(server: "import threading, time\n" + talk + serve))
        var known: Set<UInt64> = []
        #expect(host.run(seconds: 20) { host in
            let lines = host.supervisor.status.first?.instances.first?.lines ?? 0
            known.insert(lines)
            return lines == 3000
        })
        // Several numbers on the way, and not one for each line: a keeper that tells costs its supervisor a wake-up.
        #expect((3...40).contains(known.count), "\(known.sorted())")
    }

    @Test("the last words of an instance that ended are told, the newest 40")
    func lastWords() throws {
        let host = try TestHost()
        defer { host.finish() }
        let talk = "for i in range(60): print('line', i, flush=True)\nsys.exit(3)\n"
        var specification = host.specification(server: talk)
        specification.restart.firstDelay = .seconds(10)
        host.supervisor.configure([specification])
        #expect(host.run { !$0.lastWords.isEmpty })
        let words = try #require(host.lastWords.first)
        #expect(words.key.slot == 0 && words.release == 1)
        #expect(words.lines.count == 40 && words.lines.last?.hasSuffix("line 59") == true, "\(words.lines)")
        #expect(host.wordsBeforeEnd == 0, "what is known of no end is kept of none")
    }

    @Test("a keeper that goes away answers everybody, with nothing")
    func gone() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification())
        let instance = try #require(host.supervisor.apps["api"]?.instances.values.first)
        let keeper = try #require(instance.keeperProcess)
        try System.kill(keeper, signal: 19)
        var answers: [[String]] = []
        for _ in 0..<3 { host.supervisor.lastLines(app: "api", count: 5) { answers.append($0.lines) } }
        try System.kill(keeper, signal: 9)
        #expect(host.run { _ in answers.count == 3 })
        #expect(answers == [[], [], []])
    }
}
