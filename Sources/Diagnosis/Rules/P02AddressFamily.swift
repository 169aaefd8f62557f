import Machine

/// P02: the name has an IPv4 and an IPv6 address, the application bound only one of them.
enum P02AddressFamily {
    static let rule = Rule(
        number: 2, slug: "address-family", title: "IPv4 and IPv6 mixed up", depth: 6,
        reasons: [.connectRefused, .localPorts], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        if let peer = failure.peer, failure.has([.localPorts]), lacksFamily(peer, evidence) {
            return .finding(unreachable(peer, failure, evidence))
        }
        guard let peer = failure.peer, peer.isIP, failure.has([.connectRefused]) else { return .notApplicable }
        // What listens here says nothing about another machine, however alike its port is.
        if RuleSupport.isLocal(peer, evidence) == false { return .ruledOut("\(peer.hostText) is no address of this host") }
        guard let all = evidence.listeners.value else { return .undecided("the listener table was not read") }
        if !evidence.listeners(for: peer).isEmpty { return .ruledOut("\(peer.text) itself has a listener") }
        let reached = twin(of: peer, failure, evidence).lazy.filter { RuleSupport.isLocal($0, evidence) == true }
            .compactMap { twin in all.first { $0.accepts(twin) }.map { (twin, $0) } }.first
        guard RuleSupport.isLocal(peer, evidence) == true, let (target, other) = reached else {
            return evidence.samePort(as: peer).isEmpty
                ? .ruledOut("no socket of either family listens on port \(peer.port ?? 0)") : .notApplicable
        }
        let owner = evidence.owner(of: other, meantBy: peer, ownUnit: failure.ownUnit, since: failure.first)
        if case .stranger(let whose) = owner {
            return .ruledOut("\(other.address.text) is another's: \(other.owner?.text ?? "who may not be read"). \(whose)")
        }
        let name = failure.host ?? evidence.name.value?.host
        var lines = [
            RuleSupport.failures(failure, [.connectRefused]),
            EvidenceLine("no socket listens on \(peer.text)", source: evidence.listeners.source),
            RuleSupport.line(other, evidence.listeners.source),
        ]
        if owner == .backend { lines.append(contentsOf: ties(of: other, to: peer, failure, evidence)) }
        var resolvesBoth = false
        if let facts = evidence.name.value, facts.hasBothFamilies {
            resolvesBoth = true
            lines.append(
                EvidenceLine(
                    "\(facts.host) is \(RuleSupport.list(facts.addresses.map(\.hostText)))",
                    source: evidence.name.source))
        }
        let place = evidence.upstream.value?.place, listening = other.owner?.text ?? "what listens on \(target.text)"
        let written = name.map { "\($0):\(peer.port ?? 0)" } ?? peer.text
        let because =
            resolvesBoth
            ? "\(name ?? "the name") has an IPv4 and an IPv6 address, and" : "the proxy dials \(peer.text), but"
        return .finding(
            Finding(
                owner == .backend ? .proven : .likely, Culprit(.configuration, place ?? written),
                "\(other.owner?.name ?? "The application") bound only \(other.address.text): \(because) every try at "
                    + "\(peer.text) is refused.",
                evidence: lines, disproof: "A listener on \(peer.text), or the one on \(other.address.text) being of another service.",
                fix: Fix(
                    (name == nil ? "Write the address that is bound" : "Write the address instead of the name")
                        + ", or bind both families (`::` without IPV6_V6ONLY).",
                    diff: "-    server \(written);\n+    server \(target.text);",
                    edit: Fix.Edit(place: place, from: written, to: target.text),
                    caution: owner == .backend ? nil : "Whether \(listening) is meant is not known: make sure of it.")))
    }

    /// What shows that the listener is the application that is meant: a unit that names the port, or an application of PM2 or supervisord.
    private static func ties(
        of listener: Listener, to peer: PeerAddress, _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> [EvidenceLine] {
        if let link = evidence.backends(of: failure).first(where: { $0.unit.name == listener.owner?.unit }) {
            return [RuleSupport.line(link)]
        }
        let app = evidence.apps.value?.first { $0.ports.contains(peer.port ?? 0) }
        guard let app else { return [] }
        return [EvidenceLine("\(app.supervisor.rawValue) runs \(app.name) on port \(peer.port ?? 0)", source: evidence.apps.source)]
    }

    /// Whether the peer has an IPv6 address and this host, which is the proxy's, has none of the kind that reaches it.
    static func lacksFamily(_ peer: PeerAddress, _ evidence: EvidenceSet) -> Bool {
        guard peer.isIPv6, let host = evidence.host.value, !host.addresses.isEmpty,
            evidence.proxy.value.map({ $0.networkNamespace == host.networkNamespace }) ?? true
        else { return false }
        return peer.isLoopback ? !host.addresses.contains(peer.withPort(0)) : !host.addresses.contains(where: \.isIPv6)
    }

    /// EADDRNOTAVAIL says that the proxy has no address to come from: mostly all ports are in use, but not where the family is missing.
    private static func unreachable(_ peer: PeerAddress, _ failure: FailureCase, _ evidence: EvidenceSet) -> Finding {
        let what = peer.isLoopback ? "no address \(peer.hostText)" : "no IPv6 address"
        let name = failure.host ?? evidence.name.value?.host
        return Finding(
            .firm, Culprit(.configuration, evidence.upstream.value?.place ?? peer.text),
            "The proxy dials \(peer.text)\(name.map { ", one of the addresses of \($0)," } ?? ""), and this host has \(what).",
            evidence: [
                RuleSupport.failures(failure, [.localPorts]),
                EvidenceLine("this host has \(what)", source: "ip -6 address", time: evidence.looked ?? failure.now),
            ],
            disproof: "An IPv6 address of the proxy's network namespace at that time.",
            fix: Fix(
                "Write the IPv4 address instead of the name, or turn IPv6 on (`net.ipv6.conf.all.disable_ipv6`).",
                commands: ["ip -6 address", "sysctl net.ipv6.conf.all.disable_ipv6"]))
    }

    /// The addresses of the other family that mean the same host.
    private static func twin(of peer: PeerAddress, _ failure: FailureCase, _ evidence: EvidenceSet) -> [PeerAddress] {
        let port = peer.port ?? 0
        if peer.isLoopback {
            return [peer.isIPv6 ? .ipv4(0x7f00_0001, port: port) : .ipv6(0, 1, port: port)]
        }
        let named = (evidence.name.value?.addresses ?? []).map { $0.withPort(port) } + failure.siblings
        return named.filter { $0.isIPv4 != peer.isIPv4 && $0.isIP && $0.port == port }
    }
}
