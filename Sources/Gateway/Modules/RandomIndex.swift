import Glibc
import Loop
import Wire

/// Any file of a directory stands for it (nginx: ngx_http_random_index_module).
extension Ref where Value == Request {
    func serveRandomIndex() -> ContentOutcome {
        guard let path = mappedPath() else {
            finish(.status(500))
            return .answered
        }
        var chosen: ByteView?
        do throws(Directory.Failure) {
            let directory = try Directory(opening: path)
            chosen = try chooseFile(directory, path)
        } catch {
            let folder = path.count > 1 ? path.dropLast() : path
            finish(.status(statusOfFailure("opendir()", folder, error.errno, logsMissing: true)))
            return .answered
        }
        guard let chosen else { return .declined }
        internalRedirect(to: joined(value.uri, chosen), arguments: value.arguments)
        return .answered
    }

    /// Each file with the same probability, in one pass: the n-th replaces the choice with probability 1/n.
    private func chooseFile(_ directory: borrowing Directory, _ path: ByteView) throws(Directory.Failure) -> ByteView? {
        var chosen: ByteView?
        var count: UInt64 = 0
        while true {
            switch directory.next() {
            case .end: return chosen
            case .failed(let code): throw Directory.Failure(errno: code)
            case .entry(let entry):
                guard entry.name.first != 0x2e, isFile(entry, in: path) else { continue }
                count += 1
                if worker.value.random.next() % count == 0 { chosen = keep(entry.name) }
            }
        }
    }

    private func isFile(_ entry: Directory.Entry, in path: ByteView) -> Bool {
        switch entry.kind {
        case .regular: true
        case .link, .unknown: File.info(at: joined(path, entry.name)).info?.kind == .regular
        case .directory, .other: false
        }
    }
}
