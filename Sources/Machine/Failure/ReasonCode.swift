package import Wire

/// Why an attempt failed, from a bounded set: safe as a metric label and in `Proxy-Status`.
///
/// A reason says what was seen on the wire at that instant. The *cause* behind it (a crash, an OOM kill, a wrong bind) is the verdict's.
/// Raw values are part of the record format between worker and control: append, never renumber.
package enum ReasonCode: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case unknown = 0
    case connectRefused = 1
    case connectTimeout = 2
    case connectUnreachable = 3
    case connectDenied = 4
    case socketMissing = 5
    case socketDenied = 6
    case backlogFull = 7
    case localPorts = 8
    case localDescriptors = 9
    case localConnections = 10
    case localMemory = 11
    case connReset = 12
    case connEndBeforeHead = 13
    case connKeepaliveRace = 14
    case sendTimeout = 15
    case responseTimeout = 16
    case responseTooBigHeader = 17
    case responseIllegalFraming = 18
    case responseInvalid = 19
    case responseWrongProtocol = 20
    case bodyTruncated = 21
    case bodyTimeout = 22
    case poolEmpty = 23
    case queueFull = 24
    case queueTimeout = 25
    case dnsFailed = 26
    case tlsHandshake = 27
    case tlsVerify = 28
    case portTaken = 29
    case requestLimited = 30
    /// Not ours: the application itself answered 502, 503 or 504.
    case appAnswered = 31
    /// The client went away first.
    case clientGone = 32
    /// A worker of the proxy itself died; told by logs of other proxies.
    case proxyCrashed = 33

    /// The code as users see it: lower case, a group, a dot, a name. Never changes once published.
    package var name: StaticString {
        switch self {
        case .unknown: "unknown"
        case .connectRefused: "connect.refused"
        case .connectTimeout: "connect.timeout"
        case .connectUnreachable: "connect.unreachable"
        case .connectDenied: "connect.denied"
        case .socketMissing: "socket.missing"
        case .socketDenied: "socket.denied"
        case .backlogFull: "backlog.full"
        case .localPorts: "local.ports"
        case .localDescriptors: "local.descriptors"
        case .localConnections: "local.connections"
        case .localMemory: "local.memory"
        case .connReset: "conn.reset"
        case .connEndBeforeHead: "conn.eof_before_head"
        case .connKeepaliveRace: "conn.keepalive_race"
        case .sendTimeout: "send.timeout"
        case .responseTimeout: "response.timeout"
        case .responseTooBigHeader: "response.too_big_header"
        case .responseIllegalFraming: "response.illegal_framing"
        case .responseInvalid: "response.invalid"
        case .responseWrongProtocol: "response.wrong_protocol"
        case .bodyTruncated: "body.truncated"
        case .bodyTimeout: "body.timeout"
        case .poolEmpty: "pool.empty"
        case .queueFull: "queue.full"
        case .queueTimeout: "queue.timeout"
        case .dnsFailed: "dns.failed"
        case .tlsHandshake: "tls.handshake"
        case .tlsVerify: "tls.verify"
        case .portTaken: "port.taken"
        case .requestLimited: "request.limited"
        case .appAnswered: "app.answered"
        case .clientGone: "client.gone"
        case .proxyCrashed: "proxy.crashed"
        }
    }

    /// Reasons that one cause shows as, 0...14: failures of one peer and one family are one incident.
    ///
    /// A dead process is refused, reset, an early end, a missing socket: one family. Part of the board's layout: append, never renumber.
    package var family: Int {
        switch self {
        case .connectRefused, .connReset, .connEndBeforeHead, .socketMissing, .bodyTruncated, .poolEmpty: 0
        case .responseTimeout, .sendTimeout, .bodyTimeout, .queueTimeout, .queueFull: 1
        case .connectTimeout, .backlogFull: 2
        case .responseIllegalFraming, .responseInvalid, .responseWrongProtocol: 3
        case .tlsHandshake, .tlsVerify: 4
        case .localPorts, .localDescriptors, .localConnections, .localMemory: 5
        case .connKeepaliveRace: 6
        case .responseTooBigHeader: 7
        case .connectUnreachable: 8
        case .connectDenied, .socketDenied: 9
        case .dnsFailed: 10
        case .portTaken: 11
        case .requestLimited: 12
        case .appAnswered: 13
        case .unknown, .clientGone, .proxyCrashed: 14
        }
    }

    /// The error type of RFC 9209 for `Proxy-Status`.
    package var proxyStatusError: StaticString {
        switch self {
        case .connectRefused: "connection_refused"
        case .connectTimeout: "connection_timeout"
        case .connectUnreachable: "destination_ip_unroutable"
        case .connectDenied, .socketDenied, .unknown, .portTaken, .clientGone, .proxyCrashed: "proxy_internal_error"
        case .socketMissing, .poolEmpty, .queueFull, .queueTimeout: "destination_unavailable"
        case .backlogFull: "connection_refused"
        case .localPorts, .localDescriptors, .localConnections, .localMemory, .requestLimited: "connection_limit_reached"
        case .connReset, .connEndBeforeHead, .connKeepaliveRace: "connection_terminated"
        case .sendTimeout: "connection_write_timeout"
        case .responseTimeout: "http_response_timeout"
        case .responseTooBigHeader: "http_response_header_section_size"
        case .responseIllegalFraming, .responseInvalid, .responseWrongProtocol, .appAnswered: "http_protocol_error"
        case .bodyTruncated: "http_response_incomplete"
        case .bodyTimeout: "connection_read_timeout"
        case .dnsFailed: "dns_error"
        case .tlsHandshake: "tls_protocol_error"
        case .tlsVerify: "tls_certificate_error"
        }
    }

    /// The reason for an answer's head that the parser refused.
    ///
    /// - Parameter isHTTP: whether the answer begins with `HTTP/`.
    package static func badHead(_ reason: HeadError.Reason, isHTTP: Bool) -> ReasonCode {
        if !isHTTP { return .responseWrongProtocol }
        switch reason {
        case .tooLongHeaderLine, .tooLargeHead, .tooManyFields: return .responseTooBigHeader
        case .invalidHeaderLine, .duplicateHeaderLine, .invalidContentLength, .contentLengthWithTransferEncoding,
            .unknownTransferEncoding, .transferEncodingInHTTP10, .duplicateContentLength, .duplicateTransferEncoding:
            return .responseIllegalFraming
        default: return .responseInvalid
        }
    }

    /// The reason as it can be told at the instant of a failed system call or an early end, before any evidence is collected.
    ///
    /// Failures of the parser (framing, size, protocol), of the picker and of TLS verification know their own code; this function is
    /// for I/O.
    /// Pure, allocates nothing, O(1): the worker calls it on its failure path.
    /// - Parameters:
    ///   - phase: where the attempt was.
    ///   - errorNumber: the `errno` of the failed call; 110 (ETIMEDOUT) also for a timer of ours that ran out;
    ///     0 when the peer closed the connection in an orderly way.
    ///   - isUnixSocket: whether the peer's address is a path.
    ///   - bytesRead: bytes of the answer received on this attempt.
    ///   - reused: whether the connection had carried an earlier request.
    package static func immediate(
        phase: AttemptPhase, errorNumber: Int32, isUnixSocket: Bool, bytesRead: UInt64, reused: Bool
    ) -> ReasonCode {
        switch errorNumber {
        case 23, 24: return .localDescriptors  // ENFILE, EMFILE
        case 12, 105: return .localMemory  // ENOMEM, ENOBUFS
        default: break
        }
        switch phase {
        case .picking: return .poolEmpty
        case .resolving: return .dnsFailed
        case .connecting: return connecting(errorNumber, isUnixSocket: isUnixSocket)
        case .handshaking: return errorNumber == 110 ? .connectTimeout : .tlsHandshake
        case .sending, .awaitingHead, .readingHead:
            if errorNumber == 110 { return phase == .sending ? .sendTimeout : .responseTimeout }
            if isGone(errorNumber) {
                if reused && bytesRead == 0 { return .connKeepaliveRace }
                return errorNumber == 0 ? .connEndBeforeHead : .connReset
            }
            return .unknown
        case .relayingBody:
            if errorNumber == 110 { return .bodyTimeout }
            return isGone(errorNumber) ? .bodyTruncated : .unknown
        }
    }

    private static func connecting(_ errorNumber: Int32, isUnixSocket: Bool) -> ReasonCode {
        switch errorNumber {
        case 111: .connectRefused  // ECONNREFUSED
        case 110: .connectTimeout  // ETIMEDOUT
        case 2, 20: isUnixSocket ? .socketMissing : .unknown  // ENOENT, ENOTDIR
        case 13, 1: isUnixSocket ? .socketDenied : .connectDenied  // EACCES, EPERM
        case 11: isUnixSocket ? .backlogFull : .localPorts  // EAGAIN: unix queue full; TCP: no port for an autobind
        case 98, 99: .localPorts  // EADDRINUSE, EADDRNOTAVAIL
        case 100, 101, 112, 113: .connectUnreachable  // ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH
        case 97: .connectDenied  // EAFNOSUPPORT: RestrictAddressFamilies= or no IPv6
        case 0, 32, 103, 104: .connReset  // closed or reset before the handshake was through
        default: .unknown
        }
    }

    /// An orderly end, EPIPE, ECONNABORTED or ECONNRESET: the peer is not there any more.
    private static func isGone(_ errorNumber: Int32) -> Bool {
        errorNumber == 0 || errorNumber == 32 || errorNumber == 103 || errorNumber == 104
    }
}
