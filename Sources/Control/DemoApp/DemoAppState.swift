import Foundation

/// What the connections of one demo app share.
actor DemoAppState {
    /// What a request is to suffer.
    struct Fate: Sendable {
        /// The connection is closed without an answer; the request is not executed.
        var isDropped = false
        /// After the answer, the connection is closed when it was idle so long; nil: it is kept.
        var idleMilliseconds: Int64?
    }

    private var requests = 0
    private var closeEvery = 0
    private var idleClose: Int64 = 0
    private var eaten: [[UInt8]] = []
    private let ledger: FileHandle?

    /// - Parameter ledgerDirectory: each process has a file of its own in it, so that no two write to one.
    init(ledgerDirectory: String?) throws {
        guard let ledgerDirectory else {
            ledger = nil
            return
        }
        let path = ledgerDirectory + "/\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max)).ledger"
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
            throw DemoAppError("cannot write to \(path)")
        }
        ledger = file
    }

    /// Counts a request.
    func begin() -> Fate {
        requests += 1
        return Fate(
            isDropped: closeEvery > 0 && requests % closeEvery == 0,
            idleMilliseconds: idleClose > 0 ? Int64.random(in: 1...idleClose) : nil)
    }

    /// Notes that a POST was executed. It is with the kernel when this returns, so that no kill can undo it.
    func execute(_ id: String) throws { try ledger?.write(contentsOf: Data("\(id)\n".utf8)) }

    /// - Parameters:
    ///   - closeEvery: which requests get no answer; 0: none.
    ///   - idleClose: milliseconds, at most; 0: never.
    func setFaults(closeEvery: Int, idleClose: Int) {
        self.closeEvery = max(0, closeEvery)
        self.idleClose = Int64(max(0, idleClose))
    }

    /// Takes memory for good; touched, so that it counts.
    func eat(megabytes: Int) { eaten.append([UInt8](repeating: 1, count: min(max(0, megabytes), 65_536) << 20)) }
}
