import Config
import Testing

@testable import Supervisor

@Suite struct SmallPartsTests {
    @Test func aLineHasNginxsForm() {
        let line = ErrorLog.line(.notice, "start worker\nprocesses", time: "2026/11/22 08:25:04", process: 7)
        #expect(String(decoding: line, as: UTF8.self) == "2026/11/22 08:25:04 [notice] 7#7: start worker processes\n")
    }

    @Test(arguments: [
        ("42\n", Int32(42)), ("42", 42), ("42\r\n", 42), ("", nil), ("\n", nil), ("-1", nil), ("0", nil), ("4x", nil), ("+4", nil),
        ("99999999999", nil), ("4\n2\n", nil),
    ]) func aPidFileHoldsOneNumber(text: String, process: Int32?) { #expect(PidFile.parse(Array(text.utf8)) == process) }

    @Test(arguments: [
        ("5;6;", [Int32(5), 6]), ("", []), ("5", []), ("5;x;6;", [5]), ("5:6:", [5, 6]), ("1;5;", []), ("-5;", []), ("5;99999999999;", [5]),
    ]) func inheritedSocketsAreRead(text: String, numbers: [Int32]) {
        let log = ErrorLog(programName: "test")
        log.repeatsOnStandardError = false
        #expect(ListenerTable.numbers(in: text, log: log) == numbers)
    }

    @Test func workersSeeOnlyTheEnvironmentThatIsNamed() {
        var settings = ProcessSettings()
        let own = ["PATH=/bin", "TZ=UTC", "SECRET=1", "PERL5LIB=/p"]
        #expect(settings.workerEnvironment(from: own) == ["TZ=UTC", "SWIFT_BACKTRACE=enable=no"])
        settings.environment = [
            EnvironmentVariable(name: "PERL5LIB", value: nil), EnvironmentVariable(name: "A", value: "b=c"),
            EnvironmentVariable(name: "TZ", value: "CET"), EnvironmentVariable(name: "MISSING", value: nil),
        ]
        #expect(settings.workerEnvironment(from: own) == ["PERL5LIB=/p", "A=b=c", "TZ=CET", "SWIFT_BACKTRACE=enable=no"])
    }

    @Test(arguments: [
        (NetworkAddress.ipv4(0x7F00_0001, port: 8080), "127.0.0.1:8080"), (.ipv4(0, port: 80), "0.0.0.0:80"),
        (.ipv6(high: 0, low: 0, port: 80), "[::]:80"), (.ipv6(high: 0, low: 1, port: 80), "[::1]:80"),
        (.ipv6(high: 0x2001_0db8_0000_0000, low: 0x0001_0000_0000_0001, port: 1), "[2001:db8::1:0:0:1]:1"),
        (.ipv6(high: 0x2001_0db8_0000_0001, low: 0x0001_0001_0001_0001, port: 1), "[2001:db8:0:1:1:1:1:1]:1"),
        (.ipv6(high: 0xfe80_0000_0000_0000, low: 0, port: 1), "[fe80::]:1"), (.unix(Array("/run/x".utf8)), "unix:/run/x"),
    ]) func listenKeysAreCanonical(address: NetworkAddress, key: String) { #expect(address.listenKey == key) }

    @Test func aBundleSurvivesTheJourneyAndSpoiltOnesAreRefused() throws {
        var bundle = ConfigurationBundle(
            request: ConfigurationRequest(path: "/c", prefix: "/p/", globals: "daemon off;", errorLogPath: "/e", programName: "nginx"))
        bundle.facts.hostName = "host"
        bundle.files = [ConfigurationFile(path: "/c", bytes: [0, 255, 10]), ConfigurationFile(path: "/d", bytes: [])]
        bundle.failures = ["/x": ConfigurationReadError(code: 2, text: "No such file or directory")]
        bundle.globs = ["/p/*.conf": ["/p/a.conf", "/p/b.conf"], "/q/*": []]
        bundle.resolutions = [
            "h": .addresses([.ipv4(1, port: 2), .ipv6(high: .max, low: 3, port: 4), .unix([1])]), "n": .notFound, "p": .postponed,
        ]
        let bytes = bundle.encode()
        #expect(try ConfigurationBundle(decoding: bytes) == bundle)
        for length in 0..<bytes.count {
            #expect(throws: ConfigurationBundle.DecodingFailure.self) { try ConfigurationBundle(decoding: Array(bytes[..<length])) }
        }
        var spoilt = bytes
        for index in spoilt.indices {
            spoilt[index] ^= 0xFF
            _ = try? ConfigurationBundle(decoding: spoilt)
            spoilt[index] ^= 0xFF
        }
    }

    @Test func theLastWordsOfAProcessThatHadUnreadMessagesAreHeard() throws {
        func conversation() throws -> Descriptor {
            let (ours, theirs) = try System.packetPair()
            try System.send(Array("never read".utf8), descriptors: [], over: ours.number)
            for word in ["failed", "why"] { try System.send(Array(word.utf8), descriptors: [], over: theirs.number) }
            return ours
        }
        let channel = try conversation()
        // The kernel tells of the unread message first, as an error, and only then hands out what came.
        let heard = (0..<3).map { _ in System.receive(from: channel.number, capacity: 64).map { String(decoding: $0, as: UTF8.self) } }
        #expect(heard == ["failed", "why", ""])
    }

    @Test func aLineThatRepeatsIsWrittenOnceASecond() {
        var line = RepeatedLine()
        let told = [5, 6, 1004, 1005, 1500, 2005, 9000].map { line.tell(now: $0) }
        #expect(told == [0, nil, nil, 2, nil, 1, 0])
    }

    @Test func everySourceOfTheLoopHasItsOwnTag() {
        let sources: [LoopSource] = [
            .signals, .apps, .control, .oldBinary, .upgrade, .worker(WorkerID(1)), .worker(WorkerID(1 << 32)), .worker(WorkerID(Int.max)),
        ]
        #expect(Set(sources.map(\.tag)).count == sources.count)
        for source in sources { #expect(LoopSource(tag: source.tag) == source) }
    }
}
