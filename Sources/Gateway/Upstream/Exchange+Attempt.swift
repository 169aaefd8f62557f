import Config
import CLinux
import Glibc
import Loop
import Machine
import Wire

/// A failed attempt, in the words of nginx's error log.
struct ExchangeFailure {
    let kind: AttemptFailure
    let level: LogLevel
    let message: String
    var errno: Int32 = 0
    /// If it is known better than by `errno`.
    var reason: ReasonCode?
    /// Our own exhaustion, or an address that this host may not use: no peer is to blame, and no other peer would help.
    var isOurs: Bool { level == .alert || isBind }
    var isBind = false
}

extension Ref where Value == Exchange {
    /// Starts the first attempt.
    func begin() {
        value.startedAt = worker.now
        value.parkedAt = 0
        value.looks = 0
        value.hasWaitedForNames = false
        value.replays = 0
        value.queueTime = -1
        value.tag = upstream.value.isLocal ? proxy.value.tag : 0
        value.metDeadConnection = false
        findStickyID()
        beginBalancing()
        if upstream.value.isGuarded {
            upstream.value.budget.recordRequest(inFlight: upstream.value.exchangeCount, now: now)
        }
        tryNextPeer()
    }

    /// Opens its account with the balancer; `endBalancing` closes it.
    func beginBalancing() {
        upstream.value.exchangeCount += 1
        value.attempt = upstream.value.balancer.begin(tryLimit: proxy.value.retry.tries, key: value.hashKey)
        value.hasAttemptState = true
    }

    /// Picks a peer and gets a connection to it, idle or new.
    func tryNextPeer() {
        value.state = .picking
        tryPeers(from: pick())
    }

    /// Gets a connection to this peer, or to the next one.
    func tryPeers(from first: Pick) {
        var picked = first
        while true {
            resetAttempt()
            guard case .peer(let peer) = picked else { return noLivePeer(isBusy: picked == .busy) }
            value.shownPeer = peer
            setStickyCookie(peer: peer)
            var stat = AttemptStat()
            stat.peer = upstream.value.peers[peer].name
            stat.startedAt = worker.now
            stat.startsGroup = request.value.startsAttemptGroup
            request.value.startsAttemptGroup = false
            request.value.attempts.append(stat)
            // A request that must not be sent twice is worth a call that looks whether the connection is still there. So is one that met a
            // dead connection already: the rest of the pool may be dead as well.
            let looks = value.metDeadConnection || !value.method.isIdempotent
            let idle = worker.takeIdle(upstream, peer: peer, tag: value.tag, looks: looks)
            if let idle { return use(idle) }
            guard let failure = connect(peer) else { return }
            guard attemptFailed(failure, phase: "connecting to upstream") else { return }
            value.state = .picking
            picked = pick()
        }
    }

    func pick() -> Pick {
        let upstream = upstream
        upstream.absorbNews(now: worker.now)
        let hint = stickyHint()
        let pick = upstream.value.balancer.pick(
            &value.attempt, key: value.hashKey, hint: hint, now: now, random: &worker.value.random)
        if case .peer(let peer) = pick { upstream.publishNews(of: peer, now: worker.now) }
        return pick
    }

    private func resetAttempt() {
        value.headSent = 0
        value.bodySent = 0
        value.isRequestSent = false
        value.wasReset = false
        value.isSendBroken = false
        value.isResting = false
        value.hasHead = false
        value.headLength = 0
        value.interimCount = 0
        value.isReused = false
        value.isRescued = false
        if let input = value.input { input.clear() }
        giveAnswerReader()
    }

    private func use(_ connection: UpstreamConnectionRef) {
        connection.value.exchange = self
        value.connection = connection
        value.isReused = true
        connection.clearTimer()
        withStat { $0.connectTime = 0 }
        sendRequest()
    }

    /// - Returns: nil if the connection is under way, else why it failed at once.
    private func connect(_ peer: Int) -> ExchangeFailure? {
        guard let connection = worker.value.upstreamConnections.take() else {
            let limit = worker.value.upstreamConnections.limit
            let message = "\(limit) worker_connections are not enough"
            return ExchangeFailure(kind: .error, level: .alert, message: message, reason: .localConnections)
        }
        let bind = request.proxyBindAddress()
        let settings = request.location.value.settings
        var options = Socket.ConnectOptions()
        options.probesIdlePeer = settings.value.proxy.isSocketKeepalive
        options.receiveBuffer = settings.value.proxy.socketReceiveBuffer ?? 0
        options.sendBuffer = settings.value.proxy.socketSendBuffer ?? 0
        options.isTransparent = bind?.isTransparent ?? false
        let (descriptor, step, status) = Socket.connect(
            to: upstream.value.peers[peer].address, from: bind?.address, options: options)
        connection.value.worker = worker
        if connection.value.timer == .none { connection.value.timer = worker.value.loop.timers.make(connection.token) }
        worker.value.loop.timers.rebind(connection.value.timer, to: connection.token)
        connection.value.descriptor = descriptor
        guard descriptor >= 0, status == 0 || status == -EINPROGRESS else {
            connection.close()
            return connectFailure(step, -status, peer, from: bind?.address)
        }
        connection.value.upstream = upstream
        connection.value.peer = peer
        connection.value.exchange = self
        connection.value.openedAt = worker.now
        connection.value.requestsServed = 0
        connection.value.isReadable = false
        connection.value.isWritable = status == 0
        connection.value.isPeerClosed = false
        connection.value.isPosted = false
        connection.value.tag = value.tag
        value.connection = connection
        if !upstream.value.peers[peer].address.isUnix { Socket.setNoDelay(descriptor, true) }
        let added = worker.value.loop.add(descriptor, .connection, connection.token)
        if added < 0 {
            dropConnection()
            return ExchangeFailure(kind: .error, level: .alert, message: "epoll_ctl(1, \(descriptor)) failed", errno: -added)
        }
        if status == 0 {
            connected()
        } else {
            value.state = .connecting
            connection.setTimer(after: proxy.value.connectTimeout)
        }
        return nil
    }

    private func connectFailure(
        _ step: Socket.ConnectStep, _ code: Int32, _ peer: Int, from local: SocketAddress?
    ) -> ExchangeFailure {
        switch step {
        case .socket: return ExchangeFailure(kind: .error, level: .alert, message: "socket() failed", errno: code)
        case .bind:
            let address = request.compose { local?.append(to: $0, withPort: local?.port != 0) }
            let message = "bind(\(address.string)) failed"
            return ExchangeFailure(kind: .error, level: .critical, message: message, errno: code, isBind: true)
        case .connect: break
        }
        let name = upstream.value.peers[peer].name.string
        let level: LogLevel
        switch code {
        case ECONNREFUSED, EAGAIN, ECONNRESET, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH: level = .error
        default: level = .critical
        }
        return ExchangeFailure(kind: .error, level: level, message: "connect() to \(name) failed", errno: code)
    }

    private func connected() {
        let elapsed = Int64(worker.now &- (request.value.attempts.last?.startedAt ?? worker.now))
        withStat { $0.connectTime = elapsed }
        sendRequest()
    }

    /// The connection's socket has news.
    func connectionIsReady() {
        guard let connection = value.connection else { return }
        switch value.state {
        case .connecting:
            guard connection.value.isWritable else { return }
            let code = Socket.error(connection.value.descriptor)
            if code != 0 {
                let failure = ExchangeFailure(kind: .error, level: .error, message: "connect() failed", errno: code)
                return failed(failure, phase: "connecting to upstream")
            }
            connected()
        case .sending:
            if connection.value.isWritable { sendRequest() }
            if value.state == .sending, connection.value.isReadable { readHead() }
        case .awaitingHead: if connection.value.isReadable { readHead() }
        case .holding: if connection.value.isReadable { readHeld() }
        case .relaying:
            if !value.isRequestSent, connection.value.isWritable { sendRequest() }
            if value.state == .relaying, connection.value.isReadable { relay() }
        case .tunnel: pumpTunnel()
        case .idle, .resolving, .picking, .parked, .finished: break
        }
    }

    /// The timer of the running attempt.
    func timedOut() {
        switch value.state {
        case .holding: return passAnswerOn()
        case .relaying: return relayTimedOut()
        case .tunnel: return tunnelTimedOut()
        case .connecting, .sending, .awaitingHead, .idle, .resolving, .picking, .parked, .finished: break
        }
        guard let phase = phaseBeforeHead else { return }
        failed(ExchangeFailure(kind: .timeout, level: .error, message: "upstream timed out", errno: ETIMEDOUT), phase: phase)
    }

    /// An attempt failed: next peer, or the end.
    func failed(_ failure: ExchangeFailure, phase: StaticString) {
        if attemptFailed(failure, phase: phase) { tryNextPeer() }
    }

    /// Logs, closes the account, decides. Returns true if another attempt is to be made.
    private func attemptFailed(_ failure: ExchangeFailure, phase: StaticString) -> Bool {
        let mark = mark(failure.reason, errno: failure.errno)
        request.log(failure.level, failure.message, errno: failure.errno, while: phase, mark: mark)
        let detail = failure.kind == .invalidHeader || failure.isBind ? failure.message : ""
        if value.isReused, failure.kind == .error, !hasAnswerBytes, let connection = value.connection {
            connection.noteClosed(idle: connection.value.idleBefore)
            value.metDeadConnection = true
        }
        if failure.isOurs {
            // 500, as in nginx.
            tell(mark, .failedToClient, status: 500, detail: detail)
            finishAttempt(outcome: .neutral)
            giveUp(500)
            return false
        }
        let status = RetryPolicy.status(for: failure.kind)
        let decision = decide(failure.kind)
        withStat { $0.status = status }
        switch decision {
        case .tryNext(let outcome, let isFree):
            tell(mark, .retried, detail: detail)
            goOn(after: outcome, isFree: isFree, phase: phase)
            return true
        case .giveUp(_, let outcome, _):
            // A request of which nothing got out has lost nothing by waiting for a connection in vain.
            let isRepeatable = (failure.kind == .error || value.headSent == 0) && mayWait(failure.kind)
            finishAttempt(outcome: outcome, phase: phase)
            dropConnection()
            switch isRepeatable ? waitForPeer(isBusy: false) : nil {
            case .waits?:
                tell(mark, .parked, detail: detail)
                return false
            case .refused(let reason, let retryAfter)?:
                tell(mark, .failedToClient, status: refusalStatus, detail: detail)
                refuse(.refused(reason, retryAfter: retryAfter))
                return false
            case nil: break
            }
            tell(mark, request.value.isHeaderSent ? .cut : .failedToClient, status: status, detail: detail)
            giveUp(status)
            return false
        case .passAnswer:
            tell(mark, .failedToClient, status: status, detail: detail)
            giveUp(status)
            return false
        }
    }

    /// Leaves the attempt behind; the next one follows. With `isFree` it has cost no try.
    func goOn(after outcome: AttemptOutcome, isFree: Bool, phase: StaticString) {
        worker.value.counters.retried += 1
        finishAttempt(outcome: outcome, phase: phase)
        if isFree { value.attempt.grantTry() }
        if upstream.value.isGuarded { _ = upstream.value.budget.takeRetry(now: now) }
        dropConnection()
    }

    /// Whether only the want of another peer keeps a failed attempt from being repeated, and an app may bring one.
    func mayWait(_ kind: AttemptFailure) -> Bool {
        guard upstream.value.parking.settings.followsOutlook else { return false }
        guard case .tryNext = decide(kind, asIfAnotherPeer: true) else { return false }
        guard let head = value.head, value.headSent >= head.count, !value.isRescued else { return true }
        value.replays += 1
        return value.replays <= Self.replaysMax
    }

    private var hasAnswerBytes: Bool { value.hasHead || value.interimCount > 0 || (value.input?.count ?? 0) > 0 }

    /// Asks the retry policy.
    /// - Parameter asIfAnotherPeer: what it would say if there were a peer that was not tried.
    func decide(_ kind: AttemptFailure, asIfAnotherPeer: Bool = false) -> RetryDecision {
        var facts = AttemptFacts()
        facts.isNonIdempotent = !value.method.isIdempotent && !(proxy.value.replaysWithKey && value.hasIdempotencyKey)
        facts.isRescued = value.isRescued
        let headCount = value.head?.count ?? 0
        facts.head = value.headSent == 0 ? .notStarted : value.headSent < headCount ? .partial : .complete
        facts.isBodyLost = value.isBodyLost
        facts.isReused = value.isReused
        facts.hasAnswerBytes = hasAnswerBytes
        facts.isAnswerStarted = request.value.isHeaderSent
        facts.elapsed = now - Machine.Milliseconds(value.startedAt)
        if asIfAnotherPeer { return RetryPolicy.decide(kind, facts, proxy.value.retry, triesLeft: 2) }
        return RetryPolicy.decide(
            kind, facts, proxy.value.retry, triesLeft: Int(value.attempt.triesLeft), isLone: upstream.value.balancer.isSingle,
            hasBudget: hasRetryBudget)
    }

    /// Guarded upstreams bound the share of repetitions.
    var hasRetryBudget: Bool { !upstream.value.isGuarded || upstream.value.budget.retriesLeft(now: now) > 0 }

    private func noLivePeer(isBusy: Bool) {
        if waitForNames() { return }
        if let parked = waitForPeer(isBusy: isBusy) { return refuse(parked) }
        addFailedStat(502)
        value.shownPeer = -1
        let mark = mark(.poolEmpty)
        request.log(.error, "no live upstreams", while: "connecting to upstream", mark: mark)
        tell(mark, .failedToClient, status: 502)
        giveUp(502)
    }

    /// No further attempt: the request gets a status.
    func giveUp(_ status: Int) {
        // Nobody gets the answer of a post_action.
        if (502...504).contains(status), !request.value.isPostAction { worker.value.counters.failed += 1 }
        if request.isMain { request.value.failure.isOurs = true }
        leaveQueue()
        dropConnection()
        endBalancing()
        value.state = .finished
        if request.value.isHeaderSent { return request.abort(status: status) }
        request.finish(.status(status))
    }
}
