import Machine

/// P25: the port speaks another protocol than the proxy.
enum P25WrongProtocol {
    static let rule = Rule(
        number: 25, slug: "wrong-protocol", title: "Another protocol on that port", depth: 7,
        reasons: [.responseWrongProtocol, .responseInvalid, .tlsHandshake, .connEndBeforeHead], release: .answers, judge: judge)

    /// "HTT", read as the length of an HTTP/2 frame.
    private static let http1AsFrameLength = 4_740_180

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let scheme = evidence.upstream.value?.scheme ?? "http"
        let wantsTLS = evidence.wantsTLS(failure)
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        if !failure.detail.isEmpty {
            lines.append(EvidenceLine(failure.detail, source: "error log", time: failure.last))
        }
        if failure.detailNumber == http1AsFrameLength {
            return .finding(
                finding(
                    failure, evidence, .proven, "HTTP/1", wanted: "HTTP/2 (grpc_pass)", lines,
                    fix: "Use proxy_pass, or let the application serve HTTP/2 without TLS (h2c).", to: "http"))
        }
        if wantsTLS,
            LineText(failure.detail).contains("wrong version number")
                || LineText(failure.detail).contains("packet length too long")
        {
            return .finding(
                finding(
                    failure, evidence, .proven, "plain text", wanted: "TLS", lines, fix: "Use http:// for this port.",
                    to: "http"))
        }
        // Both came in a record of TLS.
        if wantsTLS, LineText(failure.detail).contains("alert number") || LineText(failure.detail).contains("certificate") {
            return .ruledOut("the peer speaks TLS: it sent an alert or a certificate")
        }
        guard let sample = evidence.sample.value else {
            return failure.has([.responseWrongProtocol])
                ? .finding(
                    finding(
                        failure, evidence, .likely, "something else", wanted: scheme, lines,
                        fix: "Compare the scheme of proxy_pass with what the port speaks.", to: nil))
                : .notApplicable
        }
        if sample.guess == .nothing {
            return failure.has([.responseWrongProtocol])
                ? .undecided("the peer sent nothing when asked") : .notApplicable
        }
        let speaksHTTP1 = sample.guess == .http1
        if speaksHTTP1, !wantsTLS { return .ruledOut("the peer speaks HTTP/1") }
        // Many servers answer text at a TLS port with text.
        if speaksHTTP1, !sample.isOfTLS { return .notApplicable }
        let isTLS = sample.guess == .tlsAlert || sample.guess == .tlsHandshake
        if isTLS, wantsTLS { return .ruledOut("the peer speaks TLS") }
        if sample.guess == .other, !failure.has([.responseWrongProtocol]) { return .notApplicable }
        lines.append(
            EvidenceLine(
                "its first bytes are \(sample.text): \(sample.guess.rawValue)", source: evidence.sample.source,
                time: failure.now))
        let advice =
            isTLS
            ? "Use https:// for this port."
            : speaksHTTP1
                ? "Use http:// for this port."
                : sample.guess == .fastcgi ? "Use fastcgi_pass." : "Correct the port: it belongs to another service."
        return .finding(
            finding(
                failure, evidence, sample.guess == .other ? .likely : .proven, sample.guess.rawValue,
                wanted: wantsTLS ? "TLS" : "HTTP/1", lines, fix: advice,
                to: isTLS ? "https" : speaksHTTP1 ? "http" : nil))
    }

    private static func finding(
        _ failure: FailureCase, _ evidence: EvidenceSet, _ confidence: Confidence, _ speaks: String, wanted: String,
        _ lines: [EvidenceLine], fix: String, to: String?
    ) -> Finding {
        let scheme = evidence.upstream.value?.scheme ?? "http"
        let name = evidence.upstream.value?.written ?? failure.peerText
        return Finding(
            confidence, Culprit(.configuration, evidence.upstream.value?.place ?? failure.peerText),
            "The proxy speaks \(wanted) to \(failure.peerText), which speaks \(speaks).", evidence: lines,
            disproof: "An answer in the expected protocol from that port.",
            fix: Fix(
                fix,
                commands: [
                    """
                    printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 2 nc \(failure.peer?.hostText ?? "") \(failure.peer?.port ?? 0) \
                    | head -c 64 | xxd
                    """
                ],
                diff: to.map { "-    proxy_pass \(scheme)://\(name);\n+    proxy_pass \($0)://\(name);" }),
            reason: .responseWrongProtocol)
    }
}
