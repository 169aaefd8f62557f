package import Machine

/// Reads nginx's logs once and keeps what explains failures, in bounded memory.
package struct LogHarvest {
    static let matchesMax = 200_000, answersMax = 1_000

    /// Requests of one incident that look alike and came in one second.
    struct Match: Sendable {
        var incident: IncidentID
        /// Whether such a failure is answered with 504.
        var isTimeout: Bool
        /// nginx's number of the connection that the last of them came on.
        var connection: UInt64
        /// Those whose line of the access log was not seen yet.
        var waiting: Int
    }
    /// Milliseconds without a failure after which an incident is over.
    static let quietPeriod: Int64 = 300_000

    let since: Timestamp
    let until: Timestamp
    private var zone: LocalZone
    private var grouper: IncidentGrouper
    /// Requests with a line in the error log, by the hash of what identifies them and of the second: several sites may have requests that
    /// look alike. No more than `matchesMax` in all.
    var explained: [UInt64: [Match]] = [:]
    private var matches = 0
    /// What the access logs tell of a request, each in its own way.
    private var identities: Set<AccessFormat.Identity> = [[]]
    var answers: [String: DoctorReport.AppAnswer] = [:]
    /// Host names that the configuration has.
    private var configured: Set<String>?
    /// The process that could not bind last, and the address that it named first.
    private var unbound: (pid: Int32, since: Timestamp, address: PeerAddress)?
    /// Closed at the end of reading.
    package private(set) var incidents: [Incident] = []
    /// Requests that failed for the client, by incident.
    package internal(set) var failedRequests: [IncidentID: Int] = [:]
    /// The first failure, or `until`.
    package private(set) var earliest: Timestamp

    package init(since: Timestamp, until: Timestamp, zone: LocalZone) {
        self.since = since
        self.until = until
        self.zone = zone
        earliest = until
        var limits = IncidentGrouper.Limits()
        limits.quietPeriod = Self.quietPeriod
        grouper = IncidentGrouper(limits: limits)
    }

    /// Reads all logs of a site; what cannot be read is added to the report's gaps.
    package mutating func read(
        _ site: NginxSite, names: [String: [PeerAddress]], from system: some SystemReader, report: inout DoctorReport
    ) {
        identities.formUnion(site.accessLogs.flatMap(\.formats).map(\.identity))
        // One file may be both.
        var files = LogFiles(), errorFiles = LogFiles()
        let accessPaths = site.accessLogs.map { ($0, files.find($0.path, since: since, from: system)) }
        for path in accessPaths.flatMap({ $0.1.paths.suffix(1) }) { learnZone(path, system) }
        for log in site.errorLogs {
            let (paths, gap) = errorFiles.find(log, since: since, from: system)
            if let gap { report.gaps.append(gap) }
            for path in paths { readErrors(path, site, names, system, &report) }
        }
        incidents = grouper.finish(at: until)
        let names = Dictionary(incidents.flatMap { incident in incident.aliases.map { ($0, incident.id) } }) { first, _ in first }
        for key in explained.keys { for index in explained[key]?.indices ?? 0..<0 { rename(key, index, names) } }
        for (log, (paths, gap)) in accessPaths {
            if let gap { report.gaps.append(gap) }
            for path in paths { readAccess(path, log, system, &report) }
        }
        report.appAnswers = answers.values.sorted { $0.count != $1.count ? $0.count > $1.count : $0.path < $1.path }
            .prefix(10).map { $0 }
    }

    /// The error log's times have no zone: that of the access log is nginx' own, this process's may be another.
    private mutating func learnZone(_ path: String, _ system: some SystemReader) {
        guard !zone.isFixed, let size = try? system.status(path).size else { return }
        var found: Int64?
        try? LogReader.lines(path, from: max(size - 65_536, 0), of: system) { line in
            found = LogTime.zone(line) ?? found
            return true
        }
        // If both are one now, this process's knows summer time as well.
        let now = Timestamp(seconds: until.seconds)
        if let found, zone.timestamp(CivilTime(utcSeconds: now.seconds + found)) != now { zone = LocalZone(fixedOffset: found) }
    }

    // MARK: error logs

    private mutating func readErrors(
        _ path: String, _ site: NginxSite, _ names: [String: [PeerAddress]], _ system: some SystemReader,
        _ report: inout DoctorReport
    ) {
        report.logs.append(path)
        var zone = zone, future = 0
        let offset = system.offset(of: since, in: path) { line in
            NginxErrorLine.time(line).flatMap { zone.timestamp($0) }
        }
        do {
            try LogReader.lines(path, from: offset, of: system) { line in
                report.bytesRead += Int64(line.bytes.count + 1)
                // That a name server is silent is told once more with each name that does not resolve.
                guard line.bytes.count > 30, let parsed = NginxErrorLine(line), !parsed.action.hasPrefix("resolving"),
                    // A warning at the start: nothing has failed.
                    !parsed.message.contains("exceed open file resource limit"),
                    let failure = NginxFailure.classify(parsed),
                    let time = self.zone.timestamp(parsed.time), time >= since
                else { return true }
                // They would be joined with nothing, or with what happened at another hour.
                guard time <= until.advanced(byMilliseconds: 60_000) else { future += 1; return true }
                report.linesWithErrors += 1
                add(parsed, failure, time, site, names)
                return true
            }
        } catch { report.gaps.append(error.text) }
        if future > 0 {
            report.gaps.append(
                "\(path): \(future) lines are of a later time than now, so nginx writes in another time zone: give it as in --zone +02:00")
        }
    }

    private mutating func add(
        _ line: NginxErrorLine, _ failure: NginxFailure, _ time: Timestamp, _ site: NginxSite,
        _ names: [String: [PeerAddress]]
    ) {
        earliest = min(earliest, time)
        if ReasonCode.ofProxy.contains(failure.reason) { return addOwn(line, failure, time) }
        // A name that does not resolve stands in the message only.
        var host = failure.reason == .dnsFailed ? Self.unresolved(line.message) : nil
        let isUnresolved = host != nil && !line.message.contains("host not found in upstream")
        let server = line.server.flatMap { $0.isEmpty ? nil : $0 }
        var peer = line.peer.map { site.socket(in: $0) }, upstream = line.upstream ?? host ?? server ?? "nginx"
        // With `proxy_pass http://$host` each client makes up names: those are one incident of the server, not one each.
        if isUnresolved, line.upstream == nil, let name = host, !isConfigured(name, site) {
            upstream = "names in requests to \(server ?? "nginx")"
        }
        if let found = peer.flatMap({ site.upstream(serving: $0, names: names) }) {
            upstream = found.facts.name
            if case .name(let name, _) = found.server.address { host = name }
        }
        if failure.reason == .poolEmpty || failure.reason == .dnsFailed { if case .name? = peer { peer = nil } }
        let record = AttemptRecord(
            time: time, upstream: upstream, peer: peer, phase: failure.phase, reason: failure.reason,
            errorNumber: line.errorNumber ?? 0,
            method: line.method, action: failure.reason == .bodyTruncated ? .cut : .failedToClient)
        let incident = grouper.record(record, host: host, detail: failure.detail, detailNumber: failure.detailNumber)
        note(line, time, record.reason, as: incident.id)
    }

    /// A failure of nginx itself: whatever request met it, no upstream is concerned.
    private mutating func addOwn(_ line: NginxErrorLine, _ failure: NginxFailure, _ time: Timestamp) {
        let peer = failure.reason == .portTaken ? boundAddress(line, time) : nil
        let record = AttemptRecord(
            time: time, upstream: "nginx", peer: peer, phase: failure.phase, reason: failure.reason,
            errorNumber: line.errorNumber ?? 0, method: line.method, action: .failedToClient)
        note(line, time, record.reason, as: grouper.record(record, detail: failure.detail, detailNumber: failure.detailNumber).id)
    }

    /// nginx tries each of its addresses five times, and says at the end only that it gave up: all this is one failed start.
    private mutating func boundAddress(_ line: NginxErrorLine, _ time: Timestamp) -> PeerAddress? {
        if let unbound, unbound.pid == line.pid, abs(time.since(unbound.since)) < 10_000 { return unbound.address }
        guard let text = line.message.between("bind() to ", " failed")?.string else { return nil }
        let address = PeerAddress(parsing: text)
        unbound = (line.pid, time, address)
        return address
    }

    /// Lets the access log's line of the same request be found.
    private mutating func note(_ line: NginxErrorLine, _ time: Timestamp, _ reason: ReasonCode, as id: IncidentID) {
        guard let client = line.client, let request = line.request else { return }
        let target = AccessLine.target(of: Array(request.utf8)[...])
        for identity in identities {
            let key = Self.hash(identity, Array(client.utf8)[...], target) &+ UInt64(bitPattern: time.seconds)
            note(key, id, isTimeout: [.connectTimeout, .sendTimeout, .responseTimeout].contains(reason), connection: line.connection ?? 0)
        }
    }

    private mutating func note(_ key: UInt64, _ id: IncidentID, isTimeout: Bool, connection: UInt64) {
        // The next attempt of one request, at another peer.
        if connection > 0, let former = explained[key]?.firstIndex(where: { $0.connection == connection && $0.incident != id }) {
            explained[key]?[former].connection = 0
            explained[key]?[former].waiting -= 1
        }
        if let known = explained[key]?.firstIndex(where: { $0.incident == id && $0.isTimeout == isTimeout }) {
            explained[key]?[known].connection = connection
            explained[key]?[known].waiting += 1
        } else if matches < Self.matchesMax {
            matches += 1
            explained[key, default: []].append(Match(incident: id, isTimeout: isTimeout, connection: connection, waiting: 1))
        }
    }

    /// An incident that was joined to another has the other's name.
    private mutating func rename(_ key: UInt64, _ index: Int, _ names: [IncidentID: IncidentID]) {
        if let id = explained[key]?[index].incident, let name = names[id] { explained[key]?[index].incident = name }
    }

    /// The name that a message about names is of: `"api:3000"` at nginx' start, `api` when a request came.
    static func unresolved(_ message: LineText) -> String? {
        if message.contains(" could not be resolved") { return message.upTo(" could not be resolved").string }
        if let name = message.after("no resolver defined to resolve ") { return name.upTo(",").word.string }
        guard let name = message.between("host not found in upstream \"", "\"")?.string else { return nil }
        if case .name(let host, _) = PeerAddress(parsing: name) { return host }
        return name
    }

    private mutating func isConfigured(_ name: String, _ site: NginxSite) -> Bool {
        let names = configured ?? site.hostNames
        configured = names
        return names.contains(name.lowercased())
    }

    // MARK: access logs

    private mutating func readAccess(
        _ path: String, _ log: NginxSite.AccessLog, _ system: some SystemReader, _ report: inout DoctorReport
    ) {
        report.logs.append(path)
        let texts = Set(log.formats.map(\.beforeStatus)).sorted()
        let scanners = texts.map { StatusScanner(beforeStatus: $0) }
        let offset = system.offset(of: since, in: path) { line in
            log.formats.lazy.compactMap { $0.read(line)?.time }.first ?? LogTime.find(line)
        }
        do {
            // SAFETY: a piece is looked at while it is lent; what lasts is copied.
            try unsafe system.stream(path, from: offset) { piece in
                report.bytesRead += Int64(piece.count)
                for (text, scanner) in zip(texts, scanners) {
                    unsafe scanner.scan(piece) { line, status in
                        let copy = unsafe LineText(Array(line)[...])
                        guard let found = Self.parse(copy, status, log.formats, foundBehind: text), let time = found.line.time,
                            time >= since
                        else { return }
                        report.responsesFailed += 1
                        match(found.line, found.identity, status, time)
                    }
                }
                return true
            }
        } catch { report.gaps.append(error.text) }
    }
}
