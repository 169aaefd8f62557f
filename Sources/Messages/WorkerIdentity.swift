/// Whom a worker becomes before its first accept.
package struct WorkerIdentity: Equatable, Sendable {
    /// Whether there is anything to drop: false when the supervisor is not root and the worker stays who it is.
    package var changesUser: Bool
    /// Name of the user, for messages only.
    package var userName: String
    package var user: UInt32
    package var group: UInt32
    /// Supplementary groups, at most `MessageLimits.groupsMax`.
    package var groups: [UInt32]
    /// Whether CAP_NET_RAW is kept over the change of user (`proxy_bind … transparent`).
    package var keepsRawSockets: Bool

    package init(
        changesUser: Bool, userName: String, user: UInt32, group: UInt32, groups: [UInt32], keepsRawSockets: Bool = false
    ) {
        self.changesUser = changesUser
        self.userName = userName
        self.user = user
        self.group = group
        self.groups = groups
        self.keepsRawSockets = keepsRawSockets
    }
}

extension WorkerIdentity {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard groups.count <= MessageLimits.groupsMax else { throw .outOfRange }
        writer.flag(changesUser)
        writer.text(userName)
        writer.integer(user)
        writer.integer(group)
        try writer.count(groups.count)
        for group in groups { writer.integer(group) }
        writer.flag(keepsRawSockets)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        changesUser = try reader.flag()
        userName = try reader.text()
        user = try reader.integer()
        group = try reader.integer()
        groups = []
        for _ in 0..<(try reader.count(max: MessageLimits.groupsMax, elementBytesMin: 4)) { groups.append(try reader.integer()) }
        keepsRawSockets = try reader.flag()
    }
}
