import Board
import Config
import Glibc
import Loop
import Machine
import Messages
import Wire

/// A failed attempt as it was at the moment of its failure, before its connection is closed.
struct FailureMark {
    let reason: ReasonCode
    let phase: AttemptPhase
    let errno: Int32
    let incident: IncidentID
    /// -1: none was picked.
    let peer: Int
    /// It gets a record of its own; else it is only counted.
    let isRecorded: Bool
    var bytesAcknowledged: UInt64?
    var connectionAge: UInt64 = 0
    var idle: UInt64 = 0
}

extension Ref where Value == Exchange {
    /// Names a failure: its reason, and the incident it belongs to. Allocates nothing.
    ///
    /// - Parameters:
    ///   - reason: if it is known better than by `errno`.
    ///   - errno: of the failed call; ETIMEDOUT for a timer; 0 for an early end.
    func mark(_ reason: ReasonCode? = nil, errno: Int32 = 0) -> FailureMark {
        let phase = failurePhase
        let stat = request.value.attempts.last
        let peer = value.attempt.isRunning && value.shownPeer < upstream.value.peers.count ? value.shownPeer : -1
        let isUnix = peer >= 0 && upstream.value.peers[peer].address.isUnix
        let reason = reason ?? ReasonCode.immediate(
            phase: phase, errorNumber: errno, isUnixSocket: isUnix, bytesRead: UInt64(max(0, stat?.bytesReceived ?? 0)),
            reused: value.isReused)
        let incident = incident(for: reason, peer: peer)
        var mark = FailureMark(
            reason: reason, phase: phase, errno: errno, incident: incident, peer: peer,
            isRecorded: worker.value.failures.ledger.takeRecord(incident, reason, now: now))
        if mark.isRecorded, let connection = value.connection {
            mark.connectionAge = worker.now &- connection.value.openedAt
            if value.isReused { mark.idle = connection.value.idleBefore }
            if !isUnix, phase != .connecting, let written = stat?.bytesSent {
                let unacknowledged = Socket.unacknowledged(connection.value.descriptor)
                if unacknowledged >= 0 { mark.bytesAcknowledged = UInt64(max(0, written - Int64(unacknowledged))) }
            }
        }
        withStat { $0.reason = reason }
        if request.main.value.failure.enter(incident, reason, while: phase, errno: errno) { worker.enterIncident(incident) }
        return mark
    }

    /// Says what was done after a marked failure.
    ///
    /// - Parameters:
    ///   - status: what the client gets, 0 while it is not known.
    ///   - detail: what was wrong with an answer.
    func tell(_ mark: FailureMark, _ action: AttemptAction, status: Int = 0, detail: String = "") {
        // Nobody waits for the answer of a post_action: its line in the error log is all there is to tell.
        guard !request.main.value.isPostAction || action != .failedToClient && action != .cut else { return }
        let stat = request.value.attempts.last
        worker.tell(record(mark, action, status, detail, stat), mark) {
            let names = names(mark.peer)
            return (names.upstream.prefix(FailureTally.nameBytesMax).string, names.peer.prefix(FailureTally.nameBytesMax).string)
        }
    }

    private func record(
        _ mark: FailureMark, _ action: AttemptAction, _ status: Int, _ detail: String, _ stat: AttemptStat?
    ) -> AttemptRecord {
        let names = names(mark.peer)
        let main = request.main
        return AttemptRecord(
            time: worker.value.loop.wallClock, upstream: names.upstream.string, peer: names.peer.string,
            phase: mark.phase.rawValue, action: action.rawValue, reason: mark.reason.rawValue, errno: mark.errno,
            bytesWritten: UInt64(max(0, stat?.bytesSent ?? 0)), bytesAcknowledged: mark.bytesAcknowledged,
            bytesRead: UInt64(max(0, stat?.bytesReceived ?? 0)), connectionAgeMilliseconds: UInt32(clamping: mark.connectionAge),
            idleMilliseconds: UInt32(clamping: mark.idle), isReused: value.isReused,
            durationMilliseconds: UInt32(clamping: worker.now &- (stat?.startedAt ?? worker.now)),
            connection: request.connection.value.serial, requestID: request.requestID.string,
            method: main.value.methodName.prefix(16).string, detail: String(detail.prefix(256)),
            incident: mark.incident.rawValue, status: UInt16(clamping: status))
    }

    /// Group and peer as messages name them; the peer is empty when none was picked.
    private func names(_ peer: Int) -> (upstream: ByteView, peer: ByteView) {
        let isThere = peer >= 0 && peer < upstream.value.peers.count
        return (upstream.value.label, isThere ? upstream.value.peers[peer].name : ByteView())
    }

    private var failurePhase: AttemptPhase {
        switch value.state {
        case .resolving: return .resolving
        case .idle, .picking, .parked, .finished: return value.attempt.isRunning ? .connecting : .picking
        case .connecting: return .connecting
        case .sending, .awaitingHead:
            if let input = value.input, input.count > 0 { return .readingHead }
            return value.state == .sending ? .sending : .awaitingHead
        case .holding, .relaying, .tunnel: return .relayingBody
        }
    }

    /// The incident of a failure: that of the peer's place on the board, so that all workers name the same.
    private func incident(for reason: ReasonCode, peer: Int) -> IncidentID {
        let worker = worker
        let second = worker.now / 1000
        guard peer >= 0 else {
            if let open = upstream.openIncident(second: second) { return open }
            return localIncident(ByteView(), reason, second)
        }
        let slots = upstream.value.sharing.slots
        if let column = upstream.value.sharing.column, peer < slots.count, let slot = slots[peer] {
            let id = column.view.incident(slot, family: reason.family, second: second) {
                appIncident(reason) ?? worker.proposeIncident()
            }
            if let id {
                upstream.value.lastIncident = IncidentWord(id: id, second: second)
                return IncidentID(rawValue: id)
            }
        }
        return localIncident(names(peer).peer, reason, second)
    }

    /// Of a request that fails at one instance of an app after the other, all is one incident.
    private func appIncident(_ reason: ReasonCode) -> UInt64? {
        let failure = request.main.value.failure
        guard upstream.value.settings.value.app != nil, let stat = request.value.attempts.last, !stat.startsGroup,
            let incident = failure.incident, failure.reason.family == reason.family
        else { return nil }
        return incident.rawValue
    }

    private func localIncident(_ peer: ByteView, _ reason: ReasonCode, _ second: UInt64) -> IncidentID {
        let worker = worker
        let key = LocalIncidents.key(upstream.value.label, peer, family: reason.family)
        let id = worker.value.failures.local.incident(key, second: second) { worker.proposeIncident() }
        upstream.value.lastIncident = IncidentWord(id: id, second: second)
        return IncidentID(rawValue: id)
    }

    /// A request waits without an attempt, as no peer is there: the app behind the upstream served before, so something happened to it, or
    /// an incident is open. It is one of those that may be saved.
    func noteWaiting(isBusy: Bool) {
        guard !isBusy, request.main.value.failure.count == 0 else { return }
        if upstream.value.wasRouted { return tell(mark(.poolEmpty), .parked) }
        guard let incident = upstream.openIncident(second: worker.now / 1000) else { return }
        if request.main.value.failure.enter(incident, .poolEmpty) { worker.enterIncident(incident) }
    }
}

extension Ref where Value == Upstream {
    /// The incident that explains why no peer is left: the one this worker saw last, else the newest of the first 64 peers on the board.
    func openIncident(second: UInt64) -> IncidentID? {
        if value.lastIncident.isOpen(at: second) { return IncidentID(rawValue: value.lastIncident.id) }
        guard let column = value.sharing.column else { return nil }
        let slots = value.sharing.slots
        var newest: UInt64 = 0
        for peer in 0..<min(slots.count, 64) {
            guard let slot = slots[peer], let open = column.view.openIncident(slot, second: second) else { continue }
            newest = max(newest, open)
        }
        guard newest != 0 else { return nil }
        value.lastIncident = IncidentWord(id: newest, second: second)
        return IncidentID(rawValue: newest)
    }
}

extension Ref where Value == Request {
    /// The addresses of a host could not be had: the request gets an error of ours.
    func nameFailed(_ host: ByteView, _ message: String) {
        let worker = worker
        let key = LocalIncidents.key(host, ByteView(), family: ReasonCode.dnsFailed.family)
        let id = worker.value.failures.local.incident(key, second: worker.now / 1000) { worker.proposeIncident() }
        let incident = IncidentID(rawValue: id)
        let mark = FailureMark(
            reason: .dnsFailed, phase: .resolving, errno: 0, incident: incident, peer: -1,
            isRecorded: worker.value.failures.ledger.takeRecord(incident, .dnsFailed, now: Machine.Milliseconds(worker.now)))
        if main.value.failure.enter(mark.incident, .dnsFailed, while: .resolving) { worker.enterIncident(mark.incident) }
        if isMain { value.failure.isOurs = true }
        log(.error, message, mark: mark)
        let record = AttemptRecord(
            time: worker.value.loop.wallClock, upstream: host.string, peer: "", phase: mark.phase.rawValue,
            action: AttemptAction.failedToClient.rawValue, reason: mark.reason.rawValue, connection: connection.value.serial,
            requestID: requestID.string, method: main.value.methodName.prefix(16).string, detail: String(message.prefix(256)),
            incident: id, status: 502)
        worker.tell(record, mark) { (host.prefix(FailureTally.nameBytesMax).string, "") }
    }

    /// The end of a request that had failed attempts: it counts as saved or failed in each of its incidents.
    func endFailure() {
        let status = value.response.status
        let isSaved = status > 0 && status < 499 && !value.isAborted && !value.isTruncated
        for index in 0..<value.failure.count { worker.endIncident(value.failure[index], isSaved: isSaved) }
        value.failure = RequestFailure()
    }
}
