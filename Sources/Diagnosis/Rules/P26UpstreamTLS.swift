import Machine

/// P26: the TLS handshake with the upstream fails.
enum P26UpstreamTLS {
    static let rule = Rule(
        number: 26, slug: "upstream-tls", title: "TLS with the upstream fails", depth: 6,
        reasons: [.tlsHandshake, .tlsVerify], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard failure.has(rule.reasons) else { return .notApplicable }
        let detail = LineText(failure.detail)
        if detail.contains("wrong version number") { return .ruledOut("the peer does not speak TLS at all") }
        var lines = [RuleSupport.failures(failure, rule.reasons)]
        if !failure.detail.isEmpty {
            lines.append(EvidenceLine(failure.detail, source: "error log", time: failure.last))
        }
        let sendsName = evidence.upstream.value?.sendsServerName
        if sendsName == false {
            lines.append(
                EvidenceLine(
                    "proxy_ssl_server_name is off: no name is sent (SNI)", source: evidence.upstream.value?.place ?? "")
            )
        }
        let (confidence, cause, fix) = explanation(failure, detail, sendsName)
        return .finding(
            Finding(
                confidence, Culprit(.configuration, evidence.upstream.value?.place ?? failure.peerText), cause,
                evidence: lines,
                disproof: "A handshake with the same parameters that works (openssl s_client).", fix: fix))
    }

    private static func explanation(_ failure: FailureCase, _ detail: LineText, _ sendsName: Bool?) -> (
        Confidence, String, Fix
    ) {
        let name = failure.host ?? failure.peer?.hostText ?? failure.upstream
        let probe: ShellCommand = "openssl s_client -connect \(failure.peerText) -servername \(name) </dev/null"
        if failure.has([.tlsVerify]) {
            if detail.contains("does not match") {
                return (
                    .proven, "The upstream's certificate is for another name.",
                    Fix(
                        "Expect the name that is in it, or correct the certificate.", commands: [probe],
                        diff: "+proxy_ssl_name \(name);")
                )
            }
            let why =
                switch failure.detailNumber {
                case 10: "has expired"
                case 9: "is not valid yet (check both clocks)"
                case 18, 19: "is self-signed"
                case 20, 21: "has an issuer that is not trusted here"
                case 62: "is for another name"
                default: "was not accepted"
                }
            return (
                .proven,
                "The upstream's certificate \(why)\(failure.detailNumber.map { " (verify error \($0))" } ?? "").",
                Fix(
                    "Renew the certificate, or trust its issuer.", commands: [probe],
                    diff: "+proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;")
            )
        }
        switch failure.detailNumber {
        case 40, 112:
            let sure: Confidence = sendsName == false ? .firm : .likely
            return (
                sure,
                "The upstream refuses the handshake (alert "
                    + "\(failure.detailNumber ?? 40))\(sendsName == false ? " because it is not told which name is wanted" : ": no common parameters, or an unknown name").",
                Fix("Send the name.", commands: [probe], diff: "+proxy_ssl_server_name on;\n+proxy_ssl_name \(name);")
            )
        case 70:
            return (
                .firm, "The upstream refuses the TLS version the proxy offers (alert 70).",
                Fix("Allow a newer version.", commands: [probe], diff: "+proxy_ssl_protocols TLSv1.2 TLSv1.3;")
            )
        case 42, 43, 44, 45, 46, 48, 116:
            return (
                .firm, "The upstream does not accept the proxy's own certificate (alert \(failure.detailNumber ?? 0)).",
                Fix("Give a client certificate it trusts (proxy_ssl_certificate).", commands: [probe])
            )
        case 80:
            return (
                .likely, "The upstream failed within the handshake (alert 80, internal error).",
                Fix("Read its own log.", commands: [probe])
            )
        default:
            return (
                .likely, "The TLS handshake with \(failure.peerText) does not succeed.",
                Fix(
                    "Try with and without a name.", commands: [probe],
                    diff: sendsName == false ? "+proxy_ssl_server_name on;" : nil)
            )
        }
    }
}
