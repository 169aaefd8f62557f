import Machine

/// P21: this host has no local port left for connections to the peer.
enum P21LocalPorts {
    static let rule = Rule(
        number: 21, slug: "local-ports", title: "Out of local ports", depth: 6, reasons: [.localPorts], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        var lines = [RuleSupport.failures(failure, [.localPorts])]
        let host = evidence.host.value
        if let own = LineText(failure.detail).after("bind(").map({ $0.upTo(")").string }) {
            let address = PeerAddress(parsing: own.contains(":") ? "[\(own)]:0" : "\(own):0")
            if let addresses = host?.addresses, !addresses.isEmpty, !addresses.contains(address) {
                return .ruledOut("the proxy binds \(own) (`proxy_bind`), which is no address of this host")
            }
            return .undecided("the proxy could not bind \(own) (`proxy_bind`)")
        }
        if let peer = failure.peer, P02AddressFamily.lacksFamily(peer, evidence) { return .ruledOut("this host has no IPv6") }
        let sockets = host?.socketsToPeer.values.reduce(0, +) ?? 0
        var isFull = false, span = 0
        if let low = host?.portRangeLow, let high = host?.portRangeHigh, high >= low {
            span = high - low + 1
            isFull = sockets * 10 >= span * 8
            // Ports that wait after a connection do so for a minute: at the time of the failures the table shows them.
            if sockets * 2 < span, evidence.listeners.value != nil, let looked = evidence.looked, looked.since(failure.last) < 2_000 {
                return .ruledOut("\(sockets) sockets to \(failure.peerText), and the range holds \(span)")
            }
            let states = (host?.socketsToPeer ?? [:]).sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
            lines.append(
                EvidenceLine(
                    "\(sockets) sockets to \(failure.peerText) (\(states.joined(separator: ", "))), the range holds "
                        + "\(span)",
                    source: "ss -tan dst \(failure.peer?.hostText ?? ""); /proc/sys/net/ipv4/ip_local_port_range",
                    time: failure.now))
        }
        let noKeepalive = evidence.upstream.value.map { $0.keepaliveTimeout == nil } ?? false
        if noKeepalive {
            lines.append(
                EvidenceLine(
                    "no keepalive in the upstream: one connection, and one port in TIME_WAIT, per request",
                    source: evidence.upstream.value?.place ?? ""))
        }
        return .finding(
            Finding(
                // Of IPv6, the address that connections come from may have been missing as well.
                isFull ? .proven : failure.peer?.isIPv6 ?? false ? .possible : .likely, Culprit(.gatewayLimit, "ip_local_port_range"),
                isFull
                    ? "All local ports (\(span)) for connections to \(failure.peerText) are in use."
                    : "No local port was left for connections to \(failure.peerText) at that time; they are not in use any more.",
                evidence: lines,
                disproof: "Far fewer sockets to that address than ports.",
                fix: Fix(
                    "Keep connections alive, use a unix socket, or more addresses.",
                    commands: [
                        "sysctl -w net.ipv4.ip_local_port_range='10240 65535'", "sysctl -w net.ipv4.tcp_tw_reuse=1",
                    ],
                    diff: " upstream \(evidence.upstream.value?.groupName ?? "NAME") {\n+    keepalive 64;\n }")))
    }
}
