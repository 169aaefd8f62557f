internal import Config
internal import CLinux
internal import Glibc

// The system calls of the supervisor of apps: all that is unsafe in this folder.
extension System {
    /// Reads a piece of a file; empty at its end, nil when it cannot be read.
    static func readChunk(_ file: Descriptor, byteCount: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        // SAFETY: the buffer is `byteCount` bytes long and lives during the call.
        let count = unsafe cs_read(file.number, &bytes, byteCount)
        guard count >= 0 else { return nil }
        bytes.removeSubrange(count...)
        return bytes
    }

    /// Writes a short value into a control file, such as those of cgroups.
    ///
    /// - Returns: Whether the kernel took it.
    static func put(_ value: String, in path: String) -> Bool {
        guard let file = try? open(path, flags: O_WRONLY) else { return false }
        return (try? write(Array(value.utf8), to: file.number)) != nil
    }

    /// The content of a small file as text, "" when it cannot be read.
    static func text(_ path: String) -> String { String(decoding: (try? readFile(path)) ?? [], as: UTF8.self) }

    /// Removes an empty directory.
    static func removeDirectory(_ path: String) -> Bool {
        // SAFETY: the string lives during the call.
        unsafe rmdir(path) == 0
    }

    /// A non-blocking packet socket, connected to a path.
    static func packetSocket(connectedTo path: String) throws(SystemError) -> Descriptor {
        let socket = Descriptor(owning: try check(cs_socket_type(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue))))
        try connect(socket.number, to: .unix(Array(path.utf8)))
        return socket
    }

    /// A packet socket that listens at a path. It gets its name when it listens already, so that whoever finds it can connect.
    static func packetListener(at path: String) throws(SystemError) -> Descriptor {
        let socket = Descriptor(owning: try check(cs_socket_type(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue))))
        let temporary = path + ".new"
        try? remove(temporary)
        try bind(socket.number, to: .unix(Array(temporary.utf8)))
        do throws(SystemError) {
            try changeMode(temporary, to: 0o600)
            try listen(socket.number, backlog: 8)
            try rename(temporary, to: path)
        } catch {
            try? remove(temporary)
            throw error
        }
        return socket
    }

    /// Waits until a descriptor can be read.
    ///
    /// - Returns: Whether it can.
    static func waitReadable(_ descriptor: Int32, milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: one entry, which lives during the call.
        return unsafe Glibc.poll(&polled, 1, milliseconds) == 1
    }

    /// Receives a packet with its descriptors; without them when this process has no room for all. nil: there is none now. Empty: the
    /// channel is closed, or what came is no packet of ours.
    static func receivePacket(from channel: Int32, capacity: Int, descriptorsMax: Int)
        -> (bytes: [UInt8], descriptors: [Descriptor])?
    {
        var packet = [UInt8](repeating: 0, count: capacity)
        var numbers = [Int32](repeating: -1, count: descriptorsMax)
        var count = Int32(descriptorsMax)
        // SAFETY: at most `capacity` bytes and `descriptorsMax` descriptors are written.
        let received = unsafe cs_receive_packet(channel, &packet, capacity, &numbers, &count)
        if received == -Int(EAGAIN) { return nil }
        guard received > 0 else { return ([], []) }
        return (Array(packet.prefix(received)), numbers.prefix(Int(count)).map { Descriptor(owning: $0) })
    }

    /// An account of the user database.
    struct Account {
        var user: UInt32
        var group: UInt32
        var name: String
        var home: String
        var shell: String
    }

    /// The account of a name; nil as name: that of this process.
    static func account(named name: String?) -> Account? {
        // SAFETY: the record is valid until the next look-up; everything is copied at once, and there is one thread.
        let entry = if let name { unsafe getpwnam(name) } else { unsafe getpwuid(geteuid()) }
        guard let entry = unsafe entry else { return nil }
        return unsafe Account(
            user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, name: String(cString: entry.pointee.pw_name),
            home: String(cString: entry.pointee.pw_dir), shell: String(cString: entry.pointee.pw_shell))
    }
}
