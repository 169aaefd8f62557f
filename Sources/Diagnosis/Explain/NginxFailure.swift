package import Machine

/// What a line of nginx's error log means: reason, phase and the rules that may explain it.
package struct NginxFailure: Sendable {
    /// What was seen, and in which phase.
    package var reason: ReasonCode
    package var phase: AttemptPhase
    /// Rule numbers, the likeliest first.
    package var rules: [Int]
    package var summary: String
    package var detail = ""
    package var detailNumber: Int?

    init(
        _ reason: ReasonCode, _ phase: AttemptPhase, _ rules: [Int], _ summary: String, detail: String = "",
        number: Int? = nil
    ) {
        self.reason = reason; self.phase = phase; self.rules = rules; self.summary = summary
        self.detail = detail; detailNumber = number
    }

    /// nil for lines about something else. Decides by errno numbers and nginx's own words, with which a message begins: what it quotes,
    /// such as a file's name or what PHP wrote, clients and applications choose. Never by the C library's texts. Linear.
    package static func classify(_ line: NginxErrorLine) -> NginxFailure? {
        let m = line.message
        // What nginx asks for itself: no request waits for it.
        if line.action.hasPrefix("requesting certificate status") || line.action.hasPrefix("logging to syslog") { return nil }
        return resolving(m, line) ?? processWide(m, line) ?? picking(m, line) ?? connecting(m, line) ?? timeout(m, line) ?? closed(m, line)
            ?? malformed(m) ?? security(m, line)
    }

    /// The name server itself, which `… could not be resolved` follows from.
    private static func resolving(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        guard line.action.hasPrefix("resolving"), let code = line.errorNumber, !m.contains("\"") else { return nil }
        let server = m.after("resolver: ")?.word.string ?? "The name server"
        return NginxFailure(.dnsFailed, .resolving, [5], "\(server), the name server, cannot be reached (error \(code)).")
    }

    /// The phase that `while …` names.
    package static func phase(_ action: String) -> AttemptPhase {
        if action.hasPrefix("connecting to upstream") { return .connecting }
        if action.hasPrefix("SSL handshaking to upstream") { return .handshaking }
        if action.hasPrefix("sending request to upstream") || action.hasPrefix("sending to upstream") {
            return .sending
        }
        if action.hasPrefix("reading response header from upstream") || action.hasPrefix("reading early hints") {
            return .awaitingHead
        }
        if action.hasPrefix("resolving") { return .resolving }
        return .relayingBody
    }

    private static func isUpstream(_ action: String) -> Bool {
        action.contains("upstream") || action.hasPrefix("proxying upgraded connection")
    }

    private static func processWide(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        let counted = LineText(m.bytes.drop { $0 >= 48 && $0 <= 57 }).trimmed
        if counted.hasPrefix("worker_connections are not enough") {
            return NginxFailure(
                .localConnections, .connecting, [22],
                "All \(m.number.map(String.init) ?? "") worker_connections of a worker are in use.", number: m.number)
        }
        if counted.hasPrefix("worker_connections exceed open file resource limit") {
            return NginxFailure(
                .localDescriptors, .picking, [22],
                "worker_connections is larger than the open-files limit of the process.")
        }
        if isOutOfFiles(line) {
            return NginxFailure(.localDescriptors, .connecting, [22], "The proxy has no file descriptor left.")
        }
        if m.hasPrefix("bind()"), line.errorNumber == 98, line.upstream == nil {
            return NginxFailure(
                .portTaken, .picking, [27],
                "The proxy cannot bind \(m.after("bind() to ")?.upTo(" failed").string ?? "its address"): somebody else has it.")
        }
        if m.hasPrefix("still could not bind()") {
            return NginxFailure(
                .portTaken, .picking, [27], "The proxy gave up binding its address: somebody else has it.")
        }
        if m.hasPrefix("worker process "), let signal = m.after(" exited on signal ")?.number {
            return NginxFailure(
                .proxyCrashed, .relayingBody, signal == 9 ? [10, 7] : [7],
                "A worker of the proxy itself died of signal \(signal).", detail: m.string, number: signal)
        }
        if m.hasPrefix("limiting requests") || m.hasPrefix("limiting connections") {
            return NginxFailure(
                .requestLimited, .picking, [28],
                "A limit_req or limit_conn zone turned the request away "
                    + "(\(m.between("by zone \"", "\"")?.string ?? ""))."
            )
        }
        return nil
    }

    /// Whether a call failed for want of descriptors, as `socket() failed (24: …)`. The name of a file that was to be opened is a client's:
    /// such a line counts if it can be read in one way only.
    private static func isOutOfFiles(_ line: NginxErrorLine) -> Bool {
        guard let code = line.message.after(" failed (")?.number, code == 24 || code == 23 else { return false }
        return !line.message.contains("\"") || line.message.hasPrefix("open() \"") && line.hasOneReading
    }

    private static func picking(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        if m.hasPrefix("no live upstreams") {
            return NginxFailure(.poolEmpty, .picking, [9], "Every server of the upstream was taken out after failures.")
        }
        if m.hasPrefix("upstream server temporarily disabled") {
            return NginxFailure(.poolEmpty, .picking, [9, 2], "A server was taken out after max_fails failures.")
        }
        if m.hasPrefix("host not found in upstream") {
            return NginxFailure(
                .dnsFailed, .resolving, [5],
                "The name \(m.between("upstream \"", "\"")?.string ?? "") did not resolve at start: the proxy "
                    + "refused to start.", detail: m.string
            )
        }
        // The name may be a client's, who can put no space into it.
        let unnamed = LineText(m.bytes.drop { $0 > 32 })
        if unnamed.hasPrefix(" could not be resolved ("), let rest = unnamed.after("(") {
            return NginxFailure(
                .dnsFailed, .resolving, [5],
                "\(m.upTo(" could not be").string) did not resolve (\(rest.upTo(")").string)).", number: rest.number)
        }
        if m.hasPrefix("no resolver defined to resolve") {
            return NginxFailure(
                .dnsFailed, .resolving, [5],
                "proxy_pass with a variable needs a resolver directive: \(m.after("to resolve ")?.word.string ?? "").", detail: m.string)
        }
        return nil
    }

    private static func connecting(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        let isConnect =
            m.hasPrefix("connect() ") || m.hasPrefix("kevent() reported about an closed connection")
            || m.hasPrefix("bind(") && line.upstream != nil
        guard isConnect, let code = line.errorNumber, line.upstream != nil || isUpstream(line.action) else { return nil }
        let unix = m.hasPrefix("connect() to unix:") || line.upstream?.hasPrefix("unix:") ?? false
        let reason = ReasonCode.immediate(
            phase: .connecting, errorNumber: code, isUnixSocket: unix, bytesRead: 0, reused: false)
        let peer = line.upstream ?? m.after("connect() to ")?.upTo(" failed").string ?? "the peer"
        switch reason {
        case .connectRefused:
            let isIPv6Loopback = line.upstream?.hasPrefix("[::1]") ?? false
            return NginxFailure(
                reason, .connecting, unix ? [1] : isIPv6Loopback ? [2, 1, 3] : [1, 2, 4], "\(peer) refused the connection.")
        case .socketMissing: return NginxFailure(reason, .connecting, [16], "The socket file of \(peer) is not there.")
        case .socketDenied, .connectDenied:
            return NginxFailure(reason, .connecting, [17], "The proxy may not connect to \(peer).")
        case .backlogFull: return NginxFailure(reason, .connecting, [18], "The accept queue of \(peer) is full.")
        case .connectTimeout:
            return NginxFailure(
                reason, .connecting, [19], "\(peer) did not answer the connection request; the kernel gave up.")
        case .connectUnreachable: return NginxFailure(reason, .connecting, [20], "\(peer) is not reachable.")
        case .localPorts where m.hasPrefix("bind("):
            let own = m.after("bind(")?.upTo(")").string ?? "its address"
            guard code == 99 else {
                return NginxFailure(reason, .connecting, [21], "The proxy cannot bind \(own) for \(peer): all its ports to it are in use.")
            }
            return NginxFailure(
                reason, .connecting, [21], "The proxy cannot bind \(own) for \(peer): `proxy_bind` names no address of this host.",
                detail: "bind(\(own))")
        case .localPorts where peer.contains("["):
            return NginxFailure(reason, .connecting, [2, 21], "This host has no IPv6 address, or no local port left, for \(peer).")
        case .localPorts:
            return NginxFailure(reason, .connecting, [21], "This host has no local port left for \(peer).")
        case .localDescriptors: return NginxFailure(reason, .connecting, [22], "The proxy has no file descriptor left.")
        default: return NginxFailure(reason, .connecting, [1], "Connecting to \(peer) failed with error \(code).")
        }
    }

    private static func timeout(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        guard m.hasPrefix("upstream timed out") else { return nil }
        let peer = line.upstream ?? "the peer"
        switch phase(line.action) {
        case .connecting:
            return NginxFailure(
                .connectTimeout, .connecting, [19, 20], "\(peer) did not answer the connection request in time.")
        case .handshaking:
            return NginxFailure(
                .tlsHandshake, .handshaking, [26, 19], "\(peer) did not finish the TLS handshake in time.")
        case .sending: return NginxFailure(.sendTimeout, .sending, [28], "\(peer) did not take the request in time.")
        case .awaitingHead, .readingHead:
            return NginxFailure(.responseTimeout, .awaitingHead, [28], "\(peer) did not answer in time.")
        default: return NginxFailure(.bodyTimeout, .relayingBody, [28], "\(peer) stopped in the middle of its answer.")
        }
    }

    private static func closed(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        let peer = line.upstream ?? "the peer"
        if m.hasPrefix("peer closed connection in SSL handshake"), isUpstream(line.action) {
            return NginxFailure(
                .tlsHandshake, .handshaking, [26, 25], "\(peer) closed the connection within the TLS handshake.",
                detail: "peer closed")
        }
        if m.hasPrefix("upstream prematurely closed") {
            switch phase(line.action) {
            case .relayingBody:
                return NginxFailure(
                    .bodyTruncated, .relayingBody, [7, 10], "\(peer) closed in the middle of its answer.")
            case let phase:
                return NginxFailure(
                    .connEndBeforeHead, phase, [6, 7, 10], "\(peer) closed the connection without an answer.")
            }
        }
        guard let code = line.errorNumber, code == 104 || code == 32 || code == 103, isUpstream(line.action),
            m.hasPrefix("recv() failed") || m.hasPrefix("readv() failed") || m.hasPrefix("send() failed")
                || m.hasPrefix("writev() failed") || m.hasPrefix("sendfile() failed") || m.hasPrefix("SSL_")
        else { return nil }
        let phase = phase(line.action)
        if phase == .relayingBody {
            return NginxFailure(
                .bodyTruncated, phase, [7, 10], "\(peer) reset the connection in the middle of its answer.")
        }
        return NginxFailure(.connReset, phase, [7, 6, 10], "\(peer) reset the connection without an answer.")
    }

    private static func malformed(_ m: LineText) -> NginxFailure? {
        guard m.hasPrefix("upstream "), let rest = m.after("upstream ") else { return nil }
        let detail = rest.upTo(" while ").string
        if rest.hasPrefix("sent too big ") {
            return NginxFailure(
                .responseTooBigHeader, .readingHead, [23], "The response header is larger than the proxy's buffer.",
                detail: detail)
        }
        if rest.hasPrefix("sent no valid HTTP/1.0 header") {
            return NginxFailure(
                .responseWrongProtocol, .readingHead, [25], "The peer's answer is no HTTP.", detail: detail)
        }
        if rest.hasPrefix("sent unsupported FastCGI protocol version") || rest.hasPrefix("sent unexpected FastCGI record") {
            let number = (rest.after("version: ") ?? rest.after("record: "))?.number
            return NginxFailure(
                .responseWrongProtocol, .readingHead, [25],
                number == 72 ? "The peer answered in HTTP, not in FastCGI." : "The peer's answer is no FastCGI.", detail: detail,
                number: number)
        }
        if rest.hasPrefix("sent too large http2 frame: ") {
            return NginxFailure(
                .responseWrongProtocol, .readingHead, [25], "The peer does not speak HTTP/2.", detail: detail,
                number: rest.after("frame: ")?.number)
        }
        if rest.hasPrefix("rejected request with error ") || rest.hasPrefix("sent goaway with error") {
            return NginxFailure(
                .responseWrongProtocol, .readingHead, [25], "The peer rejected the HTTP/2 request.", detail: detail,
                number: rest.after("error ")?.number)
        }
        let framing =
            rest.hasPrefix("sent \"Content-Length\"") || rest.hasPrefix("sent duplicate header line")
            || rest.hasPrefix("sent invalid chunked")
            || rest.hasPrefix("sent invalid \"Content-Length\"") || rest.hasPrefix("sent more data than specified")
            || rest.hasPrefix("sent unknown \"Transfer-Encoding\"")
        if framing {
            return NginxFailure(
                .responseIllegalFraming, .readingHead, [24], "The answer's framing is illegal: \(detail).",
                detail: detail)
        }
        if rest.hasPrefix("sent invalid header") {
            return NginxFailure(
                .responseIllegalFraming, .readingHead, [24], "The answer has an invalid header: \(detail).",
                detail: detail)
        }
        return nil
    }

    private static func security(_ m: LineText, _ line: NginxErrorLine) -> NginxFailure? {
        if m.hasPrefix("SSL_do_handshake() failed"), line.action.contains("upstream") {
            let detail = m.between("(SSL: ", ") while") ?? m.after("(SSL: ") ?? m
            return NginxFailure(
                .tlsHandshake, .handshaking, [26, 25], "The TLS handshake with \(line.upstream ?? "the peer") failed.",
                detail: detail.string,
                number: m.after("alert number ")?.number)
        }
        if m.hasPrefix("upstream SSL certificate verify error: ("), let rest = m.after("(") {
            return NginxFailure(
                .tlsVerify, .handshaking, [26], "The peer's certificate was not accepted.",
                detail: rest.upTo(")").string, number: rest.number)
        }
        if m.hasPrefix("upstream SSL certificate does not match") {
            return NginxFailure(
                .tlsVerify, .handshaking, [26], "The peer's certificate is for another name.",
                detail: m.upTo(" while ").string)
        }
        return nil
    }
}
