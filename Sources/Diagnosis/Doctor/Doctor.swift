import Machine

/// Looks at a host that runs nginx: its configuration, its logs, its units, its sockets; explains what failed and what will.
///
/// Reads only. Everything is bounded: memory by tables of fixed size, time by the size of the logs and by deadlines.
package struct Doctor<System: SystemReader> {
    /// What to look at.
    package struct Options: Sendable {
        /// Older lines are left out.
        package var since: Timestamp
        /// Main configuration file; nil: find it.
        package var configuration: String?
        /// Whether to connect to each upstream.
        package var testsUpstreams = true
        /// Incidents that get a verdict: the newest and largest.
        package var casesMax = 20
        /// Seconds east of UTC of the logs' local time; nil: this host's zone.
        package var zoneOffset: Int64?
        package init(since: Timestamp) { self.since = since }
    }

    let system: System
    let options: Options
    var report: DoctorReport
    var evidence = EvidenceSet()
    /// Addresses of host names now; those of which nothing is known are missing.
    var names: [String: [PeerAddress]] = [:]

    private init(_ options: Options, system: System) {
        self.system = system
        self.options = options
        report = DoctorReport(time: system.now(), since: options.since)
    }

    /// Examines the host. Takes as long as the logs are large; call it off the main thread.
    package static func run(_ options: Options, system: System) -> DoctorReport {
        var doctor = Doctor(options, system: system)
        doctor.examine()
        doctor.report.took = system.now().since(doctor.report.time)
        return doctor.report
    }

    private mutating func examine() {
        guard let instance = NginxInstance.find(from: system, configuration: options.configuration, gaps: &report.gaps) else {
            report.gaps.append("no nginx: neither a process nor a configuration in the usual places")
            return
        }
        report.configuration = instance.mainFile
        report.testCommand = instance.testCommand
        report.reloadCommand = instance.reloadCommand
        let site = NginxSite(
            mainFile: instance.mainFile, prefix: instance.prefix, defaultErrorLog: instance.errorLog,
            defaultAccessLog: instance.accessLog, version: NginxVersion.of(program: instance.program, from: system),
            from: system)
        report.gaps += site.gaps
        resolveNames(site)
        var harvest = LogHarvest(
            since: options.since, until: report.time, zone: LocalZone(fixedOffset: options.zoneOffset))
        harvest.read(site, names: names, from: system, report: &report)
        gatherEvidence(instance, from: harvest.earliest)
        testUpstreams(site)
        judge(harvest, site, instance)
        report.findings = Lint.findings(site, evidence: evidence, names: names)
        report.gaps = report.gaps.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private mutating func resolveNames(_ site: NginxSite) {
        for server in site.upstreams.flatMap(\.servers) {
            guard case .name(let host, _) = server.address, names[host] == nil, names.count < 64, !host.contains("$")
            else { continue }
            var set = EvidenceSet()
            let subject = CollectionSubject(peer: nil, host: host, since: options.since, until: report.time)
            NameCollector().collect(subject, from: system, into: &set)
            if let facts = set.name.value, facts.failure != NameFacts.noAnswer { names[host] = facts.addresses }
        }
    }

    /// What all incidents share.
    private mutating func gatherEvidence(_ instance: NginxInstance, from earliest: Timestamp) {
        let start = max(earliest.advanced(byMilliseconds: -600_000), options.since.advanced(byMilliseconds: -600_000))
        var subject = CollectionSubject(peer: nil, proxyPID: instance.workerPID, since: start, until: report.time)
        subject.isOfHost = true
        evidence.looked = report.time
        for collector in Collectors.all where collector.isHostWide { collector.collect(subject, from: system, into: &evidence) }
        report.gaps += evidence.gaps
    }
}
