import Machine

/// The error texts of Go's net package, which Caddy, Traefik, kamal-proxy and others print. They are Go's own and the same on every system.
enum GoErrors {
    private static let gone: (ReasonCode, [Int], String) = (
        .clientGone, [], "The client went away before it had the whole answer; no fault of the upstream."
    )

    static func classify(_ m: LineText) -> (reason: ReasonCode, rules: [Int], summary: String)? {
        if m.contains("TLS handshake error from ") {
            return (.clientGone, [], "A client did not finish its TLS handshake with the proxy: no upstream is concerned.")
        }
        // Caddy tells which side it was: reading is from the peer, writing is to the client.
        if m.contains("aborting with incomplete response"), m.contains("writing: ") || m.contains("write: broken pipe") {
            return gone
        }
        let isDial = m.contains("dial tcp") || m.contains("dial unix")
        if m.contains("connection refused") {
            return (.connectRefused, m.contains("dial unix") ? [1] : [1, 2], "The peer refused the connection.")
        }
        if isDial, m.contains("no such file or directory") {
            return (.socketMissing, [16], "The socket file is not there.")
        }
        if isDial, m.contains("permission denied") {
            return (m.contains("dial unix") ? .socketDenied : .connectDenied, [17], "The proxy may not connect.")
        }
        if isDial, m.contains("resource temporarily unavailable") {
            return (.backlogFull, [18], "The accept queue of the socket is full.")
        }
        if m.contains("no route to host") || m.contains("network is unreachable") {
            return (.connectUnreachable, [20], "The peer is not reachable.")
        }
        if m.contains("cannot assign requested address") {
            return (.localPorts, [21], "This host has no local port left for the peer.")
        }
        if m.contains("too many open files") {
            return (.localDescriptors, [22], "The proxy has no file descriptor left.")
        }
        if m.contains("no such host") || m.contains("server misbehaving") {
            return (.dnsFailed, [5], "The name did not resolve.")
        }
        if isDial, m.contains("i/o timeout") || m.contains("context deadline exceeded") {
            return (.connectTimeout, [19], "The peer did not answer the connection request in time.")
        }
        if m.contains("timeout awaiting response headers") || m.contains("context deadline exceeded") {
            return (.responseTimeout, [28], "The peer did not answer in time.")
        }
        if m.contains("no upstreams available") || m.contains("no available server") {
            return (.poolEmpty, [9], "No peer was left to pick.")
        }
        if m.contains("connection reset by peer") || m.contains("broken pipe") {
            return (.connReset, [7, 6, 10], "The peer reset the connection.")
        }
        if m.contains("malformed HTTP") || m.contains("server gave HTTP response to HTTPS client")
            || m.contains("first record does not look like a TLS handshake")
        {
            return (.responseWrongProtocol, [25], "The peer speaks another protocol.")
        }
        if m.contains("x509:") || m.contains("tls: ") || m.contains("remote error: tls") {
            return (m.contains("x509:") ? .tlsVerify : .tlsHandshake, [26], "TLS with the peer failed.")
        }
        if m.contains("i/o timeout") { return (.responseTimeout, [28, 19], "The peer did not answer in time.") }
        if m.contains("unexpected EOF") { return (.bodyTruncated, [7], "The peer closed in the middle of its answer.") }
        if m.contains("server closed idle connection") || isEOF(m) {
            return (.connEndBeforeHead, [6, 7, 30], "The peer closed the connection without an answer.")
        }
        return nil
    }

    /// `EOF` as a word at the end of a text or field.
    private static func isEOF(_ m: LineText) -> Bool {
        guard let at = m.find("EOF") else { return false }
        let before = at == m.bytes.startIndex ? 32 : m.bytes[at - 1]
        let end = at + 3
        let after = end >= m.bytes.endIndex ? 32 : m.bytes[end]
        return (before == 32 || before == 34) && (after == 32 || after == 34 || after == 41)
    }

    static func explain(_ line: LineText, origin: Explanation.Origin) -> Explanation? {
        guard let (reason, rules, summary) = classify(line) else { return nil }
        var peer: PeerAddress?
        if reason == .clientGone { return Explanation(origin, rules: [], reason: reason, summary) }
        if let rest = line.after("dial tcp ") {
            peer = PeerAddress(parsing: address(rest))
        } else if let rest = line.after("dial unix ") {
            peer = PeerAddress(parsing: "unix:" + address(rest))
        } else if let rest = line.after("->") {
            peer = PeerAddress(parsing: address(rest))
        }
        return Explanation(
            origin, rules: rules.map(RuleNames.id), reason: reason, summary,
            checks: RuleChecks.checks(rules, peer: peer), peer: peer)
    }

    /// Up to the next space, without the colon before it; an address may be in brackets.
    private static func address(_ text: LineText) -> String {
        let word = text.bytes.prefix { $0 > 32 && $0 != 34 }
        return LineText(word.last == 58 ? word.dropLast() : word).string
    }
}
