import Synchronization

@testable import Diagnosis

/// A recorded host on which time passes: each program, look-up and silent peer takes its time, and nothing else does.
final class ClockedSystem: SystemReader {
    private let recorded: RecordedSystem
    private let clock: Mutex<Timestamp>
    private let asked = Mutex<[String]>([])
    /// Milliseconds that a program or a look-up takes; nil: for ever, as far as it is let.
    private let patience: Int?

    init(_ recorded: RecordedSystem, from start: Timestamp, each patience: Int?) {
        self.recorded = recorded
        self.patience = patience
        clock = Mutex(start)
    }

    /// Programs that were run and names that were looked up.
    var waitedFor: [String] { asked.withLock { $0 } }

    func pass(milliseconds: Int64) { clock.withLock { $0 = $0.advanced(byMilliseconds: milliseconds) } }

    func now() -> Timestamp { clock.withLock { $0 } }

    private func wait(_ what: String, deadline: Int) throws(SystemError) {
        asked.withLock { $0.append(what) }
        pass(milliseconds: Int64(min(patience ?? deadline, deadline)))
        if patience.map({ $0 >= deadline }) ?? true { throw SystemError(110, what) }
    }

    func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8] {
        try wait(command.joined(separator: " "), deadline: deadline)
        return try recorded.run(command, deadline: deadline, limit: limit)
    }

    func resolve(_ host: String) throws(SystemError) -> [PeerAddress] {
        try wait("resolve \(host)", deadline: 3_000)
        return try recorded.resolve(host)
    }

    /// A peer of which the recording has error 110 is silent.
    func probe(_ peer: PeerAddress, sending bytes: [UInt8]?, deadline: Int) -> (result: ProbeResult, answer: [UInt8]) {
        let outcome = recorded.probe(peer, sending: bytes, deadline: deadline)
        if outcome.result.errorNumber == 110 { pass(milliseconds: Int64(deadline)) }
        return outcome
    }

    func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] { try recorded.read(path, limit: limit) }
    func tail(_ path: String, limit: Int) throws(SystemError) -> [UInt8] { try recorded.tail(path, limit: limit) }
    func list(_ directory: String) throws(SystemError) -> [String] { try recorded.list(directory) }
    func link(_ path: String) throws(SystemError) -> String { try recorded.link(path) }
    func status(_ path: String) throws(SystemError) -> FileStatus { try recorded.status(path) }
    func sockets(of pid: Int32) throws(SystemError) -> [UInt64] { try recorded.sockets(of: pid) }
    func listenQueues() -> [ListenQueue] { recorded.listenQueues() }
    func hasRoute(to peer: PeerAddress) -> Bool? { recorded.hasRoute(to: peer) }
    func stream(_ path: String, from offset: Int64, consume: (UnsafeBufferPointer<UInt8>) -> Bool) throws(SystemError) {
        throw SystemError(2, path)
    }
    func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64 { 0 }
    func interfaceAddresses() -> [PeerAddress] { recorded.interfaceAddresses() }
}
