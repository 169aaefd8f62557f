import Diagnosis
import Foundation
import Synchronization

/// Requests to end while something must not be left half done: remembered meanwhile, obeyed afterwards.
enum HeldSignals {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    private static let caught = Atomic<Int32>(0)

    /// Whether the process was asked to end since `during` began.
    static var isEndWanted: Bool { caught.load(ordering: .relaxed) != 0 }

    private static func isIgnored(_ number: Int32) -> Bool {
        let status = (try? LiveSystem().text("/proc/self/status")) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") } ?? ""
        let mask = line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask >> UInt64(number - 1) & 1 == 1
    }

    /// Runs what only looks at `isEndWanted`; then the process ends of the signal, if one came.
    static func during<Result>(_ body: () throws -> Result) rethrows -> Result {
        // Made here: a handler must not be the first who uses it.
        caught.store(0, ordering: .relaxed)
        // What is ignored, as nohup does it, stays so.
        let numbers = numbers.filter { !isIgnored($0) }
        let before = numbers.map { signal($0) { HeldSignals.caught.store($0, ordering: .relaxed) } }
        defer {
            for (number, handler) in zip(numbers, before) { signal(number, handler) }
            if isEndWanted {
                // To the process: this thread may be one of a pool, which take no signals.
                kill(getpid(), caught.load(ordering: .relaxed))
                sleep(1)
            }
        }
        return try body()
    }
}
