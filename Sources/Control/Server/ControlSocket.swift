import Foundation

/// The place of the control socket on disk.
struct ControlSocket: Sendable {
    let path: String

    /// What has to be true before somebody may bind the path.
    enum State: Equatable {
        case free
        /// Another process listens there.
        case inUse(process: Int32)
    }

    private var directory: String { (path as NSString).deletingLastPathComponent }

    /// Makes its directory, mode 0700, when it is missing. One that is there must belong to root or `user`, and nobody else may write
    /// into it: who can write there could put his own socket in this one's place.
    func prepareDirectory(user: UInt32) throws(ControlFailure) {
        let manager = FileManager.default
        if !manager.fileExists(atPath: directory) {
            do {
                try manager.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw ControlFailure("directory \"\(directory)\" of the control socket cannot be made: \(error.localizedDescription)")
            }
        }
        guard let facts = try? manager.attributesOfItem(atPath: directory), let mode = facts[.posixPermissions] as? NSNumber,
            let owner = facts[.ownerAccountID] as? NSNumber
        else { throw ControlFailure("directory \"\(directory)\" of the control socket cannot be read") }
        guard owner.uint32Value == 0 || owner.uint32Value == user else {
            throw ControlFailure("directory \"\(directory)\" of the control socket belongs to user \(owner), not to \(user)")
        }
        // With the sticky bit, as in /tmp, nobody can replace what is not his.
        guard mode.intValue & 0o022 == 0 || mode.intValue & 0o1000 != 0 else {
            throw ControlFailure(
                "directory \"\(directory)\" of the control socket can be written by others (mode "
                    + String(mode.intValue & 0o7777, radix: 8) + "): change its mode to 700, or name another one with \"control\"")
        }
    }

    /// Looks whether somebody listens. What is no socket is never touched.
    func state() throws(ControlFailure) -> State {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return .free }
        guard facts[.type] as? FileAttributeType == .typeSocket else {
            throw ControlFailure("control socket \"\(path)\" cannot be made: something that is no socket has this name")
        }
        if let process = try ChannelSystem.listener(at: path) { return .inUse(process: process) }
        return .free
    }

    /// Names the process that has the socket.
    func complaint(process: Int32) -> String {
        let name = FileManager.default.contents(atPath: "/proc/\(process)/comm").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let program = name.isEmpty ? "" : " (\(name.trimmingCharacters(in: .whitespacesAndNewlines)))"
        let who = process == 0 ? "another process" : "process \(process)\(program)"
        return "control socket \"\(path)\" is in use by \(who): goodgate runs without commands until it is free, "
            + "or name another one with \"control unix:PATH;\""
    }

    /// Gives the socket that was just bound its mode.
    func protect() { try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path) }

    /// Number of the socket's inode, to know it again.
    var inode: UInt64? {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? NSNumber)?.uint64Value
    }

    /// Removes the socket if it still is the one with this number.
    func remove(inode: UInt64) { if self.inode == inode { try? FileManager.default.removeItem(atPath: path) } }
}
