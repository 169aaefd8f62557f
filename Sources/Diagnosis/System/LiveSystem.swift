import Foundation

/// This host.
package struct LiveSystem: SystemReader {
    package init() {}

    /// As `SystemReader` says.
    package func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// As `SystemReader` says.
    package func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] { try read(path, limit: limit, isTail: false) }

    /// As `SystemReader` says.
    package func tail(_ path: String, limit: Int) throws(SystemError) -> [UInt8] { try read(path, limit: limit, isTail: true) }

    private func read(_ path: String, limit: Int, isTail: Bool) throws(SystemError) -> [UInt8] {
        // Non-blocking, so that a FIFO or a device in a hostile place cannot hold us.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw SystemError(errno, path) }
        defer { close(descriptor) }
        if isTail {
            let size = lseek(descriptor, 0, SEEK_END)
            if size < 0 || lseek(descriptor, max(0, size - off_t(limit)), SEEK_SET) < 0 { throw SystemError(errno, path) }
        }
        let isRing = path == "/dev/kmsg"
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: isRing ? 8_192 : min(max(limit, 1), 65_536))
        while out.count < limit {
            let wanted = isRing ? chunk.count : min(chunk.count, limit - out.count)
            // SAFETY: `wanted` is at most the size of the chunk.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, wanted) }
            if count < 0 {
                if errno == EINTR || isRing && errno == EPIPE { continue }  // EPIPE: records were overwritten meanwhile
                if errno == EAGAIN { break }
                throw SystemError(errno, path)
            }
            if count == 0 { break }
            out.append(contentsOf: chunk[..<count])
        }
        return out
    }

    /// As `SystemReader` says.
    package func list(_ directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemError(errno, directory) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // SAFETY: d_name is a NUL-terminated string within the entry, valid until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            if names.count >= 100_000 { break }
        }
        return names.sorted()
    }

    /// As `SystemReader` says.
    package func link(_ path: String) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { memory in
            // SAFETY: the count is the buffer's own.
            unsafe readlink(path, memory.baseAddress!.assumingMemoryBound(to: CChar.self), memory.count)
        }
        guard count >= 0 else { throw SystemError(errno, path) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// As `SystemReader` says.
    package func sockets(of pid: Int32) throws(SystemError) -> [UInt64] {
        let path = "/proc/\(pid)/fd"
        guard let stream = unsafe opendir(path) else { throw SystemError(errno, path) }
        defer { unsafe closedir(stream) }
        let folder = unsafe dirfd(stream), mark = Array("socket:[".utf8)
        var target = [UInt8](repeating: 0, count: 48), inodes: [UInt64] = []
        while let entry = unsafe readdir(stream), inodes.count < 100_000 {
            // SAFETY: d_name is a NUL-terminated string within the entry, valid until the next readdir; the count is the buffer's own.
            let count = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe target.withUnsafeMutableBytes { memory in
                    unsafe readlinkat(
                        folder, UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self),
                        memory.baseAddress!.assumingMemoryBound(to: CChar.self), memory.count)
                }
            }
            guard count > mark.count, target.starts(with: mark) else { continue }
            let digits = target[mark.count..<count].prefix { $0 >= 48 && $0 <= 57 }
            inodes.append(digits.reduce(0) { $0 &* 10 &+ UInt64($1 - 48) })
        }
        return inodes
    }

    /// As `SystemReader` says.
    package func status(_ path: String) throws(SystemError) -> FileStatus {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { throw SystemError(errno, path) }
        return FileStatus(
            mode: info.st_mode, uid: info.st_uid, gid: info.st_gid, size: Int64(info.st_size),
            inode: UInt64(info.st_ino), device: UInt64(info.st_dev),
            modified: Timestamp(
                milliseconds: Int64(info.st_mtim.tv_sec) * 1_000 + Int64(info.st_mtim.tv_nsec) / 1_000_000))
    }

    /// As `SystemReader` says.
    package func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8] {
        try Subprocess.run(command, deadline: deadline, limit: limit)
    }

    /// As `SystemReader` says.
    package func stream(_ path: String, from offset: Int64, consume: (UnsafeBufferPointer<UInt8>) -> Bool)
        throws(SystemError)
    {
        try unsafe LogReader.read(path, from: offset, consume: consume)
    }

    /// As `SystemReader` says.
    package func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64 {
        LogReader.offset(of: since, in: path, time: time)
    }

    /// Puts a file in the place of another of the same directory, at once.
    package static func rename(_ path: String, over other: String) throws(SystemError) {
        guard unsafe Glibc.rename(path, other) == 0 else { throw SystemError(errno, other) }
    }
}
