/// Reads the kernel's tables of sockets. Pure.
package enum SocketTable {
    /// One row of `/proc/net/tcp` or `tcp6`.
    package struct Row: Sendable, Hashable {
        /// Addresses of both ends; the remote one is all zero for a listener.
        package var local: PeerAddress
        package var remote: PeerAddress
        /// 10 is LISTEN, 6 TIME_WAIT, 1 ESTABLISHED, 2 SYN_SENT.
        package var state: Int
        package var queue: Int
        package var inode: UInt64
    }

    /// Rows of a table; lines that do not parse are skipped. O(length).
    package static func parseTCP(_ bytes: [UInt8]) -> [Row] {
        var rows: [Row] = []
        for line in bytes.split(separator: 10).dropFirst() {
            let fields = LineText(line).fields(12)
            guard fields.count >= 10, let local = address(fields[1]), let remote = address(fields[2]),
                let state = hex(fields[3].bytes), let inode = fields[9].number,
                let colon = fields[4].bytes.firstIndex(of: 58), let queue = hex(fields[4].bytes[(colon + 1)...])
            else { continue }
            rows.append(
                Row(
                    local: local, remote: remote, state: Int(truncatingIfNeeded: state),
                    queue: Int(truncatingIfNeeded: queue),
                    inode: UInt64(inode)))
        }
        return rows
    }

    /// Listening rows of `/proc/net/unix`: flag 00010000 (SO_ACCEPTCON). Paths may hold spaces.
    package static func parseUnix(_ bytes: [UInt8]) -> [Listener] {
        var found: [Listener] = []
        for line in bytes.split(separator: 10).dropFirst() {
            let text = LineText(line)
            let fields = text.fields(8)
            guard fields.count >= 8, let flags = hex(fields[3].bytes), flags & 0x10000 != 0,
                let inode = fields[6].number
            else { continue }
            let path = String(decoding: line[fields[7].bytes.startIndex...], as: UTF8.self)
            found.append(Listener(address: .unix(path), inode: UInt64(inode)))
        }
        return found
    }

    private static func address(_ text: LineText) -> PeerAddress? {
        guard let colon = text.bytes.firstIndex(of: 58), let port = hex(text.bytes[(colon + 1)...]) else { return nil }
        let host = text.bytes[..<colon]
        if host.count == 8, let value = hex(host) {
            return .ipv4(UInt32(truncatingIfNeeded: value).byteSwapped, port: UInt16(truncatingIfNeeded: port))
        }
        guard host.count == 32 else { return nil }
        var words: [UInt64] = []
        for start in stride(from: host.startIndex, to: host.endIndex, by: 8) {
            guard let word = hex(host[start..<(start + 8)]) else { return nil }
            words.append(UInt64(UInt32(truncatingIfNeeded: word).byteSwapped))
        }
        return .ipv6(words[0] << 32 | words[1], words[2] << 32 | words[3], port: UInt16(truncatingIfNeeded: port))
    }

    static func hex(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        guard !bytes.isEmpty, bytes.count <= 16 else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            switch byte {
            case 48...57: value = value << 4 | UInt64(byte - 48)
            case 65...70: value = value << 4 | UInt64(byte - 55)
            case 97...102: value = value << 4 | UInt64(byte - 87)
            default: return nil
            }
        }
        return value
    }
}
