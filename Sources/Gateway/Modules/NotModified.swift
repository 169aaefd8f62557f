import Config
import Loop
import Wire

/// Conditional requests (nginx: ngx_http_not_modified_filter_module).
extension Ref where Value == Request {
    /// Looks at If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since; turns an answer that the client has into 304.
    /// - Returns: false for 412.
    func passesConditions() -> Bool {
        guard value.response.status == 200, !value.response.skipsConditions else { return true }
        if let date = field(.ifUnmodifiedSince), !isUnmodified(since: date) { return false }
        if let tags = field(.ifMatch), !EntityTagList.matches(tags, tag: value.response.etag, weak: false) { return false }
        let date = field(.ifModifiedSince)
        let tags = field(.ifNoneMatch)
        if date == nil, tags == nil { return true }
        if let date, isModified(since: date) { return true }
        if let tags, !EntityTagList.matches(tags, tag: value.response.etag, weak: true) { return true }
        value.response.status = 304
        value.response.statusLine = nil
        value.response.contentType = nil
        value.response.contentTypeBare = nil
        value.response.contentLength = -1
        value.response.allowsRanges = false
        value.response.remove(.acceptRanges)
        value.response.remove(.contentEncoding)
        return true
    }

    /// A date that is none is older than everything.
    private func isUnmodified(since date: ByteView) -> Bool {
        guard value.response.lastModified >= 0, let since = HTTPDate.parse(date) else { return false }
        return since >= value.response.lastModified
    }

    private func isModified(since date: ByteView) -> Bool {
        guard value.response.lastModified >= 0, let since = HTTPDate.parse(date) else { return true }
        switch location.value.settings.value.core.ifModifiedSince {
        case .off: return true
        case .exact: return since != value.response.lastModified
        case .before: return since < value.response.lastModified
        }
    }
}
