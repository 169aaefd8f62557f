/// A host out of a file: what a real one answered, replayed. Whatever was not recorded does not exist.
package struct RecordedSystem: SystemReader, Codable {
    /// Answers by question.
    package var time: Timestamp
    /// As `SystemReader` says.
    package var files: [String: String] = [:]
    /// As `SystemReader` says.
    package var links: [String: String] = [:]
    /// As `SystemReader` says.
    package var statuses: [String: FileStatus] = [:]
    /// As `SystemReader` says.
    package var directories: [String: [String]] = [:]
    /// By the words joined with spaces.
    package var commands: [String: String] = [:]
    package var names: [String: [PeerAddress]] = [:]
    /// `errno` by path, command or peer, for what was refused.
    package var errors: [String: Int32] = [:]
    /// Answers to probes by peer; a peer that is not here and not in `errors` refuses.
    package var answers: [String: [UInt8]] = [:]
    package var addresses: [PeerAddress] = []
    /// As `SystemReader` says.
    package var queues: [ListenQueue] = []
    /// Whether there is a route, by address without a port; nil: not known.
    package var routes: [String: Bool]?

    package init(time: Timestamp) { self.time = time }

    /// As `SystemReader` says.
    package func now() -> Timestamp { time }

    /// As `SystemReader` says.
    package func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        if let code = errors[path] { throw SystemError(code, path) }
        guard let text = files[path] else { throw SystemError(2, path) }
        return Array(text.utf8.prefix(limit))
    }

    /// As `SystemReader` says.
    package func tail(_ path: String, limit: Int) throws(SystemError) -> [UInt8] { try read(path, limit: .max).suffix(limit) }

    /// As `SystemReader` says.
    package func list(_ directory: String) throws(SystemError) -> [String] {
        if let code = errors[directory] { throw SystemError(code, directory) }
        if let names = directories[directory] { return names.sorted() }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        var found: Set<String> = []
        for path in Array(files.keys) + Array(links.keys) where path.hasPrefix(prefix) {
            if let name = path.dropFirst(prefix.count).split(separator: "/").first { found.insert(String(name)) }
        }
        if found.isEmpty { throw SystemError(2, directory) }
        return found.sorted()
    }

    /// As `SystemReader` says.
    package func link(_ path: String) throws(SystemError) -> String {
        if let code = errors[path] { throw SystemError(code, path) }
        guard let target = links[path] else { throw SystemError(2, path) }
        return target
    }

    /// As `SystemReader` says.
    package func sockets(of pid: Int32) throws(SystemError) -> [UInt64] {
        let folder = "/proc/\(pid)/fd"
        return try list(folder).compactMap { name in
            guard let target = try? link("\(folder)/\(name)"), target.hasPrefix("socket:[") else { return nil }
            return UInt64(target.dropFirst(8).dropLast())
        }
    }

    /// As `SystemReader` says.
    package func status(_ path: String) throws(SystemError) -> FileStatus {
        if let code = errors[path] { throw SystemError(code, path) }
        if let status = statuses[path] { return status }
        guard let text = files[path] else { throw SystemError(2, path) }
        return FileStatus(mode: 0o100644, size: Int64(text.utf8.count))
    }

    /// As `SystemReader` says.
    package func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8] {
        let key = command.joined(separator: " ")
        if let code = errors[key] { throw SystemError(code, key) }
        if let output = commands[key] { return Array(output.utf8.prefix(limit)) }
        // A recording may name only the beginning, because times in the arguments differ.
        if let found = commands.filter({ $0.key.hasSuffix("*") && key.hasPrefix($0.key.dropLast()) }).max(by: {
            $0.key.count < $1.key.count
        }) {
            return Array(found.value.utf8.prefix(limit))
        }
        throw SystemError(2, command.first ?? "")
    }

    /// As `SystemReader` says.
    package func resolve(_ host: String) throws(SystemError) -> [PeerAddress] {
        if let code = errors["resolve " + host] { throw SystemError(code, host) }
        guard let found = names[host] else { throw SystemError(2, host) }
        return found
    }

    /// As `SystemReader` says.
    package func probe(_ peer: PeerAddress, sending bytes: [UInt8]?, deadline: Int) -> (
        result: ProbeResult, answer: [UInt8]
    ) {
        if let answer = answers[peer.text] { return (ProbeResult(errorNumber: 0, microseconds: 100), answer) }
        return (ProbeResult(errorNumber: errors[peer.text] ?? 111), [])
    }

    /// As `SystemReader` says.
    package func stream(_ path: String, from offset: Int64, consume: (UnsafeBufferPointer<UInt8>) -> Bool)
        throws(SystemError)
    {
        let bytes = try read(path, limit: .max).dropFirst(Int(offset))
        // SAFETY: lent during the call, as `SystemReader` says.
        _ = unsafe bytes.withUnsafeBufferPointer { unsafe consume($0) }
    }

    /// As `SystemReader` says.
    package func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64 { 0 }

    /// As `SystemReader` says.
    package func listenQueues() -> [ListenQueue] { queues }

    /// As `SystemReader` says.
    package func hasRoute(to peer: PeerAddress) -> Bool? { routes?[peer.hostText] }

    /// As `SystemReader` says.
    package func interfaceAddresses() -> [PeerAddress] { addresses }
}
