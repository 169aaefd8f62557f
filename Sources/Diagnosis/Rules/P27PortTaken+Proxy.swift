import Machine

/// The proxy itself could not bind an address that it listens on.
extension P27PortTaken {
    static func proxyCannotBind(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let failures = RuleSupport.failures(failure, [.portTaken])
        guard let address = failure.peer else {
            return .finding(
                Finding(
                    .possible, Culprit(.process, "whoever had its address"),
                    "\(failure.proxy) did not start: an address that it listens on was taken.", evidence: [failures],
                    disproof: "A start of \(failure.proxy) at that time that worked.",
                    fix: Fix("Look who listens.", commands: ["ss -Htlnp", "\(failure.proxy) -t"])))
        }
        let sockets = address.isUnixSocket ? evidence.unixListeners : evidence.listeners
        guard let all = sockets.value else {
            return .undecided(sockets.unavailableBecause ?? "the listener table was not read")
        }
        let holders = all.filter { conflicts($0, address) }
        if let listener = holders.first(where: { $0.owner != nil }), let owner = listener.owner,
            owner.started.map({ $0 <= failure.last }) ?? true
        {
            let lines = [failures, RuleSupport.line(listener, sockets.source)]
            return .finding(
                owner.name == failure.proxy
                    ? secondStart(failure, address, owner, lines) : held(failure, address, owner, lines, evidence))
        }
        if let listener = holders.first, listener.owner == nil {
            return .finding(
                Finding(
                    .likely, Culprit(.process, "a process that may not be read"),
                    "\(failure.proxy) cannot have \(address.text): a process that may not be read holds it.",
                    evidence: [failures, RuleSupport.line(listener, sockets.source)],
                    disproof: "That socket being \(failure.proxy)'s own.",
                    fix: Fix("Look as root who it is, and stop it or give one of the two another port.", commands: look(address))))
        }
        if case .unix(let path) = address, let facts = evidence.socketPath.value, facts.missing == nil {
            return .finding(
                Finding(
                    .firm, Culprit(.configuration, path),
                    "\(failure.proxy) cannot bind \(path): the file is left from before, and nobody listens there.",
                    evidence: [failures, EvidenceLine("no socket listens on \(path), which exists", source: sockets.source)],
                    disproof: "A process that listens on \(path).",
                    fix: Fix(
                        "Remove the file.", commands: ["rm \(path)", "systemctl start \(failure.proxy).service"])))
        }
        let later = holders.first?.owner.map { ", and \($0.text) has it since \($0.started?.text ?? "later")" } ?? ""
        return .finding(
            Finding(
                .likely, Culprit(.process, "whoever had \(address.text)"),
                "\(failure.proxy) could not have \(address.text) at \(failure.first.text): somebody held it who has gone\(later).",
                evidence: [failures] + holders.prefix(1).map { RuleSupport.line($0, sockets.source) },
                disproof: "The address being free at that time.",
                fix: Fix(
                    "If \(failure.proxy) runs now, nothing is to be done: perhaps its former process had not ended yet.",
                    commands: ["systemctl status \(failure.proxy).service --no-pager"] + look(address))))
    }

    /// Whether a listener keeps another socket from an address: the wildcard takes the port of each address of its family.
    private static func conflicts(_ listener: Listener, _ address: PeerAddress) -> Bool {
        if listener.accepts(address) { return true }
        switch (address, listener.address) {
        case (.ipv4(0, let port), .ipv4(_, let other)), (.ipv6(0, 0, let port), .ipv6(_, _, let other)): return port == other
        default: return false
        }
    }

    private static func look(_ address: PeerAddress) -> [ShellCommand] {
        address.port.map { ["ss -Htlnp 'sport = :\($0)'"] } ?? ["ss -Hxlp src \(address.hostText)"]
    }

    /// Another program has the address.
    private static func held(
        _ failure: FailureCase, _ address: PeerAddress, _ owner: ProcessFacts, _ lines: [EvidenceLine], _ evidence: EvidenceSet
    ) -> Finding {
        var lines = lines, commands = look(address)
        let start: ShellCommand = "systemctl start \(failure.proxy).service"
        if let unit = evidence.units.value?.first(where: { $0.name == failure.proxy + ".service" }) {
            lines.append(EvidenceLine("\(unit.name) is \(unit.activeState)", source: RuleSupport.unitSource(unit)))
        }
        if owner.name == "docker-proxy", let port = address.port {
            commands.append("docker ps --filter publish=\(port)")
        } else if let unit = owner.unit, unit.hasSuffix(".service") {
            commands += ["systemctl disable --now \(unit)", start]
        } else {
            commands += ["ps -o pid,ppid,lstart,cmd -p \(owner.pid)"]
        }
        return Finding(
            .proven, Culprit(.process, owner.text),
            "\(failure.proxy) cannot have \(address.text): \(owner.text) holds it\(owner.started.map { " since \($0.text)" } ?? "").",
            evidence: lines, disproof: "\(owner.text) having bound it after the failed start.",
            fix: Fix("Stop it, or give one of the two another port (`listen` of \(failure.proxy)).", commands: commands))
    }

    /// The proxy runs already.
    private static func secondStart(
        _ failure: FailureCase, _ address: PeerAddress, _ owner: ProcessFacts, _ lines: [EvidenceLine]
    ) -> Finding {
        let isService = owner.unit?.hasSuffix(".service") ?? false
        return Finding(
            .proven, Culprit(.process, owner.text),
            "\(failure.proxy) was started while it ran: \(owner.text) has \(address.text)"
                + "\(owner.started.map { " since \($0.text)" } ?? ""). The second start failed; the first went on.",
            evidence: lines, disproof: "\(owner.text) having been started after that.",
            fix: isService
                ? Fix("To take a new configuration, reload it.", commands: ["\(failure.proxy) -t", "systemctl reload \(owner.unit ?? "")"])
                : Fix(
                    "It belongs to no service: end it in good order, and let the service start.",
                    commands: ["\(failure.proxy) -t", "kill -QUIT \(owner.pid)", "systemctl start \(failure.proxy).service"]))
    }
}
