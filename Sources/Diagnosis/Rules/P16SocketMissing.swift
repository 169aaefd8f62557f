import Machine

/// P16: the path of the unix socket does not exist where the proxy looks.
enum P16SocketMissing {
    static let rule = Rule(
        number: 16, slug: "socket-missing", title: "The socket file is missing", depth: 4, reasons: [.socketMissing],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let path = failure.peer?.path else { return .notApplicable }
        var lines = [RuleSupport.failures(failure, [.socketMissing])]
        var links = evidence.backends(of: failure)
        guard let facts = evidence.socketPath.value else {
            return .finding(
                Finding(
                    .likely, Culprit(.application, "the application behind \(path)"),
                    "connect() found no file \(path).", evidence: lines,
                    disproof: "The file existing in the proxy's mount namespace.",
                    fix: Fix("Start the application that makes \(path).", commands: ["ls -la \(directory(path))"])))
        }
        guard let missing = facts.missing else { return existsNow(failure, facts, links, evidence, lines) }
        lines.append(EvidenceLine("\(missing) does not exist", source: evidence.socketPath.source, time: failure.now))
        // In its own mount namespace any program may have a socket of that path: the unit that is meant to make it goes before.
        let meant = links.filter { $0.unit.name != facts.existsFor?.unit }
        if facts.existsFor != nil, !meant.isEmpty { links = meant }
        if let other = facts.existsFor, meant.isEmpty {
            lines.append(EvidenceLine("\(path) exists for \(other.text)", source: "/proc/\(other.pid)/root\(path)"))
            let isBound = evidence.listeners(for: .unix(path)).contains { $0.owner?.pid == other.pid }
            return .finding(
                Finding(
                    isBound ? .proven : .possible, Culprit(.unit, other.unit ?? other.text),
                    "\(path) exists only in the mount namespace of \(other.text): PrivateTmp= or a container hides "
                        + "it from the proxy.",
                    evidence: lines,
                    disproof: isBound
                        ? "The proxy being in the same mount namespace." : "\(other.text) not being the application behind \(path).",
                    fix: Fix("Put the socket under /run (RuntimeDirectory=), which both see.")))
        }
        if let elsewhere = elsewhere(path, links, evidence), links.allSatisfy({ !$0.unit.isStarting }) {
            lines.append(RuleSupport.line(elsewhere, evidence.unixListeners.source))
            return .finding(
                Finding(
                    .likely, Culprit(.configuration, evidence.upstream.value?.place ?? path),
                    "The proxy dials \(path), but \(elsewhere.owner?.text ?? "the application") listens on "
                        + "\(elsewhere.address.hostText).",
                    evidence: lines,
                    disproof: "A second socket at \(path), or \(elsewhere.address.hostText) being one for control or statistics.",
                    fix: Fix(
                        "Make both agree, if that is the socket for users.",
                        diff: "-    server unix:\(path);\n+    server \(elsewhere.address.text);")))
        }
        let near =
            facts.neighbours.isEmpty ? "" : " Sockets beside it: \(facts.neighbours.prefix(3).joined(separator: ", "))."
        // Who only names the path is one of several who may make it.
        if let link = links.first(where: { $0.isObserved || links.count == 1 }) {
            let names = link.isClaim || link.isObserved || EvidenceSet.serves(path: path, link.unit)
            if !names, link.unit.activeState == "active" {
                return .finding(notMade(path, missing, near, link, evidence, lines))
            }
            return .finding(fromUnit(failure, path, missing, link, evidence, lines))
        }
        return .finding(
            Finding(
                .firm, Culprit(.application, "the application behind \(path)"),
                "\(missing) does not exist: the application that makes the socket is not running, or makes it "
                    + "elsewhere.\(near)",
                evidence: lines, disproof: "The file existing in the proxy's mount namespace at that time.",
                fix: Fix(
                    "Start the application, or correct the path.", commands: ["ss -xlp", "ls -la \(directory(path))"])))
    }

    /// A unit that runs and has the directory makes other sockets in it: its start would change nothing.
    private static func notMade(
        _ path: String, _ missing: String, _ near: String, _ link: BackendLink, _ evidence: EvidenceSet, _ lines: [EvidenceLine]
    ) -> Finding {
        Finding(
            .likely, Culprit(.configuration, evidence.upstream.value?.place ?? path),
            "\(missing) does not exist, and \(link.unit.name), which has its directory, runs without it.\(near)",
            evidence: lines + [
                RuleSupport.line(link), RuleSupport.state(of: link.unit),
            ],
            disproof: "A setting of \(link.unit.name) that names \(path).",
            fix: Fix("Correct the path, or start what makes it.", commands: ["ss -xlp", "ls -la \(directory(path))"]))
    }

    private static func fromUnit(
        _ failure: FailureCase, _ path: String, _ missing: String, _ link: BackendLink, _ evidence: EvidenceSet,
        _ lines: [EvidenceLine]
    ) -> Finding {
        let unit = link.unit
        var lines =
            lines + [
                RuleSupport.line(link),
                RuleSupport.state(of: unit),
            ]
        if let end = RuleSupport.ends(of: link, failure, evidence).first { lines.append(RuleSupport.line(end)) }
        // A socket that is there without its file: then it was removed.
        let isBound = evidence.listeners(for: .unix(path)).contains { $0.owner?.unit == unit.name }
        let wasDown = unit.isDown && RuleSupport.wasDown(unit, failure)
        let isDirectoryGone = missing != path && path.hasPrefix("/run/")
        let what =
            unit.isDown
            ? "\(unit.name) is \(unit.activeState)" + (unit.endText.map { " (\($0))" } ?? "")
            : unit.isStarting ? "\(unit.name) is still starting" : "\(unit.name) runs without it"
        var fix = Fix("Start it.", commands: [RuleSupport.start(unit), RuleSupport.log(unit, lines: 20)])
        if isDirectoryGone, unit.runtimeDirectory.isEmpty, !unit.isOwn {
            let name = path.split(separator: "/").dropFirst().first.map(String.init) ?? "app"
            fix = Fix(
                "\(missing) lies on a tmpfs that is empty after a boot: let systemd make the directory.",
                commands: ["systemctl edit \(unit.name)"] + RuleSupport.restarts(unit),
                diff: "+[Service]\n+RuntimeDirectory=\(name)")
        } else if unit.activeState == "active" {
            fix = Fix(
                isBound ? "Restart it: something removed the socket file." : "See in its log why it has not made it, then restart it.",
                commands: (isBound ? [] : [RuleSupport.log(unit, lines: 20)]) + RuleSupport.restarts(unit))
        }
        return Finding(
            unit.isDown && !wasDown ? .possible : unit.activeState == "active" && !isBound ? .likely : link.isObserved ? .proven : .firm,
            Culprit(.unit, unit.name),
            "\(path) is missing: \(what)\(unit.isDown && !wasDown ? ", but was not yet at that time" : "").",
            evidence: lines,
            disproof: "The file existing in the proxy's mount namespace at that time.", fix: fix)
    }

    /// A unix socket owned by one of the linked units under another path.
    private static func elsewhere(_ path: String, _ links: [BackendLink], _ evidence: EvidenceSet) -> Listener? {
        let names = Set(links.map(\.unit.name))
        let owned = (evidence.unixListeners.value ?? []).filter { listener in
            listener.owner?.unit.map(names.contains) ?? false && listener.address.path != path
        }
        return owned.count == 1 ? owned.first : nil
    }

    private static func existsNow(
        _ failure: FailureCase, _ facts: PathFacts, _ links: [BackendLink], _ evidence: EvidenceSet,
        _ lines: [EvidenceLine]
    ) -> RuleOutcome {
        for link in links {
            if let change = evidence.events.last(where: {
                EvidenceSet.event($0, belongsTo: link.unit) && failure.covers($0.time) && changesSocket($0.kind)
            }) {
                return .finding(
                    Finding(
                        .firm, Culprit(.unit, link.unit.name),
                        "\(facts.path) was away while \(link.unit.name) restarted; it is there now.",
                        evidence: lines + [RuleSupport.line(change)],
                        disproof: "The file having existed during the restart.",
                        fix: Fix(
                            "Let systemd keep the socket (a .socket unit), or Goodgate (`listen unix`), so that a "
                                + "restart does not remove it."
                        )))
            }
        }
        return .finding(
            Finding(
                .likely, Culprit(.application, "the application behind \(facts.path)"),
                "\(facts.path) was missing at the time and exists now: it was made later, or removed and made again.",
                evidence: lines,
                disproof: "A change time of the file before the failures.",
                fix: Fix("Order the start of the application before the proxy's traffic.")))
    }

    private static func changesSocket(_ kind: LifeEvent.Kind) -> Bool {
        switch kind {
        case .started, .stopping, .stopped, .exited, .killed, .failed, .outOfMemory, .restartScheduled: true;
        default: false
        }
    }

    private static func directory(_ path: String) -> String {
        let parts = path.split(separator: "/").dropLast()
        return "/" + parts.joined(separator: "/")
    }
}
