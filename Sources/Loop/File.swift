import CLinux
import Glibc
public import Wire

/// What is known of a file.
public struct FileInfo {
    public enum Kind: UInt8 { case regular, directory, other }
    public var kind: Kind
    /// Bytes.
    public var size: Int64
    /// Last change, in seconds since 1970.
    public var modified: Int64
    public var isExecutable: Bool
    public var device: UInt64
    public var inode: UInt64
    public var owner: UInt32

    init(_ info: stat) {
        switch info.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
        size = Int64(info.st_size)
        modified = Int64(info.st_mtim.tv_sec)
        isExecutable = info.st_mode & 0o111 != 0
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        owner = info.st_uid
    }
}

/// Calls on files by path. Paths are bytes, as the kernel takes them. Errors are -errno.
public enum File {
    // SAFETY, of all calls with a path: they read a copy that ends in zero and lives as long as the closure that gets it (`withPath`).

    /// Opens for reading, without ever waiting for a FIFO. Returns a descriptor or -errno.
    public static func openForReading(_ path: ByteView) -> Int32 { unsafe withPath(path) { unsafe cs_open($0, O_RDONLY | O_NONBLOCK, 0) } }

    /// Opens a new file for reading and writing; it must not exist. Returns a descriptor or -errno.
    public static func createNew(_ path: ByteView, mode: UInt32 = 0o600) -> Int32 {
        unsafe withPath(path) { unsafe cs_open($0, O_RDWR | O_CREAT | O_EXCL, mode) }
    }

    /// Opens for appending, made if missing. Returns a descriptor or -errno.
    public static func openForAppending(_ path: ByteView, mode: UInt32 = 0o644) -> Int32 {
        unsafe withPath(path) { unsafe cs_open($0, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, mode) }
    }

    public static func info(_ descriptor: Int32) -> FileInfo? {
        var info = stat()
        // SAFETY: this call and its relatives below fill one structure.
        return unsafe cs_fstat(descriptor, &info) == 0 ? FileInfo(info) : nil
    }

    /// What is at a path, links followed; nil and an errno if there is nothing to be seen.
    public static func info(at path: ByteView) -> (info: FileInfo?, errno: Int32) {
        var info = stat()
        let result = unsafe withPath(path) { unsafe cs_stat($0, &info) }
        return result == 0 ? (FileInfo(info), 0) : (nil, -result)
    }

    /// What is at a path, a link itself not followed; nil and an errno if there is nothing to be seen.
    package static func linkInfo(at path: ByteView) -> (info: FileInfo?, errno: Int32) {
        var info = stat()
        let result = unsafe withPath(path) { unsafe cs_lstat($0, &info) }
        return result == 0 ? (FileInfo(info), 0) : (nil, -result)
    }

    /// Makes a directory. Returns 0 or -errno.
    public static func makeDirectory(_ path: ByteView, mode: UInt32 = 0o700) -> Int32 { unsafe withPath(path) { unsafe mkdir($0, mode) < 0 ? -errno : 0 } }

    public static func remove(_ path: ByteView) -> Int32 { unsafe withPath(path) { unsafe unlink($0) < 0 ? -errno : 0 } }

    public static func rename(_ from: ByteView, to: ByteView) -> Int32 {
        unsafe withPath(from) { a in unsafe withPath(to) { b in unsafe Glibc.rename(a, b) < 0 ? -errno : 0 } }
    }

    /// Writes all bytes at an offset. Returns 0 or -errno (ENOSPC: a full disk).
    public static func write(_ bytes: ByteView, to descriptor: Int32, at offset: Int64) -> Int32 {
        var done = 0
        while done < bytes.count {
            let rest = bytes.dropFirst(done)
            // SAFETY: the call reads `rest.count` bytes of the view, whose owner keeps them for this call.
            let n = unsafe cs_pwrite(descriptor, rest.rawBuffer.baseAddress!, rest.count, offset + Int64(done))
            if n < 0 { return Int32(n) }
            if n == 0 { return -ENOSPC }
            done += n
        }
        return 0
    }

    /// Appends bytes with one call. Returns bytes written or -errno.
    public static func append(_ bytes: ByteView, to descriptor: Int32) -> Int {
        // SAFETY: the call reads `bytes.count` bytes of the view, whose owner keeps them for this call.
        unsafe cs_write(descriptor, bytes.rawBuffer.baseAddress!, bytes.count)
    }

    /// Sends a range of a file to a socket or another file. Returns bytes sent or -errno.
    public static func send(_ file: Int32, offset: Int64, count: Int, to socket: Int32) -> Int { cs_sendfile(socket, file, offset, count) }

    /// Appends the first bytes of a file to another one. Returns 0 or -errno.
    public static func copy(_ source: Int32, count: Int64, to target: Int32) -> Int32 {
        var done: Int64 = 0
        while done < count {
            let n = send(source, offset: done, count: Int(count - done), to: target)
            if n < 0 { return Int32(n) }
            if n == 0 { return -EIO }
            done += Int64(n)
        }
        return 0
    }

    /// Calls with a zero-terminated copy of a path.
    static func withPath<Result>(_ path: ByteView, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        // SAFETY: every element of the copy is written before `body` sees it, and one more than the path is there for the zero.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { copy in
            for index in 0..<path.count { unsafe copy[index] = CChar(bitPattern: path[index]) }
            unsafe copy[path.count] = 0
            return unsafe body(copy.baseAddress!)
        }
    }
}

extension File {
    /// Sets the permissions of an open file. Errors are ignored: the file is readable by its owner anyway.
    public static func changeMode(_ descriptor: Int32, _ mode: UInt32) { _ = fchmod(descriptor, mode) }

    /// Sets the time of the last change, in seconds since 1970.
    public static func changeTimes(_ descriptor: Int32, modified: Int64) {
        var times = [timespec(tv_sec: Int(modified), tv_nsec: 0), timespec(tv_sec: Int(modified), tv_nsec: 0)]
        // SAFETY: the call reads two elements.
        _ = unsafe futimens(descriptor, &times)
    }
}
