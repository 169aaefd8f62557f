import Config
import Glibc
import Loop
import Wire

/// From URIs to files: root, alias, and opening under disable_symlinks (nginx: ngx_http_map_uri_to_path, ngx_open_cached_file).
extension Ref where Value == Request {
    var files: Ref<FileRuntime> { @inline(__always) get { location.value.files! } }

    /// `root` or `alias` as evaluated, absolute.
    var documentRoot: ByteView {
        let root = evaluate(files.value.root)
        guard files.value.rootMayBeRelative, root.first != 0x2f else { return root }
        return compose { out in
            out.append(text: worker.value.http.value.configuration.value.prefix)
            out.append(root)
        }
    }

    /// `documentRoot` without links; nil, after an error line, if it does not exist.
    var realPathRoot: ByteView? {
        let root = documentRoot
        let (path, code) = File.realPath(root)
        if let path { return keep(path) }
        log(.critical, "realpath() \"\(root.string)\" failed", errno: code)
        return nil
    }

    /// The file for the request's path; empty if there can be none.
    var requestFilename: ByteView { mappedPath() ?? ByteView() }

    /// The file for the request's path. nil, after an error line, where `alias` stands for a prefix that a rewrite took away.
    func mappedPath() -> ByteView? {
        let files = files
        guard let replaced = files.value.replacedPrefixLength else {
            return value.addsPathToAlias ? joined(documentRoot, value.uri) : documentRoot
        }
        if replaced > 0, !value.isLocationValid || value.uri.count < replaced {
            log(.alert, "\"alias\" cannot be used in location \"\(location.value.name.string)\" where URI was rewritten")
            return nil
        }
        return joined(documentRoot, value.uri.dropFirst(replaced))
    }

    func joined(_ first: ByteView, _ second: ByteView) -> ByteView {
        if second.isEmpty { return first }
        let chunk = value.arena.room(for: first.count + second.count, pool)
        let start = chunk.value.end
        chunk.append(first)
        chunk.append(second)
        return chunk.whole[start..<chunk.value.end]
    }

    // MARK: - Opening

    /// Opens a file for reading, under the location's policy about links.
    func openFile(_ path: ByteView) -> File.Opened {
        let (links, trusted) = linkPolicy(path)
        return File.openForReading(path, links: links, trusted: trusted)
    }

    /// What is at a path, under the location's policy about links.
    func fileInfo(_ path: ByteView) -> (info: FileInfo?, errno: Int32, call: StaticString) {
        let (links, trusted) = linkPolicy(path)
        return File.info(at: path, links: links, trusted: trusted)
    }

    private func linkPolicy(_ path: ByteView) -> (File.LinkPolicy, Int) {
        let files = files
        guard files.value.links != .follow else { return (.follow, 0) }
        guard let text = files.value.trustedPath else { return (files.value.links, 0) }
        let from = evaluate(text)
        guard !from.isEmpty, path.hasPrefix(from) else { return (files.value.links, 0) }
        if from.count == path.count { return (.follow, 0) }
        if path[from.count] == 0x2f { return (files.value.links, from.count) }
        return (files.value.links, from.last == 0x2f ? from.count - 1 : 0)
    }

    /// The status for a file or directory that cannot be opened, after an error line.
    func statusOfFailure(_ call: StaticString, _ path: ByteView, _ code: Int32, logsMissing: Bool) -> Int {
        switch code {
        case ENOENT, ENOTDIR, ENAMETOOLONG:
            if logsMissing { log(.error, "\(call) \"\(path.string)\" failed", errno: code) }
            return 404
        case EACCES, EMLINK, ELOOP:
            log(.error, "\(call) \"\(path.string)\" failed", errno: code)
            return 403
        default:
            log(.critical, "\(call) \"\(path.string)\" failed", errno: code)
            return 500
        }
    }

    /// By the extension of the URI, else default_type. Immortal.
    func contentTypeOfURI() -> ByteView {
        let files = files
        let fileExtension = URI.fileExtension(of: value.uri)
        if !fileExtension.isEmpty, let type = files.value.types.find(fileExtension) { return type }
        return files.value.defaultType
    }
}
