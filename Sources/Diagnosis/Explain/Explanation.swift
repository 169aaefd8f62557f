package import Machine

/// What one log line says, in terms of the rulebook.
package struct Explanation: Sendable, Codable {
    /// Whose log it is.
    package enum Origin: String, Sendable, Codable {
        case nginx, haproxy, caddy, envoy, go, systemd, kernel, audit, pm2, gunicorn, phpFpm = "php-fpm", application
    }
    /// Whose log it is.
    package var origin: Origin
    /// The rules that may explain it, the likeliest first, as ids.
    package var rules: [String]
    /// `connect.refused`, …; nil when the line tells a cause and no failure.
    package var reason: String?
    /// What happened, in one sentence.
    package var summary: String
    /// What to look at, in order.
    package var checks: [String]
    /// The peer, when the line names it.
    package var peer: PeerAddress?
    /// Phase in the proxy's words.
    package var phase: String?
    package var errorNumber: Int32?
    /// Documentation pages of `rules`.
    package var pages: [String]

    package init(
        _ origin: Origin, rules: [String], reason: ReasonCode?, _ summary: String, checks: [String] = [],
        peer: PeerAddress? = nil,
        phase: String? = nil, errorNumber: Int32? = nil
    ) {
        self.origin = origin; self.rules = rules; self.reason = reason.map { "\($0.name)" }
        self.summary = TextEscape.terminal(SecretMask.mask(summary)); self.checks = checks; self.peer = peer
        self.phase = phase; self.errorNumber = errorNumber
        pages = rules.compactMap { Rulebook.rule($0)?.page }
    }
}
