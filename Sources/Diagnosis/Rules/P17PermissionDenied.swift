import Machine

/// P17: file modes or a security policy keep the proxy from connecting.
enum P17PermissionDenied {
    static let rule = Rule(
        number: 17, slug: "permission-denied", title: "Permission denied", depth: 5,
        reasons: [.socketDenied, .connectDenied], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer, failure.has(rule.reasons) else { return .notApplicable }
        let denied = RuleSupport.failures(failure, rule.reasons)
        if let event = evidence.events.last(where: {
            isDenial($0, of: peer, evidence) && failure.covers($0.time, before: 60_000, after: 60_000)
        }) {
            return .finding(policy(peer, event, denied))
        }
        if let facts = evidence.socketPath.value, let proxy = evidence.proxy.value, let uid = proxy.uid {
            let barriers = facts.barriers(uid: uid, groups: proxy.groups)
            if let first = barriers.first { return .finding(modes(facts, first, barriers, proxy, evidence, denied)) }
            if facts.missing == nil, evidence.host.value?.selinuxEnforcing != true {
                return .finding(
                    Finding(
                        .possible, Culprit(.securityPolicy, facts.path),
                        "The modes of \(facts.path) let the proxy in now, so they were changed since, or a security "
                            + "module denies it.",
                        evidence: [denied], disproof: "A connection by the proxy's user that works.",
                        fix: Fix("Try as that user.", commands: ["namei -l \(facts.path)"])))
            }
        }
        if evidence.host.value?.selinuxEnforcing == true {
            let port = peer.port.map(String.init) ?? ""
            return .finding(
                Finding(
                    .likely, Culprit(.securityPolicy, "SELinux"),
                    "SELinux is enforcing and the proxy may not connect to \(peer.text).",
                    evidence: [denied, EvidenceLine("SELinux is enforcing", source: "/sys/fs/selinux/enforce")],
                    disproof: "No AVC in the audit log for the proxy.",
                    fix: peer.isUnixSocket
                        ? Fix("Label the socket.", commands: ["ausearch -m avc -ts recent"])
                        : Fix(
                            "Allow web servers to connect, or label the port.",
                            commands: [
                                "setsebool -P httpd_can_network_connect 1",
                                "semanage port -a -t http_port_t -p tcp \(port)",
                            ])))
        }
        if peer.isIP, let unit = evidence.units.value?.first(where: { $0.name == evidence.proxy.value?.unit }), !unit.addressDeny.isEmpty {
            return .finding(
                Finding(
                    .likely, Culprit(.unit, unit.name),
                    "\(unit.name) runs with IPAddressDeny=, which may forbid this connection.",
                    evidence: [denied, EvidenceLine("IPAddressDeny=\(unit.addressDeny)", source: RuleSupport.unitSource(unit))],
                    disproof: "\(peer.text) being covered by IPAddressAllow=, or not by IPAddressDeny=.",
                    fix: Fix("Allow it.", commands: ["systemctl edit \(unit.name)   # [Service] IPAddressAllow=\(peer.hostText)"])))
        }
        return .undecided(
            evidence.socketPath.unavailableBecause ?? evidence.kernel.unavailableBecause
                ?? "neither modes nor a policy's denial were found")
    }

    private static func isDenial(_ event: LifeEvent, of peer: PeerAddress, _ evidence: EvidenceSet) -> Bool {
        guard case .denied(let permission, let port) = event.kind else { return false }
        if let proxy = evidence.proxy.value, let process = event.process, process != proxy.name { return false }
        if let port { return port == peer.port }
        let line = LineText(event.line), isConnectTo = permission.contains("connectto")
        let named = (line.between("path=\"", "\"") ?? line.between(" name=\"", "\""))?.string
        guard let path = peer.path else { return named == nil && !isConnectTo && permission.contains("connect") }
        guard let named else { return isConnectTo }
        // SELinux may name no more than a part of the path: the socket, or a folder that the proxy may not search.
        return named == path || path.split(separator: "/").contains { $0 == named }
    }

    private static func policy(_ peer: PeerAddress, _ event: LifeEvent, _ denied: EvidenceLine) -> Finding {
        let isAppArmor = event.line.contains("apparmor")
        return Finding(
            .proven, Culprit(.securityPolicy, isAppArmor ? "AppArmor" : "SELinux"),
            "\(isAppArmor ? "AppArmor" : "SELinux") denied \(event.process ?? "the proxy") the connection to "
                + "\(peer.text).",
            evidence: [denied, RuleSupport.line(event)],
            disproof: "The denial being for another process.",
            fix: isAppArmor
                ? Fix("Allow it in the profile.", commands: ["aa-logprof"])
                : Fix(
                    "Allow web servers to connect, or label the port.",
                    commands: ["setsebool -P httpd_can_network_connect 1"]
                        + (peer.port.map { ["semanage port -a -t http_port_t -p tcp \($0)"] } ?? [])))
    }

    private static func modes(
        _ facts: PathFacts, _ first: PathFacts.Barrier, _ barriers: [PathFacts.Barrier], _ proxy: ProcessFacts, _ evidence: EvidenceSet,
        _ denied: EvidenceLine
    ) -> Finding {
        let barrier = first.component
        let mode = String(barrier.mode & 0o7777, radix: 8)
        let needs = barrier.isSocket ? "write" : "search (x)"
        let who = first.userClass == "u" ? "as the owner" : first.userClass == "g" ? "by its group" : "as one of the others"
        let unit = evidence.unixListeners.value?.first { $0.address.path == facts.path }?.owner?.unit
        return Finding(
            .proven, Culprit(.configuration, barrier.path),
            "\(barrier.path) has mode \(mode), owner \(barrier.uid):\(barrier.gid): user \(proxy.uid ?? 0) of the "
                + "proxy has no \(needs) permission, \(who).",
            evidence: [denied]
                + barriers.map(\.component).map {
                    EvidenceLine(
                        "\($0.path): mode \(String($0.mode & 0o7777, radix: 8)), uid \($0.uid), gid \($0.gid)",
                        source: "namei -l \(facts.path)")
                } + [
                    EvidenceLine(
                        "the proxy runs as uid \(proxy.uid ?? 0), groups "
                            + "\(proxy.groups.map(String.init).joined(separator: " "))",
                        source: "/proc/\(proxy.pid)/status")
                ],
            disproof: "An ACL on the path that lets it in (getfacl).",
            fix: Fix(
                barrier.isSocket
                    ? "Let the application make its socket with group access (UMask=0007 and the proxy's group), or "
                        + "for all."
                    : "Let the proxy pass the directory.",
                commands: barriers.map { barrier in
                    let right = "\(barrier.userClass)+\(barrier.right)", path = barrier.component.path
                    return barrier.component.isSocket
                        ? "chmod \(right) \(path)   # until the application makes it so" : "chmod \(right) \(path)"
                }
                    + (barriers.contains(where: \.component.isSocket) ? [unit].compactMap { $0 } : []).map {
                        "systemctl edit \($0)   # [Service] UMask=0000, or Group= of the proxy and UMask=0007"
                    }))
    }
}
