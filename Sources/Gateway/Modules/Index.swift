import Config
import Glibc
import Loop
import Wire

/// The file that stands for a directory (nginx: ngx_http_index_module).
extension Ref where Value == Request {
    func serveIndex() -> ContentOutcome {
        let files = files
        var directory: ByteView?
        var isTested = false
        for index in files.value.index.indices {
            let name = evaluate(files.value.index[index])
            if name.first == 0x2f {
                internalRedirect(to: name, arguments: value.arguments)
                return .answered
            }
            guard let folder = directory ?? mappedPath() else { return answer(500) }
            directory = folder
            let path = joined(folder, name)
            let (info, code, call) = fileInfo(path)
            if info != nil {
                internalRedirect(to: joined(value.uri, name), arguments: value.arguments)
                return .answered
            }
            switch code {
            case EMLINK, ELOOP: return answer(403)
            case ENOTDIR, ENAMETOOLONG, EACCES: return answer(indexError(path, code))
            default: break
            }
            if !isTested {
                if let status = testDirectory(folder, path) { return answer(status) }
                isTested = true
            }
            if code == ENOENT { continue }
            log(.critical, "\(call) \"\(path.string)\" failed", errno: code)
            return answer(500)
        }
        return .declined
    }

    private func answer(_ status: Int) -> ContentOutcome {
        finish(.status(status))
        return .answered
    }

    /// No index yet: is there a directory at all? A status if there is none.
    private func testDirectory(_ folder: ByteView, _ file: ByteView) -> Int? {
        let path = folder.count > 1 && folder.last == 0x2f ? folder.dropLast() : folder
        let (info, code, call) = fileInfo(path)
        if let info {
            if info.kind == .directory { return nil }
            log(.alert, "\"\(file.string)\" is not a directory")
            return 500
        }
        switch code {
        case EMLINK, ELOOP: return 403
        case ENOENT: return indexError(file, ENOENT)
        case EACCES: return nil // The first file was missing, not forbidden: the directory can be searched.
        default:
            log(.critical, "\(call) \"\(path.string)\" failed", errno: code)
            return 500
        }
    }

    private func indexError(_ path: ByteView, _ code: Int32) -> Int {
        if code == EACCES {
            log(.error, "\"\(path.string)\" is forbidden", errno: code)
            return 403
        }
        if files.value.logsNotFound { log(.error, "\"\(path.string)\" is not found", errno: code) }
        return 404
    }
}
