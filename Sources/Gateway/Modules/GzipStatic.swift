import Config
import Glibc
import Loop
import Wire

/// Files that were compressed beforehand (nginx: ngx_http_gzip_static_module).
extension Ref where Value == Request {
    func serveCompressedFile() -> ContentOutcome {
        guard value.method == .get || value.method == .head else { return .declined }
        let settings = location.value.settings
        let isAlways = settings.value.gzipStatic.mode == .always
        let isAccepted = isAlways || location.value.filters.map { acceptsGzip($0) } ?? false
        guard isAccepted || settings.value.gzip.hasVary else { return .declined }
        guard let plain = mappedPath() else {
            finish(.status(500))
            return .answered
        }
        let path = joined(plain, ".gz")
        let opened = openFile(path)
        guard opened.descriptor >= 0 else {
            // Without the compressed file the plain one is served, whatever the reason.
            _ = statusOfFailure(opened.call, path, -opened.descriptor, logsMissing: false)
            return .declined
        }
        if !isAlways, settings.value.gzip.hasVary { value.response.addsVary = true }
        guard isAccepted, let info = File.info(opened.descriptor), info.kind != .directory else {
            Socket.close(opened.descriptor)
            return .declined
        }
        guard info.kind == .regular else {
            Socket.close(opened.descriptor)
            log(.critical, "\"\(path.string)\" is not a regular file")
            finish(.status(404))
            return .answered
        }
        sendFile(opened.descriptor, info, encoding: "gzip")
        return .answered
    }
}
