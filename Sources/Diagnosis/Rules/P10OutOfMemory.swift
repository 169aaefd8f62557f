import Machine

/// P10: the kernel, or systemd-oomd, killed the application for its memory.
enum P10OutOfMemory {
    static let rule = Rule(
        number: 10, slug: "oom-kill", title: "Killed for its memory", depth: 9,
        reasons: ReasonCode.peerGone.union([.responseTimeout, .proxyCrashed]), release: .end, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        if failure.has([.proxyCrashed]) { return ofProxy(failure, evidence) }
        let kills = evidence.events.filter { if case .outOfMemory = $0.kind { true } else { false } }
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let alike = Set(kills.filter { isRestartedAfter($0, link.unit, evidence) }.compactMap(\.cgroup))
            let own = kills.filter {
                EvidenceSet.event($0, belongsTo: link.unit) || isNamedFromOutside($0, link.unit, evidence)
                    || $0.unit == nil && $0.cgroup.map(alike.contains) ?? false
            }
            if let kill = own.last(where: { isRelevant($0.time, link.unit, failure) }) {
                var finding = finding(failure, link, kill, evidence)
                if alike.contains(kill.cgroup ?? ""), !EvidenceSet.event(kill, belongsTo: link.unit) {
                    finding.confidence = .likely
                    finding.evidence.append(
                        EvidenceLine(
                            "\(link.unit.name): NRestarts=\(link.unit.restarts), and it runs since "
                                + "\(started(link.unit, evidence)?.text ?? "then")",
                            source: RuleSupport.unitSource(link.unit)))
                }
                return RuleSupport.weighed(finding, by: own, of: link, failure, evidence)
            }
            if link.unit.result == "oom-kill", let exited = link.unit.mainExited, isRelevant(exited, link.unit, failure)
            {
                let line = EvidenceLine(
                    "\(link.unit.name): Result=oom-kill", source: RuleSupport.unitSource(link.unit), time: exited)
                let end = LifeEvent(time: exited, kind: .outOfMemory(constraint: ""), unit: link.unit.name, line: line.text)
                return RuleSupport.weighed(
                    build(failure, link, constraint: "", lines: [line], evidence), by: [end], of: link, failure, evidence)
            }
        }
        let near = kills.filter { failure.covers($0.time) }
        // A container's port is its engine's on the host, and its address is in another namespace.
        let isBehindEngine = !links.contains { $0.isObserved && !ContainerName.isEngine($0.unit.name) }
        if isBehindEngine, let kill = near.last(where: { container(of: $0) != nil }), let id = container(of: kill) {
            return .undecided(
                "container \(id) was killed for its memory at \(kill.time.text), and whether it serves \(failure.peerText) cannot be seen "
                    + "from here: docker inspect \(id), or podman inspect")
        }
        if let kill = near.last, let link = links.first(where: { endsAs(kill, $0.unit) }) {
            return .undecided(
                "an OOM kill happened at \(kill.time.text) in \(kill.cgroup ?? ""), and whether that is \(link.unit.name), as it is named "
                    + "from outside a container, is not known")
        }
        if let stranger = near.last {
            // A user's or a container's unit may have the name of the backend.
            let named = stranger.unit ?? stranger.cgroup.flatMap(ProcessTable.unit(ofCgroup:)).flatMap { name in
                links.contains { $0.unit.name == name } ? nil : name
            }
            let whose = named ?? stranger.cgroup ?? stranger.process ?? "another process"
            return .ruledOut(
                "an OOM kill happened at \(stranger.time.text), but of \(whose), which does not serve "
                    + "\(failure.peerText)"
            )
        }
        if let old = kills.last {
            return .ruledOut("the last OOM kill known was at \(old.time.text), not at the time of the failures")
        }
        guard evidence.kernel.value != nil || evidence.journal.value != nil else {
            return .undecided(counted(links, evidence) + (evidence.kernel.unavailableBecause ?? "neither kernel log nor journal was read"))
        }
        return .ruledOut("no OOM kill in the kernel log or the journal")
    }

    /// What a control group counts, without the times, where the logs that have them were not read.
    private static func counted(_ links: [BackendLink], _ evidence: EvidenceSet) -> String {
        for memory in evidence.memory.value ?? [] where memory.oomKills > 0 {
            guard let link = links.first(where: { EvidenceSet.isOf(cgroup: memory.cgroup, $0.unit) }) else { continue }
            return "the control group of \(link.unit.name) counts \(memory.oomKills) OOM kills, and when they were is not known: "
        }
        return ""
    }

    /// The kernel names control groups from its own root, which in a container is not systemd's: then the unit's is the end of the name.
    private static func endsAs(_ kill: LifeEvent, _ unit: UnitState) -> Bool {
        guard kill.unit == nil, let cgroup = kill.cgroup else { return false }
        return EvidenceSet.isOf(cgroup: cgroup, unit, fromOutside: true)
    }

    /// Meant is a unit that was killed at that very moment.
    private static func isNamedFromOutside(_ kill: LifeEvent, _ unit: UnitState, _ evidence: EvidenceSet) -> Bool {
        endsAs(kill, unit)
            && lives(unit, from: kill.time, to: kill.time, evidence).contains { if case .killed(9, _) = $0.kind { true } else { false } }
    }

    /// systemd may log to the console only. Then a unit that it has restarted, and whose process was started just after the kill, is the
    /// likely one.
    private static func isRestartedAfter(_ kill: LifeEvent, _ unit: UnitState, _ evidence: EvidenceSet) -> Bool {
        guard endsAs(kill, unit), unit.restarts > 0, let started = started(unit, evidence) else { return false }
        // systemd's time has whole seconds.
        return (-1_000...10_000).contains(started.since(kill.time)) && lives(unit, from: kill.time, to: started, evidence).isEmpty
    }

    /// When the unit was last started.
    private static func started(_ unit: UnitState, _ evidence: EvidenceSet) -> Timestamp? {
        let owner = ((evidence.listeners.value ?? []) + (evidence.unixListeners.value ?? [])).first { $0.owner?.unit == unit.name }?.owner
        return owner?.started ?? unit.activeSince
    }

    /// What the logs say of the unit's ends and starts around a time.
    private static func lives(_ unit: UnitState, from first: Timestamp, to last: Timestamp, _ evidence: EvidenceSet) -> [LifeEvent] {
        evidence.events.filter { event in
            guard EvidenceSet.event(event, belongsTo: unit), event.time.since(first) > -2_000, event.time.since(last) < 2_000
            else { return false }
            switch event.kind {
            case .killed, .exited, .failed, .started, .stopping, .stopped, .restartScheduled: return true
            default: return false
            }
        }
    }

    private static func container(of kill: LifeEvent) -> String? {
        kill.cgroup.flatMap(ContainerName.id) ?? kill.unit.flatMap(ContainerName.id)
    }

    /// Just before or within the incident, or the unit has been down ever since.
    private static func isRelevant(_ time: Timestamp, _ unit: UnitState, _ failure: FailureCase) -> Bool {
        failure.covers(time) || (time <= failure.first && RuleSupport.isUnitDownSince(time, unit))
    }

    private static func finding(_ failure: FailureCase, _ link: BackendLink, _ kill: LifeEvent, _ evidence: EvidenceSet)
        -> Finding
    {
        var constraint = ""
        if case .outOfMemory(let text) = kill.kind { constraint = text }
        var lines = [RuleSupport.line(kill)]
        if let exit = evidence.events.last(where: {
            EvidenceSet.event($0, belongsTo: link.unit) && abs($0.time.since(kill.time)) < 5_000 && isEnd($0.kind)
        }), exit.line != kill.line {
            lines.append(RuleSupport.line(exit))
        }
        return build(
            failure, link, constraint: constraint, process: kill.process, pid: kill.pid, lines: lines, evidence)
    }

    private static func raise(_ limit: UInt64) -> String {
        "-    memory_max \(RuleSupport.configured(limit));\n+    memory_max \(RuleSupport.raised(limit));"
    }

    private static func isEnd(_ kind: LifeEvent.Kind) -> Bool {
        switch kind {
        case .killed, .exited, .failed: true;
        default: false
        }
    }

    private static func build(
        _ failure: FailureCase, _ link: BackendLink, constraint: String, process: String? = nil, pid: Int32? = nil,
        lines: [EvidenceLine], _ evidence: EvidenceSet
    ) -> Finding {
        let unit = link.unit
        var lines = [RuleSupport.failures(failure, rule.reasons)] + lines
        lines.append(RuleSupport.line(link))
        let memory = evidence.memory.value?.first { EvidenceSet.isOf(cgroup: $0.cgroup, unit) }
        let limit = unit.memoryMax ?? memory?.limit
        if let limit {
            let (name, source) = unit.isOwn ? ("memory_max ", "the configuration") : ("MemoryMax=", RuleSupport.unitSource(unit))
            lines.append(EvidenceLine(name + RuleSupport.bytes(limit), source: source))
        }
        if let memory, memory.oomKills > 0 {
            lines.append(EvidenceLine("oom_kill \(memory.oomKills)", source: evidence.memory.source))
        }
        if let peak = memory?.peak {
            lines.append(EvidenceLine("memory.peak \(RuleSupport.bytes(peak))", source: evidence.memory.source))
        }
        let who = process.map { name in pid.map { "\(name) (pid \($0))" } ?? name } ?? "its main process"
        let byLimit = constraint == "MEMCG" || (constraint.isEmpty && limit != nil)
        let limitName = unit.isOwn ? "its memory_max" : "the unit's memory limit"
        let host = unit.isOwn ? "the host, or a control group around it," : "the whole host"
        let why =
            !byLimit
            ? host + " was out of memory"
            : limit.map { "it reached \(limitName) of \(RuleSupport.bytes($0))" }
                ?? "a limit of its control group, or of one around it, was reached"
        let fix =
            byLimit && limit == nil
            ? Fix(
                "Find the limit (MemoryMax= of the unit, of its slice, or of a container around it), and raise it or lower its use.",
                commands: unit.isOwn
                    ? [RuleSupport.log(unit, lines: 20)]
                    : ["systemctl show \(unit.name) -p MemoryMax,Slice,ControlGroup", RuleSupport.log(unit, lines: 20)])
            : byLimit
            ? Fix(
                "Raise the limit or lower its use (fewer workers; find the leak).",
                commands: unit.isOwn
                    ? [RuleSupport.log(unit, lines: 20), "goodgate -s reload"]
                    : ["systemctl set-property \(unit.name) MemoryMax=\(RuleSupport.raised(limit ?? 0))"] + RuleSupport.restarts(unit),
                diff: unit.isOwn ? limit.map(Self.raise) : nil)
            : Fix(
                "Give the host more memory, or limit what else runs on it.",
                commands: ["systemd-cgtop -m -n 1 --batch | head"] + RuleSupport.restarts(unit))
        return Finding(
            link.isObserved ? .proven : .likely, Culprit(.unit, unit.name),
            "\(who) of \(unit.name) was killed by the OOM killer: \(why).",
            evidence: lines,
            disproof: "The killed pid not being one of \(unit.name).", fix: fix)
    }
}
