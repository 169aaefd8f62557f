/// The first message to a worker: who it is, and what the configuration bundle and the board that come with it are.
///
/// Descriptors beside it: index 0 the configuration bundle (sealed memfd), index 1 the board (sealed memfd).
package struct WorkerHello: Equatable, Sendable {
    /// Index of the worker in its generation, 0 ..< `workerCount`.
    package var workerIndex: UInt16
    /// Number of workers in its generation, >= 1.
    package var workerCount: UInt16
    /// The worker's own column of the board. Unique among all living workers of all generations, unlike `workerIndex`.
    package var boardColumn: UInt16
    /// Size of the board in bytes.
    package var boardBytes: UInt64
    /// Number of the configuration: 1 at the start, one more with each successful reload.
    package var generation: UInt32
    /// Process id of the supervisor at the time of sending.
    package var supervisorProcess: Int32
    /// Whether the program was started under the name `nginx` and speaks as nginx.
    package var startedAsNginx: Bool
    /// Prefix directory, with the trailing slash (`-p`). Relative log, root and temporary paths begin here.
    package var prefix: String
    /// Full path of the configuration file (`-c`), the first file of the bundle.
    package var configurationPath: String
    /// Directives of the main context from the command line (`-g`), "" when none.
    package var globals: String
    /// Full path of the error log of the command line (`-e`) or the built-in one; "stderr" for standard error.
    package var errorLogPath: String

    package init(
        workerIndex: UInt16, workerCount: UInt16, boardColumn: UInt16, boardBytes: UInt64, generation: UInt32,
        supervisorProcess: Int32, startedAsNginx: Bool, prefix: String, configurationPath: String, globals: String, errorLogPath: String
    ) {
        self.workerIndex = workerIndex
        self.workerCount = workerCount
        self.boardColumn = boardColumn
        self.boardBytes = boardBytes
        self.generation = generation
        self.supervisorProcess = supervisorProcess
        self.startedAsNginx = startedAsNginx
        self.prefix = prefix
        self.configurationPath = configurationPath
        self.globals = globals
        self.errorLogPath = errorLogPath
    }
}

extension WorkerHello {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        // Cut, the worker would read another configuration than the supervisor did.
        guard [prefix, configurationPath, globals, errorLogPath].allSatisfy({ $0.utf8.count <= MessageLimits.textBytesMax })
        else { throw .tooLarge }
        writer.integer(workerIndex)
        writer.integer(workerCount)
        writer.integer(boardColumn)
        writer.integer(boardBytes)
        writer.integer(generation)
        writer.integer(supervisorProcess)
        writer.flag(startedAsNginx)
        writer.text(prefix)
        writer.text(configurationPath)
        writer.text(globals)
        writer.text(errorLogPath)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        workerIndex = try reader.integer()
        workerCount = try reader.integer()
        boardColumn = try reader.integer()
        boardBytes = try reader.integer()
        generation = try reader.integer()
        supervisorProcess = try reader.integer()
        startedAsNginx = try reader.flag()
        prefix = try reader.text()
        configurationPath = try reader.text()
        globals = try reader.text()
        errorLogPath = try reader.text()
        guard workerCount >= 1, workerIndex < workerCount else { throw .outOfRange }
    }
}
