import Synchronization

/// Passes every question on to another system and keeps the answers, so that a real host becomes a fixture.
package final class RecordingSystem<Base: SystemReader>: SystemReader {
    private let base: Base
    private let kept: Mutex<RecordedSystem>

    package init(_ base: Base) {
        self.base = base
        kept = Mutex(RecordedSystem(time: base.now()))
    }

    /// What was asked so far, with the answers.
    package var recording: RecordedSystem { kept.withLock { $0 } }

    /// As `SystemReader` says.
    package func now() -> Timestamp { kept.withLock { $0.time } }

    /// As `SystemReader` says.
    package func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        do {
            let bytes = try base.read(path, limit: limit)
            kept.withLock { $0.files[path] = String(decoding: bytes, as: UTF8.self) }
            return bytes
        } catch { throw keep(error, path) }
    }
    /// As `SystemReader` says.
    package func list(_ directory: String) throws(SystemError) -> [String] {
        do {
            let names = try base.list(directory)
            kept.withLock { $0.directories[directory] = names }
            return names
        } catch { throw keep(error, directory) }
    }
    /// As `SystemReader` says.
    package func link(_ path: String) throws(SystemError) -> String {
        do {
            let target = try base.link(path)
            kept.withLock { $0.links[path] = target }
            return target
        } catch { throw keep(error, path) }
    }
    /// As `SystemReader` says.
    package func status(_ path: String) throws(SystemError) -> FileStatus {
        do {
            let status = try base.status(path)
            kept.withLock { $0.statuses[path] = status }
            return status
        } catch { throw keep(error, path) }
    }
    /// As `SystemReader` says.
    package func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8] {
        do {
            let output = try base.run(command, deadline: deadline, limit: limit)
            kept.withLock { $0.commands[command.joined(separator: " ")] = String(decoding: output, as: UTF8.self) }
            return output
        } catch { throw keep(error, command.joined(separator: " ")) }
    }
    /// As `SystemReader` says.
    package func resolve(_ host: String) throws(SystemError) -> [PeerAddress] {
        do {
            let found = try base.resolve(host)
            kept.withLock { $0.names[host] = found }
            return found
        } catch { throw keep(error, "resolve " + host) }
    }
    /// As `SystemReader` says.
    package func probe(_ peer: PeerAddress, sending bytes: [UInt8]?, deadline: Int) -> (
        result: ProbeResult, answer: [UInt8]
    ) {
        let outcome = base.probe(peer, sending: bytes, deadline: deadline)
        kept.withLock {
            if outcome.result.errorNumber == 0 {
                if bytes != nil || $0.answers[peer.text] == nil { $0.answers[peer.text] = outcome.answer }
            } else {
                $0.errors[peer.text] = outcome.result.errorNumber
            }
        }
        return outcome
    }
    /// As `SystemReader` says.
    package func stream(_ path: String, from offset: Int64, consume: (UnsafeBufferPointer<UInt8>) -> Bool)
        throws(SystemError)
    {
        var kept: [UInt8] = []
        try unsafe base.stream(path, from: offset) { piece in
            if kept.count < 1 << 20 { unsafe kept.append(contentsOf: piece) }
            return unsafe consume(piece)
        }
        let text = String(decoding: kept, as: UTF8.self)
        self.kept.withLock { $0.files[path] = text }
    }

    /// As `SystemReader` says.
    package func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64 {
        base.offset(of: since, in: path, time: time)
    }

    /// As `SystemReader` says.
    package func interfaceAddresses() -> [PeerAddress] {
        let found = base.interfaceAddresses()
        kept.withLock { $0.addresses = found }
        return found
    }

    /// Absence needs no entry: what was not recorded is not there.
    private func keep(_ error: SystemError, _ key: String) -> SystemError {
        if error.errorNumber != 2 { kept.withLock { $0.errors[key] = error.errorNumber } }
        return error
    }
}
