internal import Config
internal import Machine

/// The listening TCP sockets of this network name space.
struct SocketTable: Equatable {
    /// One listening socket.
    struct Row: Equatable {
        var local: NetworkAddress
        /// Connections that wait to be accepted.
        var waiting: UInt32
        var inode: UInt64
    }

    var rows: [Row] = []

    /// The table as it is now. O(listening sockets).
    static func read() -> SocketTable {
        let found = SocketDiagnosis.tcp.compactMap(System.listeners)
        guard found.count == SocketDiagnosis.tcp.count else { return readFiles() }
        return SocketTable(
            rows: found.joined().compactMap { listener in
                guard let local = listener.address else { return nil }
                return Row(local: local, waiting: UInt32(clamping: listener.length), inode: listener.inode)
            })
    }

    /// The same where the kernel was built without socket diagnosis, or a sandbox denies it.
    ///
    /// /proc/net/tcp and tcp6 list the listening sockets before all others, so that reading ends after them. Where there are few, the
    /// kernel walks through all connections none the less.
    static func readFiles() -> SocketTable {
        var table = SocketTable()
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let file = try? System.open(path, flags: 0) else { continue }
            var text: [UInt8] = []
            var isFirst = true
            while let chunk = System.readChunk(file, byteCount: 16_384), !chunk.isEmpty {
                text += chunk
                guard let end = text.lastIndex(of: UInt8(ascii: "\n")) else { continue }
                let isAllListening = table.add(lines: text[..<end], hasTitle: isFirst)
                if !isAllListening { break }
                isFirst = false
                text.removeSubrange(...end)
            }
        }
        return table
    }

    /// Paths of those listening UNIX sockets that have one of these inodes.
    static func unixPaths(of inodes: Set<UInt64>) -> [String] {
        guard !inodes.isEmpty, let bytes = try? System.readFile("/proc/net/unix") else { return [] }
        return unixPaths(of: inodes, in: String(decoding: bytes, as: UTF8.self))
    }

    /// The same, from the text of the file.
    static func unixPaths(of inodes: Set<UInt64>, in text: String) -> [String] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 7)
            // Flag 0x10000: it accepts connections.
            guard fields.count == 8, UInt32(fields[3], radix: 16).map({ $0 & 0x10000 != 0 }) == true,
                let inode = UInt64(fields[6]), inodes.contains(inode)
            else { return nil }
            return String(fields[7])
        }
    }

    /// Adds rows as one of the two files has them; lines that are not understood are left out.
    ///
    /// - Returns: Whether all of them were listening sockets.
    @discardableResult
    mutating func add(lines: ArraySlice<UInt8>, hasTitle: Bool) -> Bool {
        for line in lines.split(separator: UInt8(ascii: "\n")).dropFirst(hasTitle ? 1 : 0) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 9 else { continue }
            guard fields[3].elementsEqual("0A".utf8) else { return false }
            let queues = fields[4].split(separator: UInt8(ascii: ":"))
            guard let local = Self.address(fields[1]), let inode = UInt64(String(decoding: fields[9], as: UTF8.self)),
                queues.count == 2, let waiting = UInt32(String(decoding: queues[1], as: UTF8.self), radix: 16)
            else { continue }
            rows.append(Row(local: local, waiting: waiting, inode: inode))
        }
        return true
    }

    /// `0100007F:1F90`, or four such words for IPv6: each word in the byte order of the host.
    private static func address(_ field: ArraySlice<UInt8>) -> NetworkAddress? {
        let parts = field.split(separator: UInt8(ascii: ":"))
        guard parts.count == 2, let port = UInt16(String(decoding: parts[1], as: UTF8.self), radix: 16) else { return nil }
        let text = String(decoding: parts[0], as: UTF8.self)
        if text.utf8.count == 8, let word = UInt32(text, radix: 16) { return .ipv4(word.byteSwapped, port: port) }
        guard text.utf8.count == 32 else { return nil }
        var words: [UInt64] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt64(word.byteSwapped))
            rest = rest.dropFirst(8)
        }
        return .ipv6(high: words[0] << 32 | words[1], low: words[2] << 32 | words[3], port: port)
    }

    /// Where an instance listens, compared with where it should.
    enum Verdict: Equatable {
        /// Nowhere yet.
        case notYet
        /// Where it should; so it is the instance that answers there.
        case expected
        /// Somewhere else, where it can be dialled.
        case elsewhere(NetworkAddress)
        /// A socket of another process stands where it should listen.
        case taken(inode: UInt64)
    }

    /// Judges by the inodes of the instance's sockets.
    func verdict(expected: NetworkAddress, own inodes: Set<UInt64>) -> Verdict {
        let own = rows.filter { inodes.contains($0.inode) }
        if own.contains(where: { Self.serves($0.local, expected) }) { return .expected }
        if let other = rows.first(where: { Self.serves($0.local, expected) }) { return .taken(inode: other.inode) }
        // The same port first: that is an app bound to ::1 only; then any.
        let best = own.first { $0.local.port == expected.port } ?? own.first
        guard let best else { return .notYet }
        return .elsewhere(Self.dialable(best.local))
    }

    /// Whether anybody listens at an address.
    func isServed(_ address: NetworkAddress) -> Bool { rows.contains { Self.serves($0.local, address) } }

    /// Connections that wait to be accepted at exactly this address; nil: nobody listens there.
    func waiting(at address: NetworkAddress) -> UInt32? { rows.first { $0.local.isSame(as: address) }?.waiting }

    /// Whether a socket bound to `local` gets connections to `address`. An IPv6 wildcard is taken to serve IPv4 too,
    /// which is the default; a connect shows whether it does.
    private static func serves(_ local: NetworkAddress, _ address: NetworkAddress) -> Bool {
        guard local.port == address.port else { return false }
        if local.isSame(as: address) { return true }
        switch (local, address) {
        case (.ipv4, .ipv4): return local.isWildcard
        case (.ipv6, .ipv4), (.ipv6, .ipv6): return local.isWildcard
        default: return false
        }
    }

    /// The address by which a listening socket is reached from this host.
    static func dialable(_ local: NetworkAddress) -> NetworkAddress {
        switch local {
        case .ipv4(0, let port), .ipv6(0, 0, let port): .ipv4(0x7F00_0001, port: port)
        default: local
        }
    }
}

extension NetworkAddress {
    /// Equal, or the same IPv4 address in IPv6's clothes (`::ffff:127.0.0.1`).
    func isSame(as other: NetworkAddress) -> Bool { plain == other.plain }

    private var plain: NetworkAddress {
        if case .ipv6(0, let low, let port) = self, low >> 32 == 0xFFFF { return .ipv4(UInt32(truncatingIfNeeded: low), port: port) }
        return self
    }
}
