import Config
import Glibc
import Loop
import Wire

/// How a handler ends its work on a request.
enum Completion {
    /// Answer with this status: an error page, a redirect, or nothing but a head.
    case status(Int)
    /// The whole answer is in the output queue.
    case done
}

extension Ref where Value == Request {
    /// The end of a handler's work (nginx: ngx_http_finalize_request).
    func finish(_ completion: Completion) {
        if value.subrequests.stub != nil, finishWithStub(completion) { return }
        switch completion {
        case .done:
            if !value.filters.isEmpty || value.pendingSubrequests > 0, isHeldBack {
                value.subrequests.isFinishing = true
                return flush()
            }
            value.isResponseComplete = true
            if !isMain { return subrequestDone() }
            flush()
        case .status(let status):
            if !isMain, !value.isErrorPage || value.isHeaderSent {
                if status < 300 || value.isHeaderSent { return finish(.done) }
            }
            if value.isHeaderSent { return abort(status: status) }
            if status == 444 { return closeWithoutAnswer(444) }
            answer(status)
        }
    }

    /// Gives an answer for a status: by error_page, else the built-in page (nginx: ngx_http_special_response_handler).
    private func answer(_ status: Int) {
        switch status {
        case 400, 413, 414, 500, 501, 494, 495, 496, 497: value.isKeepalive = false
        default: break
        }
        value.response.status = status
        // After ten changes of the URI nothing but a built-in page can end it.
        if !value.isErrorPage, value.uriChangesLeft > 0, !location.value.settings.value.core.errorPages.isEmpty {
            if !location.value.settings.value.core.isRecursiveErrorPages { value.isErrorPage = true }
            if let page = errorPage(for: status) { return redirectToErrorPage(page, status) }
        }
        value.errorStatus = 0
        sendBuiltinPage(status)
    }

    /// The first error_page for a status, as an index.
    func errorPage(for status: Int) -> Int? {
        let settings = location.value.settings
        for index in settings.value.core.errorPages.indices where settings.value.core.errorPages[index].status == status { return index }
        return nil
    }

    private func redirectToErrorPage(_ index: Int, _ status: Int) {
        let page = location.value.settings.value.core.errorPages[index]
        let target = evaluate(page.target)
        let overwritten: Int
        switch page.change {
        case .keep: overwritten = 0
        case .to(let code): overwritten = code
        case .fromResponse: overwritten = -1
        }
        if target.first == 0x2f || target.first == 0x40 {
            let location = value.response.location
            value.response.clearForErrorPage()
            value.response.location = location
            value.response.status = status
            // The page is served with the error's status, unless `=code` or `=` (the page's own) says otherwise.
            value.errorStatus = overwritten == 0 ? status : max(0, overwritten)
            if target.first == 0x40 { return redirectToNamed(target) }
            if value.method != .head {
                value.method = .get
                value.methodName = "GET"
            }
            var path = target
            var arguments = page.arguments.map { keep($0) } ?? ByteView()
            if page.arguments == nil, let mark = target.firstIndex(of: 0x3f) {
                arguments = target.dropFirst(mark + 1)
                path = target.prefix(mark)
            }
            return internalRedirect(to: path, arguments: arguments)
        }
        // Another site: a redirect, 302 unless the page says another redirect code.
        let code = [301, 302, 303, 307, 308].contains(overwritten) ? overwritten : 302
        value.response.clearForErrorPage()
        value.response.location = target
        value.response.status = code
        value.errorStatus = 0
        sendBuiltinPage(code)
    }

    /// nginx's own small page, or only a head where the status has none.
    private func sendBuiltinPage(_ status: Int) {
        if sendsRefresh(insteadOf: status) { return }
        let shown = StatusText.shown(status)
        let location = value.response.location
        value.response.clearForErrorPage()
        value.response.location = location
        value.response.status = shown
        guard let text = StatusText.page(status) else {
            value.response.contentLength = 0
            guard sendHeader() else { return }
            emit(nil, isLast: true)
            return finish(.done)
        }
        let buffer = pool.value.take(1024)
        buffer.append("<html>\r\n<head><title>")
        buffer.append(text)
        buffer.append("</title></head>\r\n<body>\r\n<center><h1>")
        buffer.append(StatusText.page(shown) ?? text)
        buffer.append("</h1></center>\r\n")
        if let detail = StatusText.detail(status) { buffer.append(detail) }
        buffer.append("<hr><center>")
        appendServerName(buffer)
        buffer.append("</center>\r\n")
        if let incident = value.failure.incident, (502...504).contains(status) { appendIncident(incident, buffer) }
        buffer.append("</body>\r\n</html>\r\n")
        if shown >= 400, self.location.value.settings.value.core.msiePadding, !userAgent.isDisjoint(with: [.internetExplorer, .chrome]) {
            for _ in 0..<6 { buffer.append("<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n") }
        }
        value.response.setContentType("text/html")
        respond(Segment(buffer.view, owner: buffer))
    }

    /// Sends an answer whose whole body lies in memory, and ends the handler's work.
    func respond(_ body: Segment) {
        let pool = pool
        value.response.contentLength = body.count
        guard sendHeader() else {
            if let buffer = body.buffer { pool.value.give(buffer) }
            return
        }
        emit(body, isLast: true)
        finish(.done)
    }

    private func appendServerName(_ buffer: Ref<Buffer>) {
        buffer.append(location.value.sendsServerToken == .off ? worker.value.identity.serverName : worker.value.identity.serverToken)
    }

    /// The connection is closed with no byte of an answer (`return 444`).
    func closeWithoutAnswer(_ status: Int) {
        value.response.status = status
        resetIfConfigured()
        end(closing: true)
    }

    /// reset_timedout_connection: the connection ends with RST, and the kernel keeps nothing of it.
    func resetIfConfigured() {
        if location.value.resetsTimedOut { Socket.resetOnClose(connection.value.descriptor) }
    }

    /// The answer cannot be completed: the connection is cut, so that the client sees that it is not complete.
    func abort(status: Int) {
        if let parent = value.parent, value.phase != .finished { return parent.main.abort(status: status) }
        guard value.phase != .finished || !value.isResponseComplete else { return end(closing: true) }
        if !value.isHeaderSent { value.response.status = status }
        value.isAborted = true
        if let exchange = value.exchange { exchange.detach() }
        end(closing: true)
    }

    /// The last step: log line, slot given back, connection kept or closed.
    func end(closing: Bool) {
        let connection = connection
        if !closing, value.isKeepalive || location.value.lingeringClose == .always, drainBody() == .waiting { return }
        if let keepalive = value.keepaliveAfterPostAction {
            value.isKeepalive = keepalive
            value.phase = .finished
        }
        if value.phase != .finished || !value.isLogged {
            value.phase = .finished
            value.isLogged = true
            writeAccessLog()
        }
        if !closing || connection.value.isBroken, startPostAction() { return }
        releaseLimits()
        if value.failure.count > 0 { endFailure() }
        let bodyIsDone = value.body.state == .complete && !value.body.discardsNothing
        // What the client has got is no whole answer: it is cut, and nothing more is read.
        if closing, value.isAborted || !value.isHeaderSent { connection.value.isBroken = true }
        let keepalive = !closing && value.isKeepalive && bodyIsDone && !connection.value.isBroken
        let linger = !keepalive && !connection.value.isBroken && shouldLinger
        let location = location
        let worker = worker
        reset()
        worker.value.requests.give(self)
        connection.requestEnded(keepalive: keepalive, lingering: linger, location: location)
        if keepalive, !connection.value.isInHeadLoop, connection.value.state == .idle,
            connection.value.isReadable || (connection.value.input?.count ?? 0) > 0 {
            connection.process()
        }
    }

    private enum Drained { case done, waiting }

    /// Reads the unread rest of a body before the connection is used again.
    private func drainBody() -> Drained {
        // An answer may come before a body that is passed on as it arrives was read: the rest of it goes the same way.
        guard [.unread, .streaming, .discarding].contains(value.body.state), !value.body.discardsNothing else { return .done }
        if value.body.expectsContinue, value.body.received == 0, value.body.state == .unread {
            // 100 was never sent, so the client may never send its body: only closing is safe.
            value.isKeepalive = false
            return .done
        }
        if !value.isLogged {
            value.phase = .finished
            value.isLogged = true
            writeAccessLog()
        }
        value.phase = .readingHead // so that discard() does not end by itself
        let gone = discard()
        value.phase = .finished
        if gone || value.body.state == .failed { return .done }
        connection.beginDraining(location)
        return .waiting
    }

    private var shouldLinger: Bool {
        switch location.value.lingeringClose {
        case .off: return false
        case .always: return true
        case .on:
            if value.response.status == 400, value.isBadHead { return false }
            if value.body.state != .complete || (connection.value.input?.count ?? 0) > 0 { return true }
            // A body that was read to its last byte has not met the end of what is there yet.
            return connection.value.isReadable && Socket.peek(connection.value.descriptor) > 0
        }
    }
}
