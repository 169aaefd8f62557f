import Config
import Glibc
import Loop
import Wire

/// Open log files whose paths have variables (`open_log_file_cache`), one set per location that has a cache.
struct DynamicLogCache {
    private struct Entry {
        /// -1: not used often enough to stay open.
        var descriptor: Int32 = -1
        var uses = 0
        var usedAt: UInt64 = 0
        /// Order of the last uses.
        var serial: UInt64 = 0
        var openedAt: UInt64 = 0
    }

    private let settings: LogFileCache
    private var entries: [[UInt8]: Entry] = [:]
    private var serial: UInt64 = 0
    /// When unused files were last looked for.
    private var sweptAt: UInt64 = 0

    init(_ settings: LogFileCache) { self.settings = settings }

    /// A descriptor for a path, opened if needed.
    /// - Returns: the descriptor or -errno, and whether the caller closes it after use.
    mutating func open(_ path: ByteView, now: UInt64) -> (descriptor: Int32, isTemporary: Bool) {
        let key = path.array
        dropUnused(now: now)
        var entry = entries[key] ?? Entry()
        if entry.descriptor >= 0, now >= entry.openedAt + UInt64(settings.valid) * 1000 {
            Socket.close(entry.descriptor)
            entry.descriptor = -1
        }
        entry.uses += 1
        entry.usedAt = now
        serial += 1
        entry.serial = serial
        if entry.descriptor >= 0 {
            entries[key] = entry
            return (entry.descriptor, false)
        }
        let descriptor = File.openForAppending(path)
        guard descriptor >= 0 else {
            entries[key] = nil
            return (descriptor, true)
        }
        let stays = entry.uses >= settings.usesMin
        if stays {
            entry.descriptor = descriptor
            entry.openedAt = now
        }
        if entries[key] == nil, entries.count >= settings.entryCountMax { dropOldest() }
        entries[key] = entry
        return (descriptor, !stays)
    }

    /// Closes all files, so that they are opened anew (USR1).
    mutating func closeAll() {
        for entry in entries.values where entry.descriptor >= 0 { Socket.close(entry.descriptor) }
        entries = [:]
    }

    private mutating func dropUnused(now: UInt64) {
        guard now >= sweptAt + 1000 else { return }
        sweptAt = now
        let limit = UInt64(settings.inactive) * 1000
        for (key, entry) in entries where now > entry.usedAt + limit { drop(key, entry) }
    }

    private mutating func dropOldest() {
        guard let oldest = entries.min(by: { $0.value.serial < $1.value.serial }) else { return }
        drop(oldest.key, oldest.value)
    }

    private mutating func drop(_ key: [UInt8], _ entry: Entry) {
        if entry.descriptor >= 0 { Socket.close(entry.descriptor) }
        entries[key] = nil
    }
}

extension Ref where Value == Request {
    /// Writes a line to a path that has variables. nginx's rule: nothing is written for a server whose root does not exist, so that
    /// a name made up by a client makes no file.
    func writeToDynamicPath(_ log: AccessLog) {
        guard case .dynamicFile(let template) = location.value.settings.value.log.targets[log.target].destination else { return }
        guard let root = builtin(.documentRoot), File.info(at: root).info?.kind == .directory else { return }
        let path = evaluate(template)
        guard !path.isEmpty, !path.contains(0) else { return }
        let file = worker.openDynamicLog(path, location)
        guard file.descriptor >= 0 else {
            return self.log(.critical, "open() \"\(path.string)\" failed", errno: -file.descriptor, while: "logging request")
        }
        let line = pool.value.take(1024)
        appendLine(log, to: line)
        line.append(0x0a)
        let written = File.append(line.view, to: file.descriptor)
        if written < line.count {
            let code = written < 0 ? Int32(-written) : 0
            self.log(.alert, "write() to \"\(path.string)\" was incomplete", errno: code, while: "logging request")
        }
        pool.value.give(line)
        if file.isTemporary { Socket.close(file.descriptor) }
    }
}

extension Ref where Value == Worker {
    fileprivate func openDynamicLog(_ path: ByteView, _ location: Ref<Location>) -> (descriptor: Int32, isTemporary: Bool) {
        guard let settings = location.value.settings.value.log.fileCache else { return (File.openForAppending(path), true) }
        let id = location.value.id
        if value.log.dynamicLogs[id] == nil { value.log.dynamicLogs[id] = DynamicLogCache(settings) }
        return value.log.dynamicLogs[id]!.open(path, now: now)
    }

    /// Files whose paths have variables are opened anew with their next line.
    func reopenDynamicLogs() { for id in value.log.dynamicLogs.keys { value.log.dynamicLogs[id]?.closeAll() } }
}
