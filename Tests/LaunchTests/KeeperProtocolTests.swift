import Config
import Foundation
import Machine
import TestKit
import Testing

@testable import Supervisor

/// The protocol is written twice, in C and in Swift. What the header defines is read from the header, so that nothing that is added there
/// can be forgotten here.
@Suite("The protocol of the keeper is the one of the Swift side", .blocking)
struct KeeperProtocolTests {
    private let header: String
    /// What the compiled keeper says: sizes, limits, and where each field of its state is.
    private var compiled: [String: Int] = [:]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        header = try String(contentsOf: root.appendingPathComponent("Sources/Launch/protocol.h"), encoding: .utf8)
        let directory = TestDirectory()
        _ = unsafe system("'\(TestKeeper.executable)' --protocol > '\(directory.path)/protocol'")
        for line in directory.read("protocol").split(separator: "\n") {
            let parts = line.split(separator: " ")
            compiled[String(parts[0])] = Int(parts[1])
        }
    }

    @Test("sizes and limits") func limits() {
        let mirrored = [
            "magic": Int(KeeperProtocol.magic), "version": Int(KeeperProtocol.version), "packet_max": KeeperProtocol.packetMax,
            "instructions_max": KeeperProtocol.instructionsMax, "listeners_max": KeeperProtocol.listenersMax,
            "name_max": KeeperState.nameMax, "status_max": KeeperState.statusMax, "channel": 3,
        ]
        for (name, value) in mirrored { #expect(compiled[name] == value, "\(name)") }
        #expect(AppSettings.nameBytesMax == KeeperState.nameMax - 1, "one byte is the final NUL")
        let defined = Set(header.matches(of: /#define GG_(\w+)/).map { $0.1.lowercased() })
        #expect(defined == Set(mirrored.keys))
        #expect(compiled["header"] == KeeperProtocol.headerSize && compiled["state"] == KeeperProtocol.stateSize)
    }

    @Test("kinds, marks, phases, steps and tags") func numbers() {
        func kind(_ command: KeeperCommand) -> Int { KeeperProtocol.open(command.packet).map { Int($0.kind) } ?? -1 }
        func mark(_ change: KeeperState.Changes) -> Int { Int(change.rawValue) }
        func phase(_ phase: KeeperState.Phase) -> Int { Int(phase.rawValue) }
        func step(_ step: StartFailure.Step) -> Int { Int(step.rawValue) }
        func tag(_ tag: KeeperProtocol.Tag) -> Int { Int(tag.rawValue) }
        let mirrored = [
            "LAUNCH": Int(KeeperProtocol.launchKind), "STOP": kind(.stop(signal: 1, killAfterMilliseconds: 1)), "KILL": kind(.kill),
            "LINES": kind(.lines(1)), "REOPEN": kind(.reopenLog), "FORGET": kind(.forget), "STATUS": kind(.status),
            "LISTENERS": kind(.listeners), "STATE": Int(KeeperProtocol.stateKind), "RELEASED": Int(KeeperProtocol.releasedKind),
            "CHANGED_STARTED": mark(.started), "CHANGED_FAILED": mark(.failed), "CHANGED_READY": mark(.ready),
            "CHANGED_STOPPING": mark(.stopping), "CHANGED_RELOADING": mark(.reloading), "CHANGED_WATCHDOG": mark(.watchdog),
            "CHANGED_STATUS": mark(.status), "CHANGED_EXITED": mark(.exited), "CHANGED_EMPTIED": mark(.emptied), "CHANGED_LOG": mark(.log),
            "CHANGED_LINES": mark(.lines),
            "PHASE_WAITING": phase(.waiting), "PHASE_FORKED": phase(.forked), "PHASE_RUNNING": phase(.running),
            "PHASE_EXITED": phase(.exited), "PHASE_EMPTY": phase(.empty), "PHASE_FAILED": phase(.failed),
            "STEP_PREPARE": step(.prepare), "STEP_INSTRUCTIONS": step(.instructions), "STEP_SOCKET": step(.socket),
            "STEP_FORK": step(.fork), "STEP_CGROUP": step(.cgroup), "STEP_SESSION": step(.session), "STEP_STREAMS": step(.streams),
            "STEP_DESCRIPTORS": step(.descriptors), "STEP_LIMITS": step(.limits), "STEP_GROUPS": step(.groups), "STEP_GROUP": step(.group),
            "STEP_USER": step(.user), "STEP_PRIVILEGES": step(.privileges), "STEP_DIRECTORY": step(.directory),
            "STEP_EXECUTE": step(.execute), "NAME": tag(.name), "SLOT": tag(.slot), "ARGUMENT": tag(.argument),
            "ENVIRONMENT": tag(.environment), "DIRECTORY": tag(.directory), "IDENTITY": tag(.identity), "UMASK": tag(.creationMask),
            "LIMIT": tag(.limit), "CGROUP": tag(.cgroup), "SOCKET_PATH": tag(.socketPath), "LOG_PATH": tag(.logPath),
            "LOG_ROTATION": tag(.logRotation), "LISTENER_NAME": tag(.listenerName), "WATCHDOG": tag(.watchdog),
            "STOP_DEFAULT": tag(.stopDefault), "ORPHAN_TIME": tag(.orphanTime),
        ]
        var defined: [String: Int] = [:]
        for match in header.matches(of: /\n +GG_(\w+) = (\d+),/) { defined[String(match.1)] = Int(match.2) }
        #expect(defined == mirrored)
    }

    @Test("each field of the state arrives as it was laid out") func state() throws {
        let numbers: [(field: String, value: UInt64, read: (KeeperState) -> UInt64)] = [
            ("key", 0x0102_0304_0506_0708, { $0.key }), ("changes", 0x201, { UInt64($0.changes.rawValue) }),
            ("phase", 5, { UInt64($0.phase.rawValue) }), ("keeper_pid", 11, { UInt64($0.keeperProcess) }),
            ("app_pid", 12, { UInt64($0.appProcess) }), ("app_start_ticks", 13, { $0.appStartTicks }),
            ("runtime_ns", 14, { $0.runtimeNanoseconds }), ("failed_step", 9, { UInt64($0.failure.step.rawValue) }),
            ("failed_errno", 16, { UInt64($0.failure.errorNumber) }), ("wait_status", 0x1100, { UInt64($0.waitStatus) }),
            ("oom_kills", 18, { UInt64($0.outOfMemoryKills) }), ("processes_left", 19, { UInt64($0.processesLeft) }),
            ("is_ready", 1, { $0.isReady ? 1 : 0 }), ("is_stopping", 1, { $0.isStopping ? 1 : 0 }),
            ("foreign_notices", 22, { UInt64($0.foreignNotices) }), ("lines", 23, { $0.lines }), ("lines_dropped", 24, { $0.linesDropped }),
            ("log_errno", 25, { UInt64($0.logErrorNumber) }), ("slot", 26, { UInt64($0.slot) }),
            ("peak_rss_bytes", 27, { $0.peakResidentBytes }), ("port", 28, { UInt64($0.port ?? 0) }),
            ("stop_ordered", 1, { $0.isStopOrdered ? 1 : 0 }),
        ]
        let texts: [(field: String, read: (KeeperState) -> String)] = [("name", { $0.name }), ("status", { $0.status })]
        let lines = try #require(header.firstMatch(of: /struct gg_state \{([^}]*)\}/)).1
        let fields = lines.matches(of: /\n +\w+ (\w+)(?:\[\w+\])?;/).map { String($0.1) }
        #expect(Set(fields) == Set(numbers.map { $0.field } + texts.map { $0.field }))
        for (index, number) in numbers.enumerated() {
            // One at a time: a field that is read from another's place is seen.
            var body = [UInt8](repeating: 0, count: KeeperProtocol.stateSize)
            let offset = try #require(compiled["state.\(number.field)"])
            for byte in 0..<8 {
                let rest = number.value >> (8 * UInt64(byte))
                if rest != 0 { body[offset + byte] = UInt8(truncatingIfNeeded: rest) }
            }
            let state = KeeperState(body: body[...])
            #expect(number.read(state) == number.value, "\(number.field)")
            for (other, another) in numbers.enumerated() where other != index {
                #expect(another.read(state) == 0, "\(number.field), \(another.field)")
            }
        }
        for text in texts {
            var body = [UInt8](repeating: 0, count: KeeperProtocol.stateSize)
            let offset = try #require(compiled["state.\(text.field)"])
            for (index, byte) in "ready".utf8.enumerated() { body[offset + index] = byte }
            for other in texts { #expect(other.read(KeeperState(body: body[...])) == (other.field == text.field ? "ready" : "")) }
        }
        var body = [UInt8](repeating: 0, count: KeeperProtocol.stateSize)
        body[try #require(compiled["state.wait_status"]) + 1] = 3
        #expect(KeeperState(body: body[...]).exit.cause == .status(3))
    }
}
