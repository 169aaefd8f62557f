internal import CLinux
internal import Glibc

extension System {
    /// What a path is.
    struct FileFacts {
        var user: UInt32
        var group: UInt32
        var mode: UInt32
        /// Kind of file, as in `st_mode`.
        var kind: UInt32
        var size: Int

        init(_ status: stat) {
            user = status.st_uid
            group = status.st_gid
            mode = status.st_mode & 0o7777
            kind = status.st_mode & S_IFMT
            size = Int(status.st_size)
        }
    }

    /// Opens a file, close-on-exec.
    static func open(_ path: String, flags: Int32, mode: UInt32 = 0o644) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check(unsafe cs_open_cloexec(path, flags, mode)))
    }

    /// Holds what a name stands for without opening it: what becomes of the name does not matter any more.
    static func openEntry(_ path: String, in directory: Descriptor? = nil, followsLinks: Bool = false) throws(SystemError) -> Descriptor {
        let start = directory?.number ?? cs_at_current_directory()
        return Descriptor(owning: try check(unsafe cs_open_entry(start, path, followsLinks ? 0 : 1)))
    }

    /// Opens a log file for appending, creating it if need be. A pipe or terminal does not block those that write to it; one that nobody
    /// reads yet is opened all the same.
    static func openLog(_ path: String) throws(SystemError) -> Descriptor {
        do {
            return try open(path, flags: O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK)
        } catch where error.code == ENXIO {
            return try open(path, flags: O_RDWR | O_APPEND | O_NONBLOCK)
        }
    }

    /// The whole content of a file.
    ///
    /// - Throws: EFBIG when there are more bytes than that.
    static func readFile(_ path: String, flags: Int32 = 0, bytesMax: Int = .max) throws(SystemError) -> [UInt8] {
        try readAll(try open(path, flags: O_RDONLY | flags), bytesMax: bytesMax)
    }

    /// Everything up to the end of an open file.
    ///
    /// - Parameter patience: Milliseconds that the end of a pipe which was opened without waiting is waited for.
    /// - Throws: EFBIG when there are more bytes than that; EAGAIN when the end did not come in time.
    static func readAll(_ file: Descriptor, bytesMax: Int = .max, patience: UInt64 = 0) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let end = now + patience
        while true {
            let count = chunk.count
            // SAFETY: the buffer is `count` bytes long and lives during the call.
            let result = unsafe cs_read(file.number, &chunk, count)
            if result == -Int(EAGAIN) {
                let time = now
                if time < end, waitReadable(file.number, milliseconds: Int32(clamping: end - time)) { continue }
            }
            let read = try check(result)
            if read == 0 { return bytes }
            guard read <= bytesMax - bytes.count else { throw SystemError(code: EFBIG) }
            bytes.append(contentsOf: chunk[..<read])
        }
    }

    /// Writes all bytes.
    static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let rest = Array(bytes[offset...])
            // SAFETY: the buffer is `rest.count` bytes long and lives during the call.
            offset += try check(unsafe cs_write(descriptor, rest, rest.count))
        }
    }

    static func facts(of path: String) throws(SystemError) -> FileFacts {
        var status = stat()
        try check(unsafe cs_stat(path, &status))
        return FileFacts(status)
    }

    static func facts(of file: Descriptor) throws(SystemError) -> FileFacts {
        var status = stat()
        try check(unsafe cs_fstat(file.number, &status))
        return FileFacts(status)
    }

    static func exists(_ path: String) -> Bool { (try? facts(of: path)) != nil }
    static func isExecutable(_ path: String) -> Bool { unsafe cs_can_execute(path) >= 0 }
    static func remove(_ path: String) throws(SystemError) { try check(unsafe cs_unlink(path)) }
    static func rename(_ from: String, to: String) throws(SystemError) { try check(unsafe cs_rename(from, to)) }
    /// Makes a symbolic link.
    static func link(_ path: String, to target: String) throws(SystemError) {
        if unsafe symlink(target, path) != 0 { throw SystemError(code: errno) }
    }
    static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) { try check(unsafe cs_mkdir(path, mode)) }

    /// Makes a directory with its parents, which everybody may enter. One that is there stays as it is.
    static func makeDirectories(_ path: String, mode: UInt32) throws(SystemError) {
        do throws(SystemError) {
            try makeDirectory(path, mode: mode)
        } catch {
            if error.code == EEXIST { return }
            guard error.code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
            try makeDirectories(String(path[..<slash]), mode: 0o755)
            try makeDirectory(path, mode: mode)
        }
    }

    static func changeMode(_ path: String, to mode: UInt32) throws(SystemError) { try check(unsafe cs_chmod(path, mode)) }
    static func changeOwner(_ path: String, user: UInt32, group: UInt32) throws(SystemError) {
        try check(unsafe cs_chown(path, user, group))
    }

    /// The target of a symbolic link.
    static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let capacity = buffer.count
        // SAFETY: at most `capacity` bytes are written.
        let count = unsafe cs_readlink(path, &buffer, capacity)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The paths that match a glob(7) pattern, in byte order; empty when none does.
    static func glob(_ pattern: String) -> [String] {
        final class Found { var paths: [String] = [] }
        let found = Found()
        let each: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { context, path in
            // SAFETY: the context is `found`, which the caller keeps alive; the path is a C string for the time of the call.
            guard let context = unsafe context, let path = unsafe path else { return }
            unsafe Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().paths.append(String(cString: path))
        }
        _ = withExtendedLifetime(found) { unsafe cs_glob(pattern, each, Unmanaged.passUnretained(found).toOpaque()) }
        return found.paths
    }

    /// Gives descriptors 0 to 2 to /dev/null where they are closed, so that no file or socket of ours becomes standard error.
    static func reserveStandardDescriptors() {
        for number in Int32(0)...2 where cs_is_open(number) == 0 {
            let opened = unsafe cs_open_cloexec("/dev/null", O_RDWR, 0)
            // The lowest free number is what open(2) gives, so it is `number`; it has to survive exec.
            if opened >= 0 { _ = cs_set_cloexec(opened, 0) }
        }
    }

    /// Makes one descriptor stand where another one is (0 to 2).
    static func replace(_ target: Int32, with source: Int32) throws(SystemError) { try check(cs_dup2(source, target)) }

    /// A memfd with this content, sealed against every change.
    static func sealedMemory(named name: String, content: [UInt8]) throws(SystemError) -> Descriptor {
        let memory = Descriptor(owning: try check(unsafe cs_sealable_memory(name)))
        try write(content, to: memory.number)
        try check(cs_seal_content(memory.number))
        return memory
    }

    /// Makes a part of shared memory zero again.
    static func clear(_ memory: Descriptor, _ range: Range<Int>) throws(SystemError) {
        try check(cs_punch_hole(memory.number, Int64(range.lowerBound), Int64(range.count)))
    }

    /// A memfd of this size, all zero, writable, but sealed against shrinking, growing and other seals.
    static func sharedMemory(named name: String, size: Int) throws(SystemError) -> Descriptor {
        let memory = Descriptor(owning: try check(unsafe cs_sealable_memory(name)))
        try check(cs_ftruncate(memory.number, Int64(size)))
        try check(cs_seal_size(memory.number))
        return memory
    }
}
