import Machine
import Testing
import Wire

@Suite struct ReasonCodeTests {
    @Test(arguments: [
        (AttemptPhase.connecting, Int32(111), false, UInt64(0), false, "connect.refused"),
        (.connecting, 110, false, 0, false, "connect.timeout"),
        (.connecting, 113, false, 0, false, "connect.unreachable"),
        (.connecting, 101, false, 0, false, "connect.unreachable"),
        (.connecting, 2, true, 0, false, "socket.missing"),
        (.connecting, 13, true, 0, false, "socket.denied"),
        (.connecting, 13, false, 0, false, "connect.denied"),
        (.connecting, 111, true, 0, false, "connect.refused"),
        (.connecting, 11, true, 0, false, "backlog.full"),
        (.connecting, 99, false, 0, false, "local.ports"),
        (.connecting, 24, false, 0, false, "local.descriptors"),
        (.picking, 0, false, 0, false, "pool.empty"),
        (.resolving, 0, false, 0, false, "dns.failed"),
        (.handshaking, 104, false, 0, false, "tls.handshake"),
        (.sending, 32, false, 0, false, "conn.reset"),
        (.sending, 32, false, 0, true, "conn.keepalive_race"),
        (.sending, 110, false, 0, false, "send.timeout"),
        (.awaitingHead, 0, false, 0, false, "conn.eof_before_head"),
        (.awaitingHead, 0, false, 0, true, "conn.keepalive_race"),
        (.awaitingHead, 104, false, 0, true, "conn.keepalive_race"),
        (.awaitingHead, 110, false, 0, true, "response.timeout"),
        (.readingHead, 0, false, 10, true, "conn.eof_before_head"),
        (.readingHead, 104, false, 10, true, "conn.reset"),
        (.relayingBody, 0, false, 900, true, "body.truncated"),
        (.relayingBody, 110, false, 900, false, "body.timeout"),
    ])
    func `phase, errno and bytes give the reason at once`(
        phase: AttemptPhase, errorNumber: Int32, unix: Bool, read: UInt64, reused: Bool, expected: String
    ) {
        let reason = ReasonCode.immediate(
            phase: phase, errorNumber: errorNumber, isUnixSocket: unix, bytesRead: read, reused: reused)
        #expect("\(reason.name)" == expected)
    }

    @Test func `names are unique and in the published form`() {
        let names = ReasonCode.allCases.map { "\($0.name)" }
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == 46 || $0 == 95 }, "\(name)")
        }
    }

    @Test(arguments: [
        (HeadError.Reason.invalidStatusLine, false, ReasonCode.responseWrongProtocol),
        (.tooLargeHead, true, .responseTooBigHeader), (.tooManyFields, true, .responseTooBigHeader),
        (.contentLengthWithTransferEncoding, true, .responseIllegalFraming),
        (.duplicateContentLength, true, .responseIllegalFraming), (.unsupportedVersion, true, .responseInvalid),
    ])
    func `a refused head has a reason`(error: HeadError.Reason, isHTTP: Bool, expected: ReasonCode) {
        #expect(ReasonCode.badHead(error, isHTTP: isHTTP) == expected)
    }

    @Test func `families fit the board`() {
        #expect(ReasonCode.allCases.allSatisfy { (0..<15).contains($0.family) })
        #expect(ReasonCode.connReset.family == ReasonCode.connectRefused.family)
        #expect(ReasonCode.responseTimeout.family != ReasonCode.connectRefused.family)
    }

    @Test func `error types of Proxy-Status are tokens`() {
        for reason in ReasonCode.allCases {
            #expect("\(reason.proxyStatusError)".utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == 95 })
        }
    }
}
