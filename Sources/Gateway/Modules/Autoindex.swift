import Config
import Glibc
import Loop
import Wire

/// Lists of directories (nginx: ngx_http_autoindex_module); the texts are in `AutoindexText.swift`.
extension Ref where Value == Request {
    func serveAutoindex() {
        guard var path = mappedPath() else { return finish(.status(500)) }
        if path.count > 1, path.last == 0x2f { path = path.dropLast() }
        let settings = location.value.settings.value.autoindex
        var format = settings.format
        var callback = ByteView()
        if format == .jsonp {
            guard let name = jsonpCallback() else { return finish(.status(400)) }
            callback = name
            if callback.isEmpty { format = .json }
        }
        let entries: [AutoindexEntry]
        do throws(Directory.Failure) {
            let directory = try Directory(opening: path)
            guard let found = collect(directory, path) else { return finish(.status(500)) }
            entries = found.sorted(by: AutoindexEntry.precedes)
        } catch {
            return finish(.status(statusOfFailure("opendir()", path, error.errno, logsMissing: true)))
        }
        guard !isMain || ignoreBody() else { return }
        value.response.status = 200
        value.response.setContentType(format.mediaType)
        if format == .xml { value.response.charset = "utf-8" }
        guard sendHeader() else { return }
        let buffer = pool.value.take(16384)
        switch format {
        case .html:
            let offset = settings.showsLocalTime ? LocalTime.offset(at: worker.value.loop.wallClock / 1000) : 0
            let isUTF8 = value.response.charset?.equalsIgnoringCase("utf-8") ?? false
            AutoindexHTML(showsExactSize: settings.showsExactSize, offset: offset, isUTF8: isUTF8).write(entries, of: value.uri, to: buffer)
        case .json: AutoindexJSON.write(entries, callback: nil, to: buffer)
        case .jsonp: AutoindexJSON.write(entries, callback: callback, to: buffer)
        case .xml: AutoindexXML.write(entries, to: buffer)
        }
        emit(Segment(buffer.view, owner: buffer), isLast: true)
        finish(.done)
    }

    /// The value of the argument `callback`; empty if there is none, nil if it is no name.
    private func jsonpCallback() -> ByteView? {
        guard !value.arguments.isEmpty, let name = URI.argument("callback", in: value.arguments) else { return ByteView() }
        if name.count > 128 {
            log(.info, "client sent too long callback name: \"\(escapedForLog(name))\"")
            return nil
        }
        for index in 0..<name.count {
            switch name[index] {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2e: continue
            default:
                log(.info, "client sent invalid callback name: \"\(escapedForLog(name))\"")
                return nil
            }
        }
        return name
    }

    /// All entries that do not begin with a dot; nil, after an error line, if the directory cannot be read.
    private func collect(_ directory: borrowing Directory, _ path: ByteView) -> [AutoindexEntry]? {
        var entries: [AutoindexEntry] = []
        let folder = joined(path, "/")
        while true {
            switch directory.next() {
            case .end: return entries
            case .failed(let code):
                log(.critical, "readdir() \"\(path.string)\" failed", errno: code)
                return nil
            case .entry(let entry):
                if entry.name.first == 0x2e { continue }
                let file = joined(folder, entry.name)
                var (info, code) = File.info(at: file)
                if info == nil, code != ENOENT, code != ELOOP {
                    log(.critical, "stat() \"\(file.string)\" failed", errno: code)
                    if code == EACCES { continue }
                    return nil
                }
                // A link that leads nowhere is shown as it is.
                if info == nil { (info, code) = File.linkInfo(at: file) }
                guard let info else {
                    if code == ENOENT { continue } // Gone in between.
                    log(.critical, "lstat() \"\(file.string)\" failed", errno: code)
                    return nil
                }
                entries.append(AutoindexEntry(name: file.dropFirst(folder.count), kind: info.kind, modified: info.modified, size: info.size))
            }
        }
    }
}

/// One line of a list. The name lies in the request's arena.
struct AutoindexEntry {
    let name: ByteView
    let kind: FileInfo.Kind
    let modified: Int64
    let size: Int64

    /// Directories first, then by bytes of the name.
    static func precedes(_ first: AutoindexEntry, _ second: AutoindexEntry) -> Bool {
        if (first.kind == .directory) != (second.kind == .directory) { return first.kind == .directory }
        let shorter = min(first.name.count, second.name.count)
        for index in 0..<shorter where first.name[index] != second.name[index] { return first.name[index] < second.name[index] }
        return first.name.count < second.name.count
    }
}

extension AutoindexSettings.Format {
    var mediaType: ByteView {
        switch self {
        case .html: "text/html"
        case .json: "application/json"
        case .jsonp: "application/javascript"
        case .xml: "text/xml"
        }
    }
}
