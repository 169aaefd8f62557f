/// The first bytes a peer sent, and which protocol they look like.
package struct WireSample: Sendable, Hashable {
    /// Protocols that their first bytes give away.
    package enum Guess: String, Sendable, Codable {
        case http1 = "HTTP/1", http2 = "HTTP/2", tlsAlert = "a TLS alert", tlsHandshake = "TLS", ssh = "SSH", redis =
            "Redis",
            mysql = "MySQL", fastcgi = "FastCGI", smtp = "SMTP or FTP", postgres = "PostgreSQL", nothing = "silence",
            other = "unknown bytes"
    }
    /// At most 64.
    package var bytes: [UInt8]
    /// The protocol they look like.
    package var guess: Guess

    /// Whether it answers a ClientHello, not text.
    package var isOfTLS: Bool

    package init(bytes: [UInt8], isOfTLS: Bool = false) {
        self.bytes = Array(bytes.prefix(64))
        self.isOfTLS = isOfTLS
        guess = Self.guess(bytes)
    }

    /// Decides by at most nine bytes. O(1).
    package static func guess(_ b: [UInt8]) -> Guess {
        func starts(_ text: StaticString) -> Bool { b.starts(with: "\(text)".utf8) }
        if b.isEmpty { return .nothing }
        if starts("HTTP/1") { return .http1 }
        if starts("SSH-") { return .ssh }
        if starts("-ERR") || starts("+OK") || starts("+PONG") || starts("-NOAUTH") || starts("-DENIED") {
            return .redis
        }
        if starts("220 ") || starts("220-") { return .smtp }
        if b.count >= 2, b[0] == 0x15, b[1] == 3 { return .tlsAlert }
        if b.count >= 2, b[0] == 0x16, b[1] == 3 { return .tlsHandshake }
        if b.count >= 9, b[0] == 0, b[1] == 0, b[3] == 4 || b[3] == 7, b[5] == 0 { return .http2 }
        if b.count >= 2, b[0] == 1, b[1] == 3 || b[1] == 6 { return .fastcgi }
        if b.count >= 5, b[3] == 0, b[4] == 10 || b[4] == 0xff { return .mysql }
        if b.count >= 5, b[0] == 0x45, b[1] == 0 { return .postgres }
        return .other
    }

    /// Printable text, other bytes as `\xHH`.
    package var text: String { TextEscape.terminal(bytes.prefix(32)) }
}
