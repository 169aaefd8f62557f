import Machine

extension Doctor {
    /// Incidents of the logs, then what fails now without having been logged; each gets a verdict.
    mutating func judge(_ harvest: LogHarvest, _ site: NginxSite, _ instance: NginxInstance) {
        var incidents = harvest.incidents
        let seen = Set(incidents.compactMap(\.peer))
        for test in report.upstreams where !test.isReachable && !seen.contains(test.address) {
            incidents.append(incident(of: test, salt: UInt16(truncatingIfNeeded: 1_023 - incidents.count)))
        }
        incidents.sort { $0.last != $1.last ? $0.last > $1.last : $0.id > $1.id }
        if incidents.count > options.casesMax {
            let left = incidents.count - options.casesMax
            report.gaps.append("\(left) smaller or older incidents are not judged (limit \(options.casesMax))")
            incidents = Self.chosen(incidents, options.casesMax)
        }
        for incident in incidents { report.cases.append(judge(incident, harvest, site, instance)) }
        for index in report.cases.indices { followServers(of: &report.cases[index]) }
    }

    /// Half of the places for the largest, the others for the newest: a client who invents names makes new incidents, not large ones. The
    /// newest first.
    static func chosen(_ incidents: [Incident], _ count: Int) -> [Incident] {
        let bySize = incidents.indices.sorted { a, b in
            let (one, two) = (incidents[a].attempts, incidents[b].attempts)
            return one != two ? one > two : a < b
        }
        var chosen = Set(bySize.prefix(count / 2))
        for index in incidents.indices where chosen.count < count { chosen.insert(index) }
        return chosen.sorted().map { incidents[$0] }
    }

    /// An upstream that nobody was left of: what its servers failed of at that time is the cause, when it is known better than that they
    /// were taken out.
    private func followServers(of item: inout DoctorReport.Case) {
        guard item.peer == nil, item.attempts.keys.allSatisfy({ $0 == "\(ReasonCode.poolEmpty.name)" }) else { return }
        let own = item.verdict.confidence
        let (upstream, start, end) = (item.upstream, item.start.advanced(byMilliseconds: -60_000), item.end.advanced(byMilliseconds: 1_000))
        let causes = report.cases.filter { other in
            guard other.upstream == upstream, other.peer != nil, other.start <= end, other.end >= start,
                let confidence = other.verdict.confidence
            else { return false }
            return own.map { confidence > $0 } ?? true
        }
        guard let cause = causes.max(by: { $0.verdict.confidence! < $1.verdict.confidence! }) else { return }
        var verdict = cause.verdict
        verdict.incident = item.id
        verdict.reason = item.verdict.reason
        verdict.evidence += item.verdict.evidence.prefix(1)
        item.verdict = verdict
    }

    private func incident(of test: DoctorReport.UpstreamTest, salt: UInt16) -> Incident {
        let reason = ReasonCode.immediate(
            phase: .connecting, errorNumber: test.errorNumber, isUnixSocket: test.address.isUnixSocket, bytesRead: 0, reused: false)
        var incident = Incident(
            id: IncidentID(seconds: report.time.seconds, salt: salt), upstream: test.upstream, peer: test.address,
            first: report.time, last: report.time)
        incident.counts = [reason: 1]
        if case .name(let host, _) = PeerAddress(parsing: test.server) { incident.host = host }
        return incident
    }

    private func judge(
        _ incident: Incident, _ harvest: LogHarvest, _ site: NginxSite, _ instance: NginxInstance
    ) -> DoctorReport.Case {
        var failure = incident.failureCase(now: report.time)
        failure.proxyLoaded = instance.started
        var set = evidence
        var subject = CollectionSubject(
            peer: incident.peer, proxyPID: instance.workerPID, since: incident.first.advanced(byMilliseconds: -600_000),
            until: incident.last)
        var place: String?
        let isOwn = incident.counts.keys.allSatisfy(ReasonCode.ofProxy.contains)
        if !isOwn, let peer = incident.peer, let found = site.upstream(serving: peer, names: names) {
            set.upstream = .known(found.facts, source: found.facts.place)
            place = found.server.place
            if case .name(let host, _) = found.server.address { subject.host = host; failure.host = host }
            failure.isHostGuess =
                site.known(serving: peer, names: names) == nil && !isInForce(site, instance, since: incident.first)
            for sibling in found.facts.servers.flatMap({ addresses(of: $0) })
            where sibling != peer && !failure.siblings.contains(sibling) {
                failure.siblings.append(sibling)
            }
        }
        if incident.peer == nil, let facts = site.upstreams.first(where: { $0.name == incident.upstream }) {
            set.upstream = .known(facts, source: facts.place)
            failure.siblings += facts.servers.flatMap { addresses(of: $0) }.filter { !failure.siblings.contains($0) }
        }
        if failure.has([.dnsFailed]) { set.resolvers = site.resolvers }
        let unresolved = site.routes.filter { $0.isNameInVariable && !$0.hasResolver }
        if set.upstream.value == nil, unresolved.count == 1, failure.detail.contains("no resolver defined") {
            set.upstream = .known(unresolved[0].facts, source: unresolved[0].directive.place)
        }
        // The configuration names it, so that asking for it is no client's wish.
        if subject.host == nil, let host = failure.host, failure.detail.contains("host not found in upstream") { subject.host = host }
        for collector in Collectors.all where !collector.isHostWide && (options.testsUpstreams || !(collector is ProbeCollector)) {
            collector.collect(subject, from: system, into: &set)
        }
        if options.testsUpstreams, let peer = incident.peer,
            incident.counts.keys.contains(where: {
                [.responseWrongProtocol, .tlsHandshake, .responseInvalid].contains($0)
            })
        {
            ProbeCollector().sample(peer, inTLS: set.wantsTLS(failure), from: system, into: &set)
        }
        var verdict = VerdictEngine.judge(failure, evidence: set, incident: incident.id)
        addDiff(&verdict, serverPlace: place, site, instance)
        return DoctorReport.Case(
            id: incident.id, upstream: incident.upstream, peer: incident.peer, start: incident.first,
            end: incident.last,
            isOngoing: report.time.since(incident.last)
                < (set.probe.value.map { $0.errorNumber != 0 } ?? false ? LogHarvest.quietPeriod : 120_000),
            attempts: Dictionary(uniqueKeysWithValues: incident.counts.map { ("\($0.key.name)", $0.value) }),
            requestsFailed: harvest.failedRequests[incident.id] ?? 0, verdict: verdict)
    }

    /// Whether the proxy that runs has done so since before the failures, with the configuration that stands there.
    private func isInForce(_ site: NginxSite, _ instance: NginxInstance, since first: Timestamp) -> Bool {
        // The log has whole seconds, and so has the time of the boot that processes count from.
        guard let started = instance.started?.advanced(byMilliseconds: -2_000), started <= first else { return false }
        return site.files.allSatisfy { file in
            (try? system.status(file)).map { $0.modified.since(started) <= 4_000 } ?? false
        }
    }

    /// Turns a known edit into a diff of the file as it was read.
    private func addDiff(_ verdict: inout Verdict, serverPlace: String?, _ site: NginxSite, _ instance: NginxInstance) {
        guard var edit = verdict.fix.edit else { return }
        if let serverPlace, let exact = Fix.Edit(place: serverPlace, from: edit.from, to: edit.to) { edit = exact }
        guard let text = site.texts[edit.file], let diff = UnifiedDiff.make(edit, text: text) else { return }
        verdict.fix.diff = diff
        verdict.fix.edit = edit
        verdict.fix.caution = verdict.fix.caution ?? site.hostChange(at: "\(edit.file):\(edit.line)")
        let test = ShellCommand(words: instance.testCommand), reload = ShellCommand(words: instance.reloadCommand)
        verdict.fix.commands.append(("\(test) && \(reload)" as ShellCommand).text)
    }
}
