/// The first message to the control process: whom it serves, and where it is to listen.
package struct ControlHello: Equatable, Sendable {
    /// Version of the program.
    package var version: String
    /// Process id of the supervisor.
    package var supervisorProcess: Int32
    /// Effective user of the supervisor: beside root the only one who may command.
    package var user: UInt32
    /// Wall clock of the supervisor's start, nanoseconds since 1970.
    package var startedAt: UInt64
    /// Where the control socket is to be.
    package var socketPath: String
    /// Prefix directory, with the final slash.
    package var prefix: String
    /// Full path of the configuration file.
    package var configurationPath: String

    package init(
        version: String, supervisorProcess: Int32, user: UInt32, startedAt: UInt64, socketPath: String, prefix: String,
        configurationPath: String
    ) {
        self.version = version
        self.supervisorProcess = supervisorProcess
        self.user = user
        self.startedAt = startedAt
        self.socketPath = socketPath
        self.prefix = prefix
        self.configurationPath = configurationPath
    }
}

extension ControlHello {
    func write(to writer: inout PacketWriter) {
        writer.text(version)
        writer.integer(supervisorProcess)
        writer.integer(user)
        writer.integer(startedAt)
        writer.text(socketPath)
        writer.text(prefix)
        writer.text(configurationPath)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        version = try reader.text()
        supervisorProcess = try reader.integer()
        user = try reader.integer()
        startedAt = try reader.integer()
        socketPath = try reader.text()
        prefix = try reader.text()
        configurationPath = try reader.text()
    }
}
