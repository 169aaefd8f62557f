import Loop
import Pattern
import Wire

/// Which server answers for a host name at one listening address: exact names by hash, then the longest leading wildcard, the longest
/// trailing one, then regular expressions in order (nginx: server_name).
struct HostTable {
    private var exact: [HostKey: Ref<VirtualServer>] = [:]
    private var leading: [HostKey: Ref<VirtualServer>] = [:]
    private var trailing: [HostKey: Ref<VirtualServer>] = [:]
    private var regexes: [(pattern: Ref<CompiledPattern>, server: Ref<VirtualServer>)] = []
    /// No names at all: the default server answers.
    let isEmpty: Bool

    init(exact: [([UInt8], Ref<VirtualServer>)], leading: [([UInt8], Ref<VirtualServer>)], trailing: [([UInt8], Ref<VirtualServer>)],
         regexes: [(pattern: Ref<CompiledPattern>, server: Ref<VirtualServer>)]) {
        for (name, server) in exact { self.exact[HostKey(name)] = server }
        for (name, server) in leading { self.leading[HostKey(name)] = server }
        for (name, server) in trailing { self.trailing[HostKey(name)] = server }
        self.regexes = regexes
        isEmpty = exact.isEmpty && leading.isEmpty && trailing.isEmpty && regexes.isEmpty
    }

    var hasRegexes: Bool { !regexes.isEmpty }

    /// The server by exact name or wildcard.
    /// - Parameter host: lower case, without port.
    func find(_ host: ByteView) -> Ref<VirtualServer>? {
        if let server = exact[HostKey(host)] { return server }
        if !leading.isEmpty {
            var start = 0
            while let dot = host.firstIndex(of: 0x2e, from: start) {
                if let server = leading[HostKey(host[(dot + 1)..<host.count])] { return server }
                start = dot + 1
            }
        }
        if !trailing.isEmpty {
            var end = host.count
            while let dot = host[0..<end].lastIndex(of: 0x2e) {
                if let server = trailing[HostKey(host[0..<dot])] { return server }
                end = dot
            }
        }
        return nil
    }

    /// The first server whose regular expression matches; its captures become the request's.
    func findRegex(_ host: ByteView, _ request: RequestRef) -> Ref<VirtualServer>? {
        for entry in regexes where request.match(entry.pattern, host) { return entry.server }
        return nil
    }
}

/// A host name as dictionary key, without owning bytes.
struct HostKey: Hashable {
    let bytes: ByteView

    init(_ bytes: ByteView) { self.bytes = bytes }
    init(_ bytes: [UInt8]) { self.bytes = ByteView.immortal(bytes) }

    static func == (left: HostKey, right: HostKey) -> Bool { left.bytes == right.bytes }

    func hash(into hasher: inout Hasher) {
        hasher.combine(bytes.count)
        for index in 0..<bytes.count { hasher.combine(bytes[index]) }
    }
}
