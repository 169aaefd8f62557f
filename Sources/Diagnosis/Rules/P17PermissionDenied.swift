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
            if let barrier = facts.barrier(uid: uid, groups: proxy.groups) {
                return .finding(modes(facts, barrier, proxy, evidence, denied))
            }
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
        if let unit = evidence.units.value?.first(where: { $0.name == evidence.proxy.value?.unit }),
            !unit.addressFamilies.isEmpty && unit.addressFamilies != "no" || !unit.addressDeny.isEmpty
        {
            return .finding(
                Finding(
                    .firm, Culprit(.unit, unit.name),
                    "\(unit.name) runs with restrictions that forbid this connection.",
                    evidence: [
                        denied,
                        EvidenceLine(
                            "RestrictAddressFamilies=\(unit.addressFamilies) IPAddressDeny=\(unit.addressDeny)",
                            source: RuleSupport.unitSource(unit)),
                    ],
                    disproof: "\(peer.text) being covered by what they allow.",
                    fix: Fix("Allow it.", commands: ["systemctl edit \(unit.name)"])))
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
        _ facts: PathFacts, _ barrier: PathFacts.Component, _ proxy: ProcessFacts, _ evidence: EvidenceSet,
        _ denied: EvidenceLine
    ) -> Finding {
        let mode = String(barrier.mode & 0o7777, radix: 8)
        let needs = barrier.isSocket ? "write" : "search (x)"
        let links = evidence.unixListeners.value?.first { $0.address.path == facts.path }?.owner?.unit
        return Finding(
            .proven, Culprit(.configuration, barrier.path),
            "\(barrier.path) has mode \(mode), owner \(barrier.uid):\(barrier.gid): user \(proxy.uid ?? 0) of the "
                + "proxy has no \(needs) permission.",
            evidence: [
                denied,
                EvidenceLine(
                    "\(barrier.path): mode \(mode), uid \(barrier.uid), gid \(barrier.gid)",
                    source: "namei -l \(facts.path)"),
                EvidenceLine(
                    "the proxy runs as uid \(proxy.uid ?? 0), groups "
                        + "\(proxy.groups.map(String.init).joined(separator: " "))",
                    source: "/proc/\(proxy.pid)/status"),
            ],
            disproof: "An ACL on the path that lets it in (getfacl).",
            fix: Fix(
                barrier.isSocket
                    ? "Let the application make its socket with group access (UMask=0007 and the proxy's group), or "
                        + "for all."
                    : "Let the proxy's group pass the directory.",
                commands: barrier.isSocket
                    ? ["chmod o+w \(barrier.path)   # until the application makes it so"]
                        + (links.map {
                            ["systemctl edit \($0)   # [Service] UMask=0000, or Group= of the proxy and UMask=0007"]
                        } ?? [])
                    : ["chmod o+x \(barrier.path)"]))
    }
}
