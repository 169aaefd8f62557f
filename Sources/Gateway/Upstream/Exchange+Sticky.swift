import Loop
import Machine
import Messages
import Wire

/// Sessions that stay with their peer (nginx: ngx_http_upstream_sticky_module).
extension Ref where Value == Exchange {
    /// Reads what the request says of its peer or session. Once per exchange.
    func findStickyID() {
        value.stickyID = ByteView()
        value.stickyField = -1
        value.isSessionBound = false
        guard let sticky = upstream.value.sticky else { return }
        value.stickyID = firstNonEmpty(sticky.value.lookup)
    }

    /// The id of the peer that the next attempt should go to; empty: any.
    func stickyHint() -> ByteView {
        guard !value.stickyID.isEmpty, let sticky = upstream.value.sticky else { return ByteView() }
        guard sticky.value.method == .learn else { return value.stickyID }
        guard let (id, count) = sticky.value.sessions.peer(of: value.stickyID, now: now) else { return ByteView() }
        value.isSessionBound = true
        return request.compose { out in
            for index in 0..<count { out.append(id[index]) }
        }
    }

    private func firstNonEmpty(_ texts: FixedList<CompiledText>) -> ByteView {
        for index in texts.indices {
            let text = request.evaluate(texts[index])
            if !text.isEmpty { return text }
        }
        return ByteView()
    }

    // MARK: - cookie

    /// Tells the client the peer's id. The field of an earlier attempt is replaced; an error page of ours carries it as well.
    func setStickyCookie(peer: Int) {
        guard let sticky = upstream.value.sticky, let cookie = sticky.value.cookie else { return }
        let id = upstream.value.peers[peer].stickyID
        if id.isEmpty { return }
        let request = request
        let domain = cookie.domain.map { request.lineSafe(request.evaluate($0)) } ?? ByteView()
        let sameSite = cookie.sameSite.map { sameSiteWord($0) } ?? ByteView()
        let seconds = worker.value.loop.wallClock / 1000
        let text = request.compose { out in
            out.append(cookie.start)
            out.append(id)
            append(cookie.expiry, seconds, to: out)
            if !domain.isEmpty {
                out.append("; domain=")
                out.append(domain)
            }
            out.append(cookie.flags)
            if !sameSite.isEmpty {
                out.append("; samesite=")
                out.append(sameSite)
            }
            out.append(cookie.path)
        }
        let field = value.stickyField
        if field >= 0, field < request.value.response.fields.count {
            request.value.response.fields[field].value = text
        } else {
            value.stickyField = request.value.response.fields.count
            request.value.response.fields.append(HeaderField(name: "Set-Cookie", value: text, token: .setCookie))
        }
    }

    private func append(_ expiry: StickyCookie.Expiry, _ now: Int64, to out: Ref<Buffer>) {
        switch expiry {
        case .none: break
        case .never: out.append("; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000")
        case .after(let seconds):
            out.append("; expires=")
            out.write(reserving: HTTPDate.length) { writer in
                HTTPDate.writeCookieDate(now &+ seconds, into: &writer)
            }
            out.append("; max-age=")
            out.append(decimal: Int(seconds))
        }
    }

    /// A value from a variable must be one of the three; `strict` is the safe answer to anything else.
    private func sameSiteWord(_ text: CompiledText) -> ByteView {
        let word = request.evaluate(text)
        if text.constant != nil || word.isEmpty { return word }
        let isKnown = word.equalsIgnoringCase("strict") || word.equalsIgnoringCase("lax") || word.equalsIgnoringCase("none")
        return isKnown ? word : "strict"
    }

    // MARK: - learn

    /// The head of an answer is there, which is passed on.
    func learnSessionFromHead() {
        guard let sticky = upstream.value.sticky, sticky.value.learnsFromHead else { return }
        learnSession(sticky)
    }

    /// The running attempt came to a good end.
    func learnSessionAtEnd() {
        guard let sticky = upstream.value.sticky, sticky.value.method == .learn, !sticky.value.learnsFromHead else { return }
        learnSession(sticky)
    }

    /// Binds the answer's session to the peer. Without one, the request's own is prolonged, and moves to the peer that took it over. One
    /// that was unknown when the peer was picked does not move: what binds it now is news that came meanwhile.
    private func learnSession(_ sticky: Ref<StickyRuntime>) {
        guard value.attempt.isRunning else { return }
        var session = firstNonEmpty(sticky.value.create)
        let creates = !session.isEmpty
        if !creates, value.isSessionBound { session = value.stickyID }
        guard !session.isEmpty else { return }
        let peer = upstream.value.balancer.id(of: Int(value.attempt.peer))
        guard peer.count > 0 else { return }
        let isNews = sticky.value.sessions.learn(session, id: peer.id, idCount: peer.count, creates: creates, now: now)
        guard isNews else { return }
        let digest = SessionDigest(of: session)
        worker.report(.session(StickySession(
            zone: sticky.value.zone, digestHigh: digest.high, digestLow: digest.low, peer: (0..<peer.count).map { peer.id[$0] },
            idleMilliseconds: 0)))
    }
}
