/// Everything collectors may ask of the host. The live one reads it, the recorded one replays it in tests.
///
/// Each call is bounded in time and size and changes nothing on the host.
package protocol SystemReader: Sendable {
    func now() -> Timestamp
    /// The first `limit` bytes of a file; `/dev/kmsg` gives what the ring holds.
    func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8]
    /// The last `limit` bytes of a regular file.
    func tail(_ path: String, limit: Int) throws(SystemError) -> [UInt8]
    /// Names in a directory, sorted.
    func list(_ directory: String) throws(SystemError) -> [String]
    /// The target of a symbolic link.
    func link(_ path: String) throws(SystemError) -> String
    func status(_ path: String) throws(SystemError) -> FileStatus
    /// Inodes of the sockets that a process has open, in no order. Asked of every process of a busy host, so it has to be quick.
    func sockets(of pid: Int32) throws(SystemError) -> [UInt64]
    /// Runs a program found on PATH, without a shell, and gives its standard output.
    /// - Parameters:
    ///   - deadline: milliseconds, after which it is killed.
    ///   - limit: bytes of output that are kept; more ends the program.
    func run(_ command: [String], deadline: Int, limit: Int) throws(SystemError) -> [UInt8]
    /// What the C library's resolver answers, in its order, with port 0.
    func resolve(_ host: String) throws(SystemError) -> [PeerAddress]
    /// Accept queues of the listening sockets of this process's network namespace; those that the kernel does not tell are missing.
    func listenQueues() -> [ListenQueue]
    /// Whether packets to an address have a way, out of this process's network namespace; nil: not known.
    func hasRoute(to peer: PeerAddress) -> Bool?
    /// Connects, sends `bytes`, and receives at most 64 bytes; everything within `deadline` milliseconds.
    func probe(_ peer: PeerAddress, sending bytes: [UInt8]?, deadline: Int) -> (result: ProbeResult, answer: [UInt8])
    /// Gives a log in large pieces that end at line ends, `.gz` unpacked; the consumer answers false to stop.
    func stream(_ path: String, from offset: Int64, consume: (UnsafeBufferPointer<UInt8>) -> Bool) throws(SystemError)
    /// The offset of the first line of a log at or after `since`; 0 when it cannot be told.
    func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64
    /// Addresses of the host's interfaces, with port 0.
    func interfaceAddresses() -> [PeerAddress]
}

extension SystemReader {
    /// A text file, at most 1 MB; invalid UTF-8 is repaired.
    package func text(_ path: String) throws(SystemError) -> String {
        String(decoding: try read(path, limit: 1 << 20), as: UTF8.self)
    }
    /// A file that holds one number, such as a sysctl.
    package func number(_ path: String) -> Int? {
        guard let bytes = try? read(path, limit: 64) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
    /// Whether `stat` finds it.
    package func exists(_ path: String) -> Bool { (try? status(path)) != nil }
}

/// Part of `stat`.
package struct FileStatus: Sendable, Hashable, Codable {
    /// Type and permission bits, owner, size in bytes.
    package var mode: UInt32
    /// As `SystemReader` says.
    package var uid: UInt32
    /// As `SystemReader` says.
    package var gid: UInt32
    /// As `SystemReader` says.
    package var size: Int64
    /// As `SystemReader` says.
    package var inode: UInt64
    /// The file system it is in; nil in old recordings.
    package var device: UInt64?
    /// Last change of the content.
    package var modified: Timestamp
    package init(
        mode: UInt32, uid: UInt32 = 0, gid: UInt32 = 0, size: Int64 = 0, inode: UInt64 = 0, device: UInt64? = nil,
        modified: Timestamp = Timestamp(milliseconds: 0)
    ) {
        self.mode = mode; self.uid = uid; self.gid = gid; self.size = size; self.inode = inode; self.device = device
        self.modified = modified
    }
    /// By the type in `mode`.
    package var isDirectory: Bool { mode & 0o170000 == 0o040000 }
    /// By the type in `mode`.
    package var isRegular: Bool { mode & 0o170000 == 0o100000 }
    /// By the type in `mode`.
    package var isSocket: Bool { mode & 0o170000 == 0o140000 }
}

/// Why something could not be looked at.
package struct SystemError: Error, Sendable, Hashable {
    /// `errno`; 110 for a passed deadline, -1 when the program failed.
    package var errorNumber: Int32
    /// The path or the command.
    package var what: String

    package init(_ errorNumber: Int32, _ what: String) { self.errorNumber = errorNumber; self.what = what }

    /// For `Observation.unavailable`.
    package var text: String {
        switch errorNumber {
        case 1, 13: "no right to read \(what)"
        case 2, 20: "\(what) is not there"
        case 110: "\(what) did not answer in time"
        case -1: "\(what) failed"
        default: "\(what): error \(errorNumber)"
        }
    }
}
