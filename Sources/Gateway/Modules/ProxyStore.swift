import Config
import Glibc
import Loop
import Wire

/// proxy_store: a complete answer with status 200 is also kept as a file (nginx: ngx_http_upstream_store).
extension Ref where Value == Exchange {
    /// Opens the temporary file if this answer is to be stored.
    func beginStore() {
        value.storePath = nil
        guard value.status == 200 else { return }
        switch request.location.value.settings.value.proxy.store {
        case .off: return
        case .on: value.storePath = request.requestFilename
        case .path(let template): value.storePath = request.evaluate(template)
        }
        guard value.storeFile < 0, let made = worker.makeTempFile(request.location.value.settings.value.proxy.tempPath, for: request) else { return }
        value.storeFile = made.descriptor
        value.storeTemporary = made.path
        value.storeLength = 0
    }

    /// Writes a piece of the body.
    func store(_ bytes: ByteView) {
        guard value.storeFile >= 0 else { return }
        let written = File.write(bytes, to: value.storeFile, at: value.storeLength)
        if written < 0 {
            request.log(.critical, "pwrite() \"\(value.storeTemporary.string)\" failed", errno: -written, while: "reading upstream")
            return dropStore()
        }
        value.storeLength += Int64(bytes.count)
    }

    /// The answer is complete: the file gets its name.
    func endStore() {
        guard value.storeFile >= 0, let path = value.storePath else { return }
        let mode = request.location.value.settings.value.proxy.storeAccess
        File.changeMode(value.storeFile, UInt32(mode))
        if value.answer.contentLength.map({ Int64($0) == value.storeLength }) ?? true {
            if value.lastModified >= 0 { File.changeTimes(value.storeFile, modified: value.lastModified) }
            var result = File.rename(value.storeTemporary, to: path)
            if result == -ENOENT {
                makeDirectories(of: path)
                result = File.rename(value.storeTemporary, to: path)
            }
            if result < 0 {
                request.log(.critical, "rename() \"\(value.storeTemporary.string)\" to \"\(path.string)\" failed", errno: -result)
                _ = File.remove(value.storeTemporary)
            }
        } else {
            _ = File.remove(value.storeTemporary)
        }
        Socket.close(value.storeFile)
        value.storeFile = -1
    }

    /// Nothing is kept.
    func dropStore() {
        guard value.storeFile >= 0 else { return }
        Socket.close(value.storeFile)
        _ = File.remove(value.storeTemporary)
        value.storeFile = -1
    }

    private func makeDirectories(of path: ByteView) {
        var offset = 0
        while let slash = path.firstIndex(of: 0x2f, from: offset + 1) {
            _ = File.makeDirectory(path.prefix(slash), mode: 0o755)
            offset = slash
        }
    }
}
