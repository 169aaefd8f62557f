import Config
import Glibc
import Loop
import Wire

/// Files from disk (nginx: ngx_http_static_module, ngx_http_index_module, try_files).
extension Ref where Value == Request {
    /// root or alias as evaluated.
    var documentRoot: ByteView { evaluate(location.value.settings.value.core.root) }
    var realPathRoot: ByteView? { documentRoot }

    var requestFilename: ByteView { filePath(value.uri) }

    /// The file for a path: root + path, or alias + what follows the location's name.
    func filePath(_ path: ByteView) -> ByteView {
        let settings = location.value.settings
        let rest = settings.value.core.isAlias ? path.dropFirst(min(path.count, location.value.name.count)) : path
        return compose { out in
            out.append(evaluate(settings.value.core.root))
            out.append(rest)
        }
    }

    func serveFile() {
        if value.uri.last == 0x2f { return serveIndex() }
        guard value.method == .get || value.method == .head else { return finish(.status(405)) }
        let path = requestFilename
        let descriptor = File.openForReading(path)
        guard descriptor >= 0 else { return cannotOpen(path, -descriptor) }
        guard let info = File.info(descriptor) else {
            Socket.close(descriptor)
            return finish(.status(500))
        }
        if info.kind == .directory {
            Socket.close(descriptor)
            return redirectToDirectory()
        }
        guard info.kind == .regular else {
            Socket.close(descriptor)
            return finish(.status(404))
        }
        value.files.append(descriptor)
        value.response.status = 200
        value.response.contentLength = info.size
        value.response.lastModified = info.modified
        value.response.setContentType(contentTypeOfURI())
        value.response.allowsRanges = true
        sendHeader()
        if info.size > 0, !value.isHeaderOnly { emit(Segment(file: descriptor, offset: 0, length: info.size), isLast: true) }
        finish(.done)
    }

    private func redirectToDirectory() {
        let target = compose { out in
            out.append(value.uri)
            out.append(0x2f)
            if !value.arguments.isEmpty {
                out.append(0x3f)
                out.append(value.arguments)
            }
        }
        value.response.location = target
        finish(.status(301))
    }

    private func cannotOpen(_ path: ByteView, _ code: Int32) {
        switch code {
        case ENOENT, ENOTDIR, ENAMETOOLONG:
            if location.value.settings.value.core.logsNotFound { log(.error, "open() \"\(path.string)\" failed", errno: code) }
            finish(.status(404))
        case EACCES:
            log(.error, "open() \"\(path.string)\" failed", errno: code)
            finish(.status(403))
        default:
            log(.critical, "open() \"\(path.string)\" failed", errno: code)
            finish(.status(500))
        }
    }

    private func serveIndex() {
        for template in location.value.settings.value.core.index {
            let name = evaluate(template)
            if name.first == 0x2f { return internalRedirect(to: name, arguments: value.arguments) }
            let path = compose { out in
                out.append(requestFilename)
                out.append(name)
            }
            guard let info = File.info(at: path).info, info.kind != .directory else { continue }
            let uri = compose { out in
                out.append(value.uri)
                out.append(name)
            }
            return internalRedirect(to: uri, arguments: value.arguments)
        }
        let directory = requestFilename
        let (info, code) = File.info(at: directory)
        if info == nil { return cannotOpen(directory, code) }
        log(.error, "directory index of \"\(directory.string)\" is forbidden")
        finish(.status(403))
    }

    /// By the extension of the URI, else default_type.
    func contentTypeOfURI() -> ByteView {
        let settings = location.value.settings
        let fileExtension = lowercased(URI.fileExtension(of: value.uri))
        if !fileExtension.isEmpty, let type = settings.value.core.types[fileExtension.array] { return keep(type) }
        return keep(settings.value.core.defaultType)
    }

    func tryFiles() -> Step {
        guard let list = location.value.settings.value.core.tryFiles else { return .next }
        for candidate in list.candidates {
            let name = evaluate(candidate.path)
            let path = filePath(name)
            guard let info = File.info(at: path).info else { continue }
            guard (info.kind == .directory) == candidate.isDirectory else { continue }
            value.uri = name
            value.isURIValidUnparsed = false
            return .next
        }
        switch list.fallback {
        case .status(let status): return .finished(status)
        case .uri(let template):
            let target = evaluate(template)
            if target.first == 0x40 {
                redirectToNamed(target)
            } else {
                let (path, query) = URI.split(target)
                internalRedirect(to: path, arguments: query ?? value.arguments)
            }
            return .suspended
        }
    }

    func serveStubStatus() { finish(.status(404)) }
    func serveEmptyGIF() { finish(.status(404)) }
}
