import Config
import Glibc
import Loop
import Wire

/// proxy_store: a complete answer with status 200 is also kept as a file (nginx: ngx_http_upstream_store).
extension Ref where Value == Exchange {
    /// Opens the temporary file if this answer is to be stored.
    func beginStore() {
        value.storePath = nil
        // The answer to HEAD has no body that could be kept.
        guard value.status == 200, value.method != .head else { return }
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
        guard value.answer.contentLength.map({ Int64($0) == value.storeLength }) ?? true else { return dropStore() }
        let mode = UInt32(request.location.value.settings.value.proxy.storeAccess)
        describe(value.storeFile, mode)
        var result = File.rename(value.storeTemporary, to: path)
        if result == -ENOENT {
            makeDirectories(of: path, mode: mode | (mode & 0o444) >> 2)
            result = File.rename(value.storeTemporary, to: path)
        }
        if result == -EXDEV { result = copyStore(to: path, mode) }
        if result < 0 {
            let text = "rename() \"\(value.storeTemporary.string)\" to \"\(path.string)\" failed"
            request.log(.critical, text, errno: -result, while: "reading upstream")
            return dropStore()
        }
        Socket.close(value.storeFile)
        value.storeFile = -1
    }

    private func describe(_ file: Int32, _ mode: UInt32) {
        File.changeMode(file, mode)
        if value.lastModified >= 0 { File.changeTimes(file, modified: value.lastModified) }
    }

    /// The path is on another file system than the temporary file: a copy beside it gets the name (nginx: ngx_ext_rename_file).
    /// - Returns: 0 or -errno.
    private func copyStore(to path: ByteView, _ mode: UInt32) -> Int32 {
        let neighbour = request.compose {
            $0.append(path)
            $0.append(".")
            $0.append(decimal: UInt64(UInt32(bitPattern: getpid())))
        }
        let copy = File.createNew(neighbour)
        guard copy >= 0 else { return copy }
        defer { Socket.close(copy) }
        var result = File.copy(value.storeFile, count: value.storeLength, to: copy)
        describe(copy, mode)
        if result == 0 { result = File.rename(neighbour, to: path) }
        _ = File.remove(result == 0 ? value.storeTemporary : neighbour)
        return result
    }

    /// Nothing is kept.
    func dropStore() {
        guard value.storeFile >= 0 else { return }
        Socket.close(value.storeFile)
        _ = File.remove(value.storeTemporary)
        value.storeFile = -1
    }

    private func makeDirectories(of path: ByteView, mode: UInt32) {
        var offset = 0
        while let slash = path.firstIndex(of: 0x2f, from: offset + 1) {
            _ = File.makeDirectory(path.prefix(slash), mode: mode)
            offset = slash
        }
    }
}
