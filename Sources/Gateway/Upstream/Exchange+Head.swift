import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Exchange {
    /// Reads until the answer's head is complete (nginx: ngx_http_upstream_process_header).
    func readHead() {
        guard let connection = value.connection else { return }
        let input = value.input ?? pool.value.take(max(16384, proxy.value.bufferSize))
        value.input = input
        let phase: StaticString = "reading response header from upstream"
        while true {
            if input.room == 0 {
                // The buffer may be of an attempt in a location with a smaller proxy_buffer_size.
                guard input.count < proxy.value.bufferSize else { return tooBigHead(phase) }
                input.grow(by: proxy.value.bufferSize - input.count)
            }
            let room = input.room
            let n = input.receive(from: connection.value.descriptor)
            if n == Socket.wouldBlock {
                connection.value.isReadable = false
                return
            }
            if n <= 0 {
                connection.value.isReadable = false
                let failure = n == 0
                    ? ExchangeFailure(kind: .error, level: .error, message: "upstream prematurely closed connection")
                    : ExchangeFailure(kind: .error, level: .error, message: "recv() failed", errno: Int32(-n))
                return failed(failure, phase: phase)
            }
            if n < room, !connection.value.isPeerClosed { connection.value.isReadable = false }
            withStat { $0.bytesReceived += Int64(n) }
            switch parseHead(input, phase) {
            case .complete: return headComplete()
            case .failed: return
            case .needMore:
                guard connection.value.isReadable else {
                    connection.setTimer(after: proxy.value.readTimeout)
                    return
                }
            }
        }
    }

    private enum Parsed { case complete, needMore, failed }

    private func parseHead(_ input: Ref<Buffer>, _ phase: StaticString) -> Parsed {
        let reader = answerReader()
        while true {
            switch reader.value.parser.parse(input.view, fields: &value.fields) {
            case .needMore:
                if input.count >= proxy.value.bufferSize {
                    tooBigHead(phase)
                    return .failed
                }
                return .needMore
            case .failed(let error):
                let isHTTP = input.view.prefix(5) == ByteView("HTTP/")
                let reason = ReasonCode.badHead(error.reason, isHTTP: isHTTP)
                let message = error.message(input.view, isUpstream: true, pool)
                failed(ExchangeFailure(kind: .invalidHeader, level: .error, message: message, reason: reason), phase: phase)
                return .failed
            case .complete(let length):
                if length > proxy.value.bufferSize {
                    tooBigHead(phase)
                    return .failed
                }
                guard reader.value.parser.head.isInterim else {
                    value.headLength = length
                    value.answer = reader.value.parser.head
                    giveAnswerReader()
                    return .complete
                }
                // 100 Continue and the like are for us: nginx skips them as well.
                value.interimCount += 1
                if value.interimCount > ResponseHead.interimMax {
                    let message = "upstream sent too many interim responses"
                    failed(ExchangeFailure(kind: .invalidHeader, level: .error, message: message, reason: .responseInvalid), phase: phase)
                    return .failed
                }
                input.consume(length)
                input.compact()
                reader.value.parser = ResponseHeadParser(options: worker.value.responseHeadOptions)
                if input.count == 0 { return .needMore }
            }
        }
    }

    private func tooBigHead(_ phase: StaticString) {
        let message = "upstream sent too big header"
        failed(
            ExchangeFailure(kind: .invalidHeader, level: .error, message: message, reason: .responseTooBigHeader), phase: phase)
    }

    /// A complete head: next peer for some statuses, an error page of our own, or the answer for the client.
    private func headComplete() {
        guard let input = value.input, let connection = value.connection else { return }
        input.compact()
        let head = value.answer
        value.hasHead = true
        if request.value.failure.count > 0 { request.value.failure.isOurs = false }
        value.status = Int(head.status)
        let elapsed = Int64(worker.now &- (request.value.attempts.last?.startedAt ?? worker.now))
        withStat {
            $0.status = Int(head.status)
            $0.headerTime = elapsed
        }
        upstream.value.balancer.headerReceived(&value.attempt, headerTime: elapsed, now: now)
        if value.isReused { connection.noteAnswered() }
        if let seconds = head.keepAliveTimeoutSeconds {
            upstream.value.peers[connection.value.peer].learner.sawHeader(timeoutSeconds: Int(seconds))
        }
        if upstream.value.isGuarded { recordAnswer(connection.value.peer, isServerError: head.status >= 500) }
        if head.status == 101 {
            learnSessionFromHead()
            return startTunnel()
        }
        if head.status >= 300, retriesStatus() { return }
        setFraming(head)
        input.consume(value.headLength)
        if value.framing == .chunked, !isWellChunked(input.view) {
            let failure = ExchangeFailure(
                kind: .invalidHeader, level: .error, message: Self.badChunks, reason: .responseIllegalFraming)
            return failed(failure, phase: "reading upstream")
        }
        if holdsAnswer(input) { return }
        passAnswerOn()
    }

    static var badChunks: String { "upstream sent invalid chunked response" }

    /// Whether the part of a body that came with its head is framed as it must be. While nothing has gone to the client, another peer can
    /// still be asked, and the client gets a status instead of an answer that is cut.
    private func isWellChunked(_ bytes: ByteView) -> Bool {
        var decoder = value.decoder
        var rest = bytes
        while true {
            switch decoder.decode(rest) {
            case .data(let range): rest = rest.dropFirst(range.upperBound)
            case .needMore, .end: return true
            case .failed: return false
            }
        }
    }

    /// The answer is for the client, unless a page of ours stands in for it.
    func passAnswerOn() {
        if (502...504).contains(value.status) { noteAnswered(value.status) }
        if proxy.value.interceptsErrors, value.status >= 300, request.errorPage(for: value.status) != nil { return interceptError() }
        learnSessionFromHead()
        if redirectsInternally() { return }
        request.takeHeaders(self)
        // `proxy_method HEAD`: the length is that of a body which nobody sends.
        if value.method == .head, request.value.method != .head { request.value.response.contentLength = 0 }
        guard request.sendHeader() else { return }
        value.state = .relaying
        beginRelay()
    }

    /// The application itself answered 502, 503 or 504: told apart from ours.
    private func noteAnswered(_ status: Int) {
        let mark = mark(.appAnswered)
        tell(mark, .passedOn, status: status)
        if request.isMain { request.value.failure.receivedStatus = status }
    }

    /// Guarded upstreams judge their peers by their answers.
    func recordAnswer(_ peer: Int, isServerError: Bool) {
        let isPutOut = upstream.value.balancer.recordAnswer(peer: peer, isServerError: isServerError, now: now)
        if isPutOut { upstream.publishNews(of: peer, now: worker.now) }
    }

    /// A status in proxy_next_upstream: true if another attempt was started.
    private func retriesStatus() -> Bool {
        guard case .tryNext(let outcome, let isFree) = decide(.status(value.status)) else { return false }
        if value.status >= 500 { tell(mark(.appAnswered), .retried) }
        goOn(after: outcome, isFree: isFree, phase: "reading response header from upstream")
        value.hasHead = false
        tryNextPeer()
        return true
    }

    private func setFraming(_ head: ResponseHead) {
        value.decoder = ChunkedDecoder()
        value.framing = head.framing(answersHead: value.method == .head)
        value.remaining = value.framing == .length ? Int64(head.contentLength ?? 0) : 0
        value.isKeepalive = head.keepAlive && value.isRequestSent && !value.isSendBroken && value.framing != .untilClose
        // Not allowed (RFC 9112, 6.1 and 6.2): the body may follow, and would be the head of the next answer.
        if value.status == 204, head.isChunked || (head.contentLength ?? 0) > 0 { value.isKeepalive = false }
    }

    /// proxy_intercept_errors: the answer is thrown away and our error page served.
    private func interceptError() {
        let status = value.status
        let authenticate = status == 401 ? upstreamField(variable: "www_authenticate") : nil
        let hasNoBody = value.framing == .none || value.framing == .length && value.remaining == 0
        finishAttempt(outcome: .succeeded)
        if hasNoBody, value.input?.count == 0, canPark, let connection = value.connection {
            value.connection = nil
            connection.park()
        }
        dropConnection()
        endBalancing()
        value.state = .finished
        if let authenticate { request.value.response.append("WWW-Authenticate", request.keep(authenticate), token: .wwwAuthenticate) }
        request.finish(.status(status))
    }

    /// X-Accel-Redirect: the answer names a location of ours to serve instead.
    private func redirectsInternally() -> Bool {
        guard !proxy.value.ignored.contains(.accelRedirect),
            let target = value.fields.value(.xAccelRedirect, value.input!.whole) else { return false }
        let uri = request.keep(target)
        request.takeAccelHeaders(self)
        finishAttempt(outcome: .succeeded)
        dropConnection()
        endBalancing()
        value.state = .finished
        request.accelRedirect(to: uri)
        return true
    }
}
