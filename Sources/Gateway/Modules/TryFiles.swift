import Config
import Glibc
import Loop
import Wire

/// The first of several files that exists (nginx: ngx_http_try_files_module).
extension Ref where Value == Request {
    func tryFiles() -> Step {
        guard let fallback = location.value.settings.value.core.tryFiles?.fallback else { return .next }
        let files = files
        if (files.value.replacedPrefixLength ?? 0) > 0, mappedPath() == nil { return .finished(500) }
        let root = documentRoot
        for index in files.value.candidates.indices {
            let candidate = files.value.candidates[index]
            let name = withoutPrefix(evaluate(candidate.path), isConstant: candidate.path.constant != nil)
            let path = joined(root, name)
            let (info, code, call) = fileInfo(path)
            guard let info else {
                if code != ENOENT, code != ENOTDIR, code != ENAMETOOLONG { log(.critical, "\(call) \"\(path.string)\" failed", errno: code) }
                continue
            }
            guard (info.kind == .directory) == candidate.isDirectory else { continue }
            take(name, isDirectory: candidate.isDirectory)
            return .next
        }
        switch fallback {
        case .status(let status): return .finished(status)
        case .uri(let template):
            let target = withoutPrefix(evaluate(template), isConstant: template.isConstant)
            if target.first == 0x40 {
                redirectToNamed(target)
            } else {
                let (path, query) = URI.split(target)
                internalRedirect(to: path, arguments: query ?? ByteView())
            }
            return .suspended
        }
    }

    /// With `alias`, a name made from `$uri` begins with the location's prefix, for which the alias stands.
    private func withoutPrefix(_ name: ByteView, isConstant: Bool) -> ByteView {
        guard let prefix = files.value.replacedPrefixLength, prefix > 0, !isConstant, name.hasPrefix(value.uri.prefix(prefix)) else { return name }
        return name.dropFirst(prefix)
    }

    /// The file that was found becomes the request's path.
    private func take(_ name: ByteView, isDirectory: Bool) {
        guard let prefix = files.value.replacedPrefixLength else {
            guard !isDirectory else { return }
            value.uri = name
            value.addsPathToAlias = true
            value.isURIValidUnparsed = false
            return
        }
        let path = prefix > 0 ? joined(value.uri.prefix(prefix), name) : name
        if path != value.uri { value.isURIValidUnparsed = false }
        value.uri = path
    }
}
