import Config
import Loop
import Wire

extension Request {
    /// Brings back the state in which an answer is begun; nothing of the one before is left.
    fileprivate mutating func beginAnswerAgain() {
        isDelayed = false
        resumption = .none
        // Whoever waited for a 100 has had his answer.
        body.expectsContinue = false
        if !filters.isEmpty { filters.removeAll() }
        hasAnswerFilter = false
        response.clearForErrorPage()
        isHeaderSent = false
        isResponseComplete = false
        isChunked = false
        isTruncated = false
        isErrorPage = false
        errorStatus = 0
        uriChangesLeft = 11
    }
}

extension Ref where Value == Request {
    /// post_action: when the client has its answer, or is gone, another location is run, whose answer nobody gets
    /// (nginx: ngx_http_post_action). The connection waits for its end.
    /// - Returns: false if there is none.
    func startPostAction() -> Bool {
        guard isMain, !value.isPostAction, let location = value.location, let action = location.value.settings.value.core.postAction,
            value.isCounted, value.body.state == .complete, value.subrequests.all.isEmpty, !value.isBadHead, !worker.value.isOverdue
        else { return false }
        let target = evaluate(action)
        guard target.first == 0x2f || target.first == 0x40 else { return false }
        value.keepaliveAfterPostAction = value.isKeepalive && !connection.value.isBroken
        dropOutput()
        if value.timer != .none { worker.value.loop.timers.clear(value.timer) }
        connection.clearWriteTimer()
        if value.failure.count > 0 { endFailure() }
        value.beginAnswerAgain()
        if target.first == 0x40 {
            redirectToNamed(target)
        } else {
            internalRedirect(to: target, arguments: ByteView())
        }
        return true
    }
}
