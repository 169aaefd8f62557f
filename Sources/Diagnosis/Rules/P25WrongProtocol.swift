import Machine

/// P25: the port speaks another protocol than the proxy.
enum P25WrongProtocol {
    static let rule = Rule(
        number: 25, slug: "wrong-protocol", title: "Another protocol on that port", depth: 7,
        reasons: [.responseWrongProtocol, .responseInvalid, .tlsHandshake, .connEndBeforeHead], release: .answers, judge: judge)

    /// "HTT", read as the length of an HTTP/2 frame.
    private static let http1AsFrameLength = 4_740_180

    /// "H", read as the version of FastCGI.
    private static let http1AsFastCGIVersion = 72

    /// What the modules speak.
    private static let protocols = ["fastcgi": "FastCGI", "uwsgi": "uwsgi", "scgi": "SCGI", "grpc": "HTTP/2", "proxy": "HTTP/1"]

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let scheme = evidence.upstream.value?.scheme ?? "http"
        let wantsTLS = evidence.wantsTLS(failure)
        if let peer = failure.peer, peer.isLoopback, let port = peer.port, evidence.knowsListeners(for: peer),
            evidence.listeners(for: peer).isEmpty, let host = evidence.host.value,
            let low = host.portRangeLow, let high = host.portRangeHigh, low <= high, (low...high).contains(Int(port))
        {
            return .ruledOut(
                "nothing listens on \(peer.text), and connections from here get their own ports out of \(low)-\(high): one may have been "
                    + "made to itself")
        }
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        if !failure.detail.isEmpty {
            lines.append(EvidenceLine(failure.detail, source: "error log", time: failure.last))
        }
        if let finding = told(failure, evidence, lines, wantsTLS) { return .finding(finding) }
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
        let speaksHTTP1 = sample.guess == .http1, module = RuleSupport.module(evidence)
        if speaksHTTP1, !wantsTLS, module == "proxy" { return .ruledOut("the peer speaks HTTP/1") }
        if sample.guess == .http2, module == "grpc" { return .ruledOut("the peer speaks HTTP/2") }
        if sample.guess == .fastcgi, module == "fastcgi" { return .ruledOut("the peer speaks FastCGI") }
        // A server of HTTP/2 may know HTTP/1 as well, and the answer was to text.
        if speaksHTTP1, !wantsTLS, module == "grpc", !failure.has([.responseWrongProtocol]) { return .notApplicable }
        // Many servers answer text at a TLS port with text.
        if speaksHTTP1, wantsTLS, !sample.isOfTLS { return .notApplicable }
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
        let isGuess = sample.guess == .other || speaksHTTP1 && module == "grpc" && !wantsTLS
        return .finding(
            finding(
                failure, evidence, isGuess ? .likely : .proven, sample.guess.rawValue,
                wanted: wantsTLS ? "TLS" : protocols[module] ?? "HTTP/1", lines, fix: advice,
                to: isTLS ? "https" : speaksHTTP1 ? "http" : nil))
    }

    /// What the error message alone proves.
    private static func told(_ failure: FailureCase, _ evidence: EvidenceSet, _ lines: [EvidenceLine], _ wantsTLS: Bool) -> Finding? {
        if failure.detailNumber == http1AsFrameLength {
            return finding(
                failure, evidence, .proven, "HTTP/1", wanted: "HTTP/2 (grpc_pass)", lines,
                fix: "Use proxy_pass, or let the application serve HTTP/2 without TLS (h2c).", to: "http")
        }
        if failure.detailNumber == http1AsFastCGIVersion, LineText(failure.detail).contains("FastCGI") {
            return finding(
                failure, evidence, .proven, "HTTP/1", wanted: "FastCGI", lines,
                fix: "Use proxy_pass, or the port on which the application speaks FastCGI.", to: "http")
        }
        let detail = LineText(failure.detail)
        guard wantsTLS, detail.contains("wrong version number") || detail.contains("packet length too long") else { return nil }
        return finding(failure, evidence, .proven, "plain text", wanted: "TLS", lines, fix: "Use http:// for this port.", to: "http")
    }

    private static func finding(
        _ failure: FailureCase, _ evidence: EvidenceSet, _ confidence: Confidence, _ speaks: String, wanted: String,
        _ lines: [EvidenceLine], fix: String, to: String?
    ) -> Finding {
        let scheme = evidence.upstream.value?.scheme ?? "http", module = RuleSupport.module(evidence)
        let name = evidence.upstream.value?.written ?? failure.peerText
        let target = failure.peer?.path.map { ShellCommand("-U \($0)") } ?? "\(failure.peer?.hostText ?? "") \(failure.peer?.port ?? 0)"
        let now = ["proxy", "grpc"].contains(module) ? "\(module)_pass \(scheme)://\(name);" : "\(module)_pass \(name);"
        let then = to.map { module == "grpc" && $0 == "https" ? "grpc_pass grpcs://\(name);" : "proxy_pass \($0)://\(name);" }
        return Finding(
            confidence, Culprit(.configuration, evidence.upstream.value?.place ?? failure.peerText),
            "The proxy speaks \(wanted) to \(failure.peerText), which speaks \(speaks).", evidence: lines,
            disproof: "An answer in the expected protocol from that port.",
            fix: Fix(
                fix, commands: ["printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 2 nc \(target) | head -c 64 | xxd"],
                diff: then.map { "-    \(now)\n+    \($0)" }),
            reason: .responseWrongProtocol)
    }
}
