import Machine

/// P03: loopback means something else in every network namespace.
enum P03NetworkNamespace {
    static let rule = Rule(
        number: 3, slug: "network-namespace", title: "Bound in another network namespace", depth: 6,
        reasons: [.connectRefused], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer, peer.isIP, let port = peer.port, failure.has([.connectRefused]) else {
            return .notApplicable
        }
        if !evidence.listeners(for: peer).isEmpty {
            return .ruledOut("\(peer.text) has a listener in the proxy's own namespace")
        }
        guard let foreign = evidence.foreignListeners.value else {
            return .undecided(evidence.foreignListeners.unavailableBecause ?? "other network namespaces were not read")
        }
        let sameport = foreign.filter { $0.address.port == port }
        if peer.isLoopback {
            // Same loopback listener of the other family here: P02's case.
            guard evidence.samePort(as: peer).isEmpty else { return .notApplicable }
            guard let hidden = sameport.first(where: { $0.accepts(peer) }) else {
                return .ruledOut("no other network namespace has a listener on port \(port)")
            }
            // Each container may use the number inside: it explains something only if it is the backend.
            let owner = evidence.owner(of: hidden, meantBy: peer, ownUnit: failure.ownUnit, since: failure.first)
            if case .stranger(let whose) = owner {
                return .ruledOut("\(hidden.owner?.text ?? "who listens on port \(port) in another namespace") is a stranger. \(whose)")
            }
            return .finding(
                finding(
                    failure, hidden, evidence,
                    "The proxy dials its own loopback \(peer.text), but \(hidden.owner?.text ?? "the application") "
                        + "listens in another network namespace.",
                    "Dial the container's or host's address instead of loopback, share the network namespace, or use "
                        + "a unix socket.", owner == .backend ? .firm : isProxyInside(evidence) ? .likely : .possible))
        }
        if RuleSupport.isLocal(peer, evidence) == true { return .notApplicable }
        let loopback = sameport.filter { $0.address.isLoopback }
        guard !loopback.isEmpty, !sameport.contains(where: { $0.accepts(peer) }) else {
            return .ruledOut("no other network namespace has a loopback listener on port \(port)")
        }
        // A container's loopback says nothing of another machine, or of another container.
        let addresses = { (listener: Listener) in listener.networkNamespace.flatMap { evidence.foreignAddresses[$0] } }
        let hidden = loopback.first { addresses($0)?.contains(peer.withPort(0)) ?? false }
        guard let hidden = hidden ?? loopback.first(where: { addresses($0) == nil }) else {
            return .ruledOut("\(peer.hostText) is no address of a network namespace here with a listener on port \(port)")
        }
        return .finding(
            finding(
                failure, hidden, evidence,
                "\(hidden.owner?.text ?? "The application") bound \(hidden.address.text) inside its own network "
                    + "namespace, so nobody outside reaches port \(port).",
                "Let it bind 0.0.0.0 or ::, or use a unix socket.", addresses(hidden) == nil ? .possible : .firm))
    }

    /// Whether the proxy is in a container itself, where nothing but it is on loopback, as a rule.
    private static func isProxyInside(_ evidence: EvidenceSet) -> Bool {
        guard let host = evidence.host.value?.networkNamespace, let proxy = evidence.proxy.value?.networkNamespace else { return false }
        return host != proxy
    }

    private static func finding(
        _ failure: FailureCase, _ hidden: Listener, _ evidence: EvidenceSet, _ cause: String, _ fix: String,
        _ confidence: Confidence
    ) -> Finding {
        let pid = hidden.owner?.pid ?? 0
        var lines = [
            RuleSupport.failures(failure, [.connectRefused]),
            EvidenceLine(
                "no socket listens on \(failure.peerText) in the proxy's namespace", source: evidence.listeners.source),
            RuleSupport.line(hidden, "/proc/\(pid)/net/tcp"),
        ]
        if let namespace = hidden.networkNamespace, let own = evidence.proxy.value?.networkNamespace {
            lines.append(
                EvidenceLine(
                    "its network namespace is net:[\(namespace)], the proxy's net:[\(own)]",
                    source: "ls -l /proc/\(pid)/ns/net"))
        }
        return Finding(
            confidence, Culprit(.application, hidden.owner?.text ?? hidden.address.text), cause, evidence: lines,
            disproof: "\(failure.peerText) not being an address of that namespace.", fix: Fix(fix))
    }
}
