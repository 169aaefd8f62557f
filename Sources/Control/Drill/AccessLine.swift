/// A line of the drill's own access log: what the gateway did for a request.
///
/// `$http_x_request_id $status $upstream_bytes_sent|$upstream_queue_time|$upstream_addr`, as `DrillSite` configures it.
struct AccessLine: Equatable, Sendable {
    static let format = "$http_x_request_id $status $upstream_bytes_sent|$upstream_queue_time|$upstream_addr"

    var id: Substring
    var status: Int
    /// Bytes that went out in the last attempt; 0 if none did.
    var bytesSent: Int
    var wasParked: Bool
    var attempts: Int

    /// nil: the line is no such line.
    init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let status = Int(words[1]) else { return nil }
        let parts = words[2].split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        id = words[0]
        self.status = status
        bytesSent = Self.list(parts[0]).last.flatMap { Int($0) } ?? 0
        wasParked = Self.list(parts[1]).contains { Double($0).map { $0 > 0 } ?? false }
        attempts = parts[2] == "-" ? 0 : Self.list(parts[2]).count
    }

    /// Values of several attempts: separated by commas, and by colons after an internal redirect.
    private static func list(_ text: Substring) -> [Substring] {
        text.split(separator: ",").map { word in
            let first = word.drop { $0 == " " }
            return first.prefix { $0 != " " }
        }
    }
}
