import Board
import Config
import Loop
import Machine
import Wire

// Requests for which there is no peer now, in upstreams with `queue` (those with `app` have one): they wait until the supervisor tells of
// an instance, a place becomes free, or their time is over.
extension Ref where Value == Exchange {
    /// How often a request looks again by itself: where news may be on their way, or where nobody tells any.
    private static var lookInterval: Machine.Milliseconds { 100 }
    /// How often a request waits for news of the end of instances that are there but fail. They may well live and be broken.
    private static var looksMax: UInt8 { 10 }
    /// Where nobody even listens, it is all but certain that news come, however busy the machine is: the same looks take 3.5 s.
    private static var lookIntervalMax: Machine.Milliseconds { 800 }
    /// How often a request that instances had completely when they died is given to those that come after them. It may be what kills them.
    static var replaysMax: UInt8 { 2 }

    /// No peer can be had now: lets the request wait, if the upstream has a queue.
    /// - Parameter isBusy: peers are there, but at their `max_conns`.
    /// - Returns: nil: the upstream has none, or waiting would not help: the caller answers. If it is refused, the caller calls `refuse`.
    func waitForPeer(isBusy: Bool) -> Parked? {
        let queue = upstream.value.parking.settings
        guard queue.capacity > 0, !request.value.isHeaderSent else { return nil }
        let isRouted = upstream.value.isRouted
        var outlook = upstream.value.outlook
        if queue.followsOutlook, isRouted {
            if upstream.value.isAllDrained {
                // Somebody has taken all of them out, and nobody knows for how long. One that restarts beside them is back in a moment.
                guard value.looks < Self.looksMax else { return upstream.value.parking.refuse(.notPlausible, .nothing, now) }
                value.looks += 1
            } else if !isBusy {
                guard value.looks < Self.looksMax else { return nil }
                value.looks += 1
            }
            outlook = UpstreamOutlook(starting: 1)
        }
        if value.parkedAt == 0 { value.parkedAt = max(1, worker.now) }
        let left = Machine.Milliseconds(value.parkedAt) + queue.timeout - now
        guard left > 0 else { return upstream.value.parking.refuse(.timeout, upstream.value.outlook, now) }
        let deadline = now + left
        // Who has only looked has its place still.
        if value.ticket == nil {
            let bytes = (value.head?.count ?? 0) + request.value.body.memoryLength
            let parked = upstream.value.parking.park(
                Int32(bitPattern: request.value.slot), bytes: bytes, othersWaiting: upstream.parkedElsewhere, outlook: outlook,
                deadline: deadline, now: now)
            guard case .waits(let ticket, _) = parked else { return parked }
            value.ticket = ticket
            upstream.publishParked()
        }
        endBalancing()
        shrinkHead()
        noteWaiting(isBusy: isBusy)
        if value.state != .parked {
            value.state = .parked
            worker.value.counters.parked += 1
            worker.value.counters.parkedTotal += 1
        }
        request.value.resumption = .upstream
        let looksAgain = isRouted || !queue.followsOutlook
        request.setTimer(after: UInt64(looksAgain ? min(left, lookDelay) : left))
        return value.ticket.map { .waits($0, deadline: deadline) }
    }

    private var lookDelay: Machine.Milliseconds {
        guard value.looks > 5, request.value.failure.phase == .connecting else { return Self.lookInterval }
        return min(Self.lookInterval << Machine.Milliseconds(value.looks - 5), Self.lookIntervalMax)
    }

    /// Many may wait, and long: the head for the peer gets a buffer of its size.
    private func shrinkHead() {
        guard let head = value.head, head.value.capacity > 256, head.count <= head.value.capacity / 2 else { return }
        let small = pool.value.take(head.count)
        small.append(head.view)
        pool.value.give(head)
        value.head = small
    }

    /// Woken: by news, by a free place, or by the clock. It leaves the queue when there is a peer for it.
    func goOnAfterParking() {
        guard value.state == .parked else { return }
        value.queueTime = Int64(worker.now &- value.parkedAt)
        beginBalancing()
        let picked = pick()
        if case .peer = picked { leaveQueue() }
        tryPeers(from: picked)
    }

    /// Gives the place in the queue back, if there is one.
    func leaveQueue() {
        guard value.state == .parked else { return }
        value.state = .picking
        worker.value.counters.parked -= 1
        guard let ticket = value.ticket else { return }
        upstream.value.parking.remove(ticket)
        upstream.publishParked()
        value.ticket = nil
    }

    /// The status of a request that may not wait.
    var refusalStatus: Int { upstream.value.parking.settings.followsOutlook ? 503 : 502 }

    /// Answers a request for which no peer came. The request may have ended when it returns.
    func refuse(_ parked: Parked) {
        guard case .refused(let reason, let retryAfter) = parked else { return }
        let status = refusalStatus
        if value.parkedAt != 0 { value.queueTime = Int64(worker.now &- value.parkedAt) }
        addFailedStat(status)
        let mark = mark(Self.code(reason))
        request.log(.error, Self.words(reason), while: "waiting for upstream", mark: mark)
        tell(mark, .failedToClient, status: status)
        if let retryAfter {
            request.value.response.append("Retry-After", request.decimal(Int64(retryAfter)), token: .retryAfter)
        }
        giveUp(status)
    }

    private static func code(_ reason: ParkingRefusal) -> ReasonCode {
        switch reason {
        case .noQueue, .notPlausible: .poolEmpty
        case .full, .memory: .queueFull
        case .timeout: .queueTimeout
        }
    }

    private static func words(_ reason: ParkingRefusal) -> String {
        switch reason {
        case .noQueue: "no live upstreams"
        case .full: "no live upstreams, and the queue is full"
        case .memory: "no live upstreams, and the queue holds too many bytes"
        case .notPlausible: "no live upstreams, and none is expected in time"
        case .timeout: "no live upstreams within the queue's timeout"
        }
    }

    /// An attempt that never got a peer, for the `$upstream_*` variables.
    func addFailedStat(_ status: Int) {
        var stat = AttemptStat()
        stat.peer = upstream.value.name
        stat.status = status
        stat.responseTime = 0
        stat.startedAt = worker.now
        stat.startsGroup = request.value.startsAttemptGroup
        request.value.startsAttemptGroup = false
        request.value.attempts.append(stat)
    }
}

extension Ref where Value == Upstream {
    /// Lets those go on for whom something changed. They go on after this event, one after the other.
    func wakeParked(_ worker: WorkerRef) {
        guard value.parking.count > 0 else { return }
        let now = Machine.Milliseconds(worker.now)
        if value.isRouted {
            // All at once, they would fill the accept queue of an instance that has just begun to accept.
            var woken = 0
            while woken < WakePace.first, let number = value.parking.takeNext(now: now) {
                wake(number, worker)
                woken += 1
            }
            var place = 0
            value.parking.forEach { number, deadline in
                place += 1
                let delay = min(WakePace.delay(of: place), max(1, deadline &- now))
                worker.value.requests[UInt32(bitPattern: number)].setTimer(after: UInt64(delay))
            }
        } else {
            let outlook = value.outlook
            while let number = value.parking.takeImplausible(outlook: outlook) { wake(number, worker) }
        }
        publishParked()
    }

    /// An attempt ended: where `max_conns` kept requests waiting, one of them may go on. Of those that wait for an instance, some go on
    /// when it has answered; the failures of others tell them nothing.
    func wakeNextParked(_ worker: WorkerRef, after outcome: AttemptOutcome, at peer: Int) {
        guard value.parking.count > 0 else { return }
        var count = 1
        if value.parking.settings.followsOutlook {
            count = outcome == .succeeded ? WakePace.perAnswer(underWay: value.balancer.connections(of: peer)) : 0
        }
        while count > 0, let number = value.parking.takeNext(now: Machine.Milliseconds(worker.now)) {
            wake(number, worker)
            count -= 1
        }
        publishParked()
    }

    /// Requests that wait in the other workers.
    fileprivate var parkedElsewhere: Int {
        guard let column = value.sharing.column, let slot = value.sharing.queueSlot else { return 0 }
        return Int(clamping: column.view.totals(slot, without: column.column).connections)
    }

    /// Tells the other workers how many wait in this one.
    fileprivate func publishParked() {
        guard let column = value.sharing.column, let slot = value.sharing.queueSlot else { return }
        column.setConnections(slot, value.parking.count)
    }

    private func wake(_ number: Int32, _ worker: WorkerRef) {
        let request = worker.value.requests[UInt32(bitPattern: number)]
        guard let exchange = request.value.exchange, exchange.value.state == .parked else { return }
        exchange.value.ticket = nil
        worker.post(request)
    }
}
