internal import Config
internal import CLinux
internal import Glibc

/// The file with the supervisor's process id.
enum PidFile {
    /// What USR2 adds to the name of the old binary's file.
    static let oldSuffix = ".oldbin"

    /// Writes the file whole, by a new file and a rename: whoever sees it can read the number at once.
    static func write(_ path: String, process: Int32, log: ErrorLog) throws(PreparationError) {
        warnOfOther(path, process: process, log: log)
        let temporary = path + ".\(process).new"
        do throws(SystemError) {
            // A left-over of the same name could be a link to somewhere else.
            try? System.remove(temporary)
            let file = try System.open(temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
            try System.write(Array("\(process)\n".utf8), to: file.number)
            try System.rename(temporary, to: path)
        } catch {
            try? System.remove(temporary)
            log.write(.emergency, "open() \"\(path)\" failed", error)
            throw PreparationError()
        }
    }

    /// Another supervisor that was started with the same file serves on, but nobody finds it any more.
    private static func warnOfOther(_ path: String, process: Int32, log: ErrorLog) {
        guard let other = (try? System.readFile(path, bytesMax: 64)).flatMap(parse), other != process,
            let line = try? System.readFile("/proc/\(other)/cmdline", bytesMax: 65_536)
        else { return }
        let title = String(decoding: line.prefix { $0 != 0 }, as: UTF8.self)
        guard let end = title.firstRange(of: ": master process ")?.lowerBound else { return }
        log.write(
            .warning, """
                "\(path)" was the file of \(title[..<end]) process \(other), which still runs: "-s" no longer finds that one. Give each a \
                "pid" file of its own
                """)
    }

    /// Whether the file could be written, for `-t`. Leaves nothing behind.
    static func check(_ path: String, log: ErrorLog) throws(PreparationError) {
        let existed = System.exists(path)
        do throws(SystemError) {
            _ = try System.open(path, flags: O_RDWR | O_CREAT)
            if !existed { try System.remove(path) }
        } catch {
            log.write(.emergency, "open() \"\(path)\" failed", error)
            throw PreparationError()
        }
    }

    /// The process id in the file.
    /// - Throws: `PreparationError` when there is none; the reason is logged.
    static func read(_ path: String, log: ErrorLog) throws(PreparationError) -> Int32 {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try System.readFile(path)
        } catch {
            log.write(.error, "open() \"\(path)\" failed", error)
            throw PreparationError()
        }
        guard let process = parse(bytes) else {
            let shown = String(decoding: bytes.prefix(20).prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
            log.write(.error, "invalid PID number \"\(shown)\" in \"\(path)\"")
            throw PreparationError()
        }
        return process
    }

    /// A positive number, followed by nothing but line ends.
    static func parse(_ bytes: [UInt8]) -> Int32? {
        let digits = bytes.reversed().drop { $0 == 10 || $0 == 13 }.reversed()
        guard digits.first != UInt8(ascii: "+"), let process = Int32(String(decoding: digits, as: UTF8.self)), process > 0
        else { return nil }
        return process
    }

    /// Removes the file, unless it is another process's by now.
    static func remove(_ path: String, of process: Int32 = System.process, log: ErrorLog) {
        let written = (try? System.readFile(path, bytesMax: 64)).flatMap(parse)
        guard written == nil || written == process else { return }
        do throws(SystemError) {
            try System.remove(path)
        } catch {
            log.write(.alert, "unlink() \"\(path)\" failed", error)
        }
    }
}
