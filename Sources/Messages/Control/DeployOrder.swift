/// What a deploy changes against the block of the configuration; what is missing stays as the block says.
package struct DeployOrder: Equatable, Sendable {
    /// Program and arguments.
    package var command: [String]?
    /// Working directory.
    package var directory: String?
    /// `NAME=VALUE`, on top of the block's.
    package var environment: [String]
    /// Absolute paths, instead of the block's.
    package var environmentFiles: [String]?
    /// How long the first new instance serves a slice of the traffic, in milliseconds.
    package var soakMilliseconds: UInt32

    package init(
        command: [String]? = nil, directory: String? = nil, environment: [String] = [], environmentFiles: [String]? = nil,
        soakMilliseconds: UInt32 = 10_000
    ) {
        self.command = command
        self.directory = directory
        self.environment = environment
        self.environmentFiles = environmentFiles
        self.soakMilliseconds = soakMilliseconds
    }

    /// Most words of a command, variables, and files.
    package static let wordsMax = 256
}

extension DeployOrder {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        // A text that the writer would cut must not become another command.
        let texts = (command ?? []) + environment + (environmentFiles ?? []) + (directory.map { [$0] } ?? [])
        guard texts.allSatisfy({ $0.utf8.count <= MessageLimits.textBytesMax }) else { throw .tooLarge }
        for list in [command ?? [], environment, environmentFiles ?? []] where list.count > Self.wordsMax { throw .tooLarge }
        try writer.optionalTexts(command)
        writer.optionalText(directory)
        try writer.texts(environment)
        try writer.optionalTexts(environmentFiles)
        writer.integer(soakMilliseconds)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        command = try reader.optionalTexts(max: Self.wordsMax)
        directory = try reader.optionalText()
        environment = try reader.texts(max: Self.wordsMax)
        environmentFiles = try reader.optionalTexts(max: Self.wordsMax)
        soakMilliseconds = try reader.integer()
        guard command.map({ !$0.isEmpty }) ?? true else { throw .outOfRange }
    }
}
