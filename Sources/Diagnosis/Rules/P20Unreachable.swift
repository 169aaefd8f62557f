import Machine

/// P20: no way to the host.
enum P20Unreachable {
    static let rule = Rule(
        number: 20, slug: "unreachable", title: "The host is unreachable", depth: 4, reasons: [.connectUnreachable],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer else { return .notApplicable }
        let failed = RuleSupport.failures(failure, [.connectUnreachable])
        let host = evidence.host.value
        let code = failure.samples.last { $0.reason == .connectUnreachable }?.errorNumber
        if host?.hasRoute == false || code == 101 && host?.hasRoute != true {
            let proven = host?.hasRoute == false
            return .finding(
                Finding(
                    proven ? .proven : .firm, Culprit(.network, peer.hostText),
                    "This host has no route to \(peer.hostText).",
                    evidence: [failed]
                        + (proven
                            ? [EvidenceLine("no route", source: "ip route get \(peer.hostText)", time: failure.now)]
                            : [
                                EvidenceLine(
                                    "error 101, network is unreachable", source: "attempt records", time: failure.last)
                            ]),
                    disproof: "A route to it in the proxy's network namespace.",
                    fix: Fix(
                        "Join its network (docker network connect …) or add the "
                            + "route\(peer.isIPv6 ? "; without IPv6 connectivity let the name resolve to IPv4 only (`resolver … ipv6=off`)" : "").",
                        commands: ["ip route get \(peer.hostText)"])))
        }
        if host?.neighbour == "FAILED" {
            return .finding(
                Finding(
                    .proven, Culprit(.network, peer.hostText),
                    "\(peer.hostText) does not answer on its own network: the host or container is gone.",
                    evidence: [
                        failed,
                        EvidenceLine(
                            "neighbour entry incomplete", source: "ip neigh show \(peer.hostText)", time: failure.now),
                    ],
                    disproof: "A resolved neighbour entry at that time.",
                    fix: Fix(
                        "Start it, or re-resolve its name: it may have a new address.",
                        commands: ["ip neigh show \(peer.hostText)"])))
        }
        return .finding(
            Finding(
                .likely, Culprit(.network, peer.hostText),
                "\(peer.hostText) is unreachable (error \(code ?? 113)): it is gone, or a firewall rejects with an "
                    + "ICMP message.",
                evidence: [failed],
                disproof: "An answer from \(peer.hostText).",
                fix: Fix(
                    "Look at the neighbour entry and at REJECT rules on the other side (firewalld rejects with "
                        + "icmp-host-prohibited).",
                    commands: ["ip neigh show \(peer.hostText)", "ping -c 3 \(peer.hostText)"])))
    }
}
