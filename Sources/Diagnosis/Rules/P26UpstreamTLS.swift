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
                    "\(RuleSupport.module(evidence))_ssl_server_name is off: no name is sent (SNI)", source: evidence.upstream.value?.place ?? "")
            )
        }
        let (confidence, cause, fix) = explanation(failure, detail, sendsName, evidence)
        return .finding(
            Finding(
                confidence, Culprit(.configuration, evidence.upstream.value?.place ?? failure.peerText), cause,
                evidence: lines,
                disproof: "A handshake with the same parameters that works (openssl s_client).", fix: fix))
    }

    private static func explanation(
        _ failure: FailureCase, _ detail: LineText, _ sendsName: Bool?, _ evidence: EvidenceSet
    ) -> (Confidence, String, Fix) {
        // By an address or the name of a group no certificate is chosen: where no host is known, it is the one that clients ask for.
        let tls = evidence.upstream.value?.tls, known = failure.host ?? (tls?.isNameOfHost == true ? tls?.name : nil)
        let name = known ?? "$host", ssl = "+\(RuleSupport.module(evidence))_ssl"
        let probe: ShellCommand =
            known.map { "openssl s_client -connect \(failure.peerText) -servername \($0) </dev/null" }
            ?? "openssl s_client -connect \(failure.peerText) -servername HOST </dev/null   # HOST: a name in the certificate"
        if failure.has([.tlsVerify]) { return verified(failure, detail, probe, name: name, ssl: ssl, authorities: tls?.authorities) }
        switch failure.detailNumber {
        case 40, 112:
            let sure: Confidence = sendsName == false ? .firm : .likely
            return (
                sure,
                "The upstream refuses the handshake (alert \(failure.detailNumber ?? 40))"
                    + (sendsName == false
                        ? " because it is not told which name is wanted." : ": no common parameters, or an unknown name."),
                Fix("Send the name.", commands: [probe], diff: "\(ssl)_server_name on;\n\(ssl)_name \(name);")
            )
        case 70:
            return (
                .firm, "The upstream refuses the TLS version the proxy offers (alert 70).",
                Fix("Allow a newer version.", commands: [probe], diff: "\(ssl)_protocols TLSv1.2 TLSv1.3;")
            )
        case 42, 43, 44, 45, 46, 48, 116:
            return (
                .firm, "The upstream does not accept the proxy's own certificate (alert \(failure.detailNumber ?? 0)).",
                Fix("Give a client certificate it trusts (\(ssl.dropFirst())_certificate).", commands: [probe])
            )
        case 80:
            return (
                .likely, "The upstream failed within the handshake (alert 80, internal error).",
                Fix("Read its own log.", commands: [probe])
            )
        default:
            return (
                .likely, "The TLS handshake with \(failure.peerText) does not succeed.",
                Fix("Try with and without a name.", commands: [probe], diff: sendsName == false ? "\(ssl)_server_name on;" : nil)
            )
        }
    }

    /// The proxy did not accept the upstream's certificate: each error has a fix of its own.
    private static func verified(
        _ failure: FailureCase, _ detail: LineText, _ probe: ShellCommand, name: String, ssl: String, authorities: String?
    ) -> (Confidence, String, Fix) {
        if detail.contains("does not match") || failure.detailNumber == 62 {
            let number = failure.detailNumber.map { " (verify error \($0))" } ?? ""
            return (
                .proven, "The upstream's certificate is for another name\(number).",
                Fix("Expect the name that is in it, or correct the certificate.", commands: [probe], diff: "\(ssl)_name \(name);")
            )
        }
        let bundle = "/etc/ssl/certs/ca-certificates.crt", own = "/etc/nginx/upstream.pem"
        let fetch: ShellCommand = "openssl s_client -connect \(failure.peerText) -showcerts </dev/null | openssl x509 > \(own)"
        let (why, fix): (String, Fix) =
            switch failure.detailNumber {
            case 10: ("has expired", Fix("Renew the certificate.", commands: [probe]))
            case 9: ("is not valid yet", Fix("Compare both clocks, or renew the certificate.", commands: [probe, "date -u"]))
            case 18:
                (
                    "is self-signed",
                    Fix(
                        "Get one of an authority, or trust this one alone, after comparing it with the upstream's own file.",
                        commands: [fetch, "openssl x509 -noout -fingerprint -sha256 -in \(own)"],
                        diff: "\(ssl)_trusted_certificate \(own);")
                )
            case 19:
                ("ends at an authority that is not trusted here", Fix("Trust that authority, if it is yours.", commands: [probe]))
            case 20, 21:
                (
                    "has an issuer that is not trusted here",
                    Fix(
                        authorities == bundle
                            ? "Trust its issuer, or let the upstream send the certificates between as well."
                            : "Trust the usual authorities or its own issuer, or let the upstream send the certificates between as well.",
                        commands: [probe], diff: authorities == bundle ? nil : "\(ssl)_trusted_certificate \(bundle);")
                )
            default: ("was not accepted", Fix("See why, with its own words.", commands: [probe]))
            }
        return (.proven, "The upstream's certificate \(why)\(failure.detailNumber.map { " (verify error \($0))" } ?? "").", fix)
    }
}
