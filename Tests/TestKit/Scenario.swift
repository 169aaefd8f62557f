import Foundation
import Synchronization
import Testing

/// For suites whose tests block: runs each test on a thread of its own, and only a few at a time.
///
/// Swift's cooperative threads are as many as the cores. Tests that wait on sockets would hold them all and run one
/// after the other; on threads of their own they overlap, while task-local values (which carry the current test) stay.
public struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
    private static let gate = Gate(width: 4)
    /// Threads for what blocks. Also for a `Task` that such a test makes: only child tasks inherit the test's own.
    public static let executor: any TaskExecutor = ThreadExecutor()

    public var isRecursive: Bool { true }

    public func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        guard testCase != nil else { return try await function() }
        // The gate as well: a test is not to wait for a cooperative thread to be let in or out.
        try await withTaskExecutorPreference(Self.executor) {
            await Self.gate.enter()
            do {
                try await function()
            } catch {
                await Self.gate.leave()
                throw error
            }
            await Self.gate.leave()
        }
    }

    /// Lets `width` tests in at a time, in the order of their coming.
    private actor Gate {
        private var free: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(width: Int) { free = width }

        func enter() async {
            if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
        }

        func leave() {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
    }
}

extension Trait where Self == BlockingTests {
    /// The tests of this suite block their thread.
    public static var blocking: BlockingTests { BlockingTests() }
}

/// Runs each job on a new thread.
final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
