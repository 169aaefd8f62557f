import Config
import Glibc
import Loop
import Wire

/// Files as they are (nginx: ngx_http_static_module), behind those who may find another answer for the same path.
extension Ref where Value == Request {
    /// What a content handler says to the next one in row.
    enum ContentOutcome {
        case answered
        /// Not mine: the next may try.
        case declined
    }

    /// The content phase without a handler of the location's own: nginx's handlers for files, in its order.
    func serveFile() {
        if value.uri.last == 0x2f { return serveDirectory() }
        if location.value.settings.value.gzipStatic.mode != .off, case .answered = serveCompressedFile() { return }
        servePlainFile()
    }

    private func serveDirectory() {
        switch value.method {
        case .get, .head, .post:
            if location.value.settings.value.core.isRandomIndex, case .answered = serveRandomIndex() { return }
            if case .answered = serveIndex() { return }
            if value.method != .post, location.value.settings.value.autoindex.isEnabled { return serveAutoindex() }
        default: return finish(.status(405))
        }
        if let path = mappedPath() { log(.error, "directory index of \"\(path.string)\" is forbidden") }
        finish(.status(403))
    }

    private func servePlainFile() {
        guard value.method == .get || value.method == .head || value.method == .post else { return finish(.status(405)) }
        guard let path = mappedPath() else { return finish(.status(500)) }
        let opened = openFile(path)
        guard opened.descriptor >= 0 else {
            return finish(.status(statusOfFailure(opened.call, path, -opened.descriptor, logsMissing: files.value.logsNotFound)))
        }
        guard let info = File.info(opened.descriptor) else {
            Socket.close(opened.descriptor)
            return finish(.status(500))
        }
        switch info.kind {
        case .directory:
            Socket.close(opened.descriptor)
            redirectToDirectory()
        case .other:
            Socket.close(opened.descriptor)
            log(.critical, "\"\(path.string)\" is not a regular file")
            finish(.status(404))
        case .regular:
            if value.method == .post {
                Socket.close(opened.descriptor)
                return finish(.status(405))
            }
            sendFile(opened.descriptor, info, encoding: nil)
        }
    }

    /// Answers with an open file, which the request closes at its end.
    func sendFile(_ descriptor: Int32, _ info: FileInfo, encoding: ByteView?) {
        value.files.append(descriptor)
        guard !isMain || ignoreBody() else { return }
        value.response.status = 200
        value.response.contentLength = info.size
        value.response.lastModified = info.modified
        if files.value.hasETag { setETag(modified: info.modified, size: info.size) }
        if value.response.contentType == nil { value.response.setContentType(contentTypeOfURI()) }
        if let encoding { value.response.append("Content-Encoding", encoding, token: .contentEncoding) }
        value.response.allowsRanges = true
        guard sendHeader() else { return }
        emit(info.size > 0 ? Segment(file: descriptor, offset: 0, length: info.size) : nil, isLast: true)
        finish(.done)
    }

    /// `"MODIFIED-SIZE"`, both in hexadecimal.
    func setETag(modified: Int64, size: Int64) {
        value.response.append("ETag", compose { out in
            out.append(0x22)
            out.append(hexadecimal: UInt64(bitPattern: modified))
            out.append(0x2d)
            out.append(hexadecimal: UInt64(bitPattern: size))
            out.append(0x22)
        }, token: .etag)
    }

    private func redirectToDirectory() {
        value.response.location = compose { out in
            out.append(escapedPath(value.uri))
            out.append(0x2f)
            if !value.arguments.isEmpty {
                out.append(0x3f)
                out.append(value.arguments)
            }
        }
        finish(.status(301))
    }
}
