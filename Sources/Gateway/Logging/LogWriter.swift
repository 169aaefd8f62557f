import Config
import Glibc
import Loop
import Wire

/// One error_log: where, and from which level on.
struct ErrorLogTarget {
    enum Sink {
        /// Index in the writer's files.
        case file(Int)
        case standardError
        case syslog(Int)
    }
    let sink: Sink
    let level: LogLevel
}

/// A log file with the lines of this loop tick: written by one call when the tick ends (D3), or when the buffer is full.
struct LogFile: ~Copyable {
    let path: String
    var descriptor: Int32
    let buffer: Ref<Buffer>
    /// 0: flush every tick; else access_log's `buffer=` size.
    var bufferSize = 0
    /// access_log's `flush=` in milliseconds, 0 none.
    var flushAfter: UInt64 = 0
    var flushAt: UInt64 = 0
    /// It is in the writer's list.
    var isDirty = false
    /// Level of access_log's `gzip=`, 0: plain.
    var gzipLevel = 0
    /// Its compressor, made with the first flush.
    var deflater: Ref<Deflater>?
    /// Whoever reads at the other end of a pipe is behind: lines are kept, and tried again at this time.
    var blockedUntil: UInt64 = 0
    /// What was written last ends in the middle of a line.
    var isCut = false
    /// Bytes lost because the disk was full or the descriptor broken, and when it was last said.
    var lostBytes: UInt64 = 0
    var complainedAt: UInt64 = 0
}

/// All logs of a worker. Files are opened by the supervisor, which may; paths with variables are opened here.
struct LogWriter: ~Copyable {
    var files: [Ref<LogFile>] = []
    /// Syslog targets of all logs.
    var syslogs: [Ref<SyslogTarget>] = []
    /// The time as syslog lines have it, made once per second.
    var syslogSecond: Int64 = -1
    let syslogTime = Ref<Buffer>.immortal(Buffer.clock())
    /// Open files with variables in their paths, by location.
    var dynamicLogs: [Int: DynamicLogCache] = [:]
    /// Files with lines not yet written.
    var dirty = Table<Int32>(capacity: 16)
    /// error_log of the main context.
    var errorLogs = FixedList<ErrorLogTarget>()
    /// The most verbose level any log takes: what is above is not even formatted.
    var lowestLevel = LogLevel.error.rawValue

    init() {}

    /// Index of a file by path, made if new.
    mutating func file(_ path: String, descriptor: Int32) -> Int {
        if let index = files.firstIndex(where: { $0.value.path == path }) { return index }
        files.append(Ref.immortal(LogFile(path: path, descriptor: descriptor, buffer: Ref.immortal(Buffer.forLog()))))
        return files.count - 1
    }

    /// Writes everything that is due. Called at the end of each tick.
    mutating func flush(now: UInt64, all: Bool = false) {
        if dirty.isEmpty { return }
        var kept = 0
        for position in dirty.indices {
            let index = dirty[position]
            let file = files[Int(index)]
            let isBlocked = file.value.blockedUntil > now
            // What was cut is tried again, however little it is.
            if !all, file.value.blockedUntil == 0, file.buffer.count > 0, file.buffer.count < file.value.bufferSize,
                file.value.flushAfter == 0 || now < file.value.flushAt {
                dirty[kept] = index
                kept += 1
                continue
            }
            if !isBlocked || all { file.flush(now: now) }
            guard file.value.blockedUntil <= now else {
                dirty[kept] = index
                kept += 1
                continue
            }
            file.value.isDirty = false
        }
        dirty.truncate(to: kept)
    }

    /// The worker ends: writes everything, and gives readers that are behind a second.
    mutating func finish(now: UInt64) {
        for _ in 0..<100 {
            flush(now: now, all: true)
            if dirty.isEmpty { return }
            usleep(10_000)
        }
        for position in dirty.indices { files[Int(dirty[position])].lose(now: now, "nobody reads") }
        dirty.removeAll()
    }

    /// Milliseconds until a buffer is due by its `flush=`, -1 if none is.
    func sleepLimit(now: UInt64) -> Int32 {
        var first = UInt64.max
        for position in dirty.indices {
            let file = files[Int(dirty[position])]
            if file.value.blockedUntil > 0 {
                // Whatever is due, it is not tried before.
                first = min(first, file.value.blockedUntil)
            } else if file.value.flushAfter > 0 {
                first = min(first, file.value.flushAt)
            }
        }
        if first == .max { return -1 }
        return first > now ? Int32(clamping: first - now) : 0
    }

    /// The buffer of a file, noted as having lines.
    mutating func buffer(of index: Int, now: UInt64) -> Ref<Buffer> {
        let file = files[index]
        if !file.value.isDirty {
            file.value.isDirty = true
            dirty.append(Int32(index))
        }
        if file.value.buffer.count == 0 {
            file.value.flushAt = now + file.value.flushAfter
        } else if file.value.buffer.count > 60_000, file.value.buffer.count > file.value.bufferSize, file.value.blockedUntil <= now {
            file.flush(now: now)
            file.value.flushAt = now + file.value.flushAfter
            // It stays in the list of dirty files: its next line comes at once.
        }
        return file.value.buffer
    }
}

extension Ref where Value == LogFile {
    var buffer: Ref<Buffer> { value.buffer }

    /// Most that is kept for a reader that is behind, and how often it is tried, in milliseconds.
    private static var keptMax: Int { 1 << 20 }
    private static var retryInterval: UInt64 { 20 }

    /// One write call, and one more after a short one: it says why. A full disk loses the lines, never a request; it is said once per
    /// minute. Pipes do not block: what they do not take is tried again, and lost when it is too much.
    func flush(now: UInt64) {
        guard value.buffer.count > 0 else { return }
        if value.gzipLevel > 0 { compress() }
        value.blockedUntil = 0
        while true {
            let bytes = value.buffer.view
            let n = value.descriptor >= 0 ? File.append(bytes, to: value.descriptor) : -Int(EBADF)
            if n == bytes.count {
                value.isCut = false
                return value.buffer.clear()
            }
            if n > 0 {
                value.isCut = value.gzipLevel == 0 && bytes[n - 1] != 0x0a
                value.buffer.consume(n)
                continue
            }
            guard n == -Int(EAGAIN), value.gzipLevel == 0, bytes.count <= Self.keptMax else {
                return lose(now: now, n < 0 ? "\(-n): \(Socket.errorText(Int32(-n)))" : "nothing was written")
            }
            value.buffer.compact()
            return value.blockedUntil = now + Self.retryInterval
        }
    }

    /// Gives up what is in the buffer: counted, and said once per minute.
    func lose(now: UInt64, _ reason: String) {
        value.lostBytes += UInt64(value.buffer.count)
        if now >= value.complainedAt + 60_000 || value.complainedAt == 0 {
            value.complainedAt = max(1, now)
            complain(reason)
        }
        value.buffer.clear()
        // The next line does not go on where the last one was cut.
        if value.isCut { value.buffer.append(0x0a) }
        value.isCut = false
    }

    /// To standard error, which is the error log: as a line of it.
    private func complain(_ reason: String) {
        let line = Ref<Buffer>.immortal(Buffer(capacity: 1024))
        defer { line.destroy() }
        let (second, process) = (LocalTime.now, ProcessRights.processID)
        line.write(reserving: 32) {
            HTTPDate.writeErrorLogTime(second, offsetSeconds: LocalTime.offset(at: second), into: &$0)
        }
        line.append(text: " [alert] \(process)#\(process): write() to \"\(value.path)\" failed (\(reason)), ")
        line.append(text: "\(value.lostBytes) bytes lost\n")
        _ = File.append(line.view, to: 2)
    }
}

extension Ref where Value == LogFile {
    /// The lines become one gzip member. Without memory they stay as they are.
    private func compress() {
        if value.deflater == nil {
            value.deflater = .make(Deflater.Settings(level: value.gzipLevel, windowBits: 15, memoryLevel: 8))
        }
        guard let deflater = value.deflater else { return }
        deflater.value.reset()
        var input = value.buffer.view
        let output = Ref<Buffer>.immortal(Buffer(capacity: input.count / 4 + 1024))
        defer { output.destroy() }
        while true {
            switch deflater.value.compress(&input, into: output, .finish) {
            case .ended:
                value.buffer.clear()
                return value.buffer.append(output.view)
            case .needsRoom, .needsInput: output.grow(by: 4096)
            case .failed: return
            }
        }
    }
}

extension Buffer {
    /// A buffer for log lines, grown when needed.
    static func forLog() -> Buffer { Buffer(capacity: 65_536 + 4096) }
}
