/// One app without its instances, as `goodgate app list` shows it.
package struct AppOverview: Equatable, Sendable {
    /// What can be expected of it.
    package enum Outlook: UInt8, CaseIterable, Sendable {
        /// At least one instance serves.
        case up
        /// None does, one is coming.
        case coming
        /// None does, and three starts in a row failed.
        case implausible
        /// None does, and none will.
        case down
    }

    /// Name of the block.
    package var name: String
    /// Whether it is to run.
    package var isRunning: Bool
    /// A deploy, restart or recycling is under way.
    package var isRolling: Bool
    package var outlook: Outlook
    /// Milliseconds to the next start, 0 when none is planned.
    package var nextStart: UInt64
    /// Release that runs, and the one that `rollback` goes back to; 0: none.
    package var release: UInt32
    package var previousRelease: UInt32
    /// Instances that are wanted now, and that the block asks for.
    package var count: UInt32
    package var blockCount: UInt32
    /// What the release runs.
    package var command: [String]
    /// How the release differs from the block of the configuration: one text each. Values of variables are not told.
    package var differences: [String]
    /// How the roll to the block in force was given up, in words; "": it was not. The sender cuts it.
    package var refusedBlock: String

    package init(name: String, outlook: Outlook) {
        self.name = name
        self.outlook = outlook
        isRunning = false
        isRolling = false
        nextStart = 0
        release = 0
        previousRelease = 0
        count = 0
        blockCount = 0
        command = []
        differences = []
        refusedBlock = ""
    }

    /// Most words of a command, and most differences, that are told; the sender cuts.
    package static let textsMax = 64
    /// Bytes that they may take together.
    package static let textBytesMax = 16 * 1024
    /// Most bytes of the reason why the block was given up.
    package static let refusalBytesMax = 400
}

extension AppOverview {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        writer.text(name)
        writer.flag(isRunning)
        writer.flag(isRolling)
        writer.integer(outlook.rawValue)
        writer.integer(nextStart)
        writer.integer(release)
        writer.integer(previousRelease)
        writer.integer(count)
        writer.integer(blockCount)
        guard command.count <= Self.textsMax, differences.count <= Self.textsMax else { throw .tooLarge }
        try writer.texts(command)
        try writer.texts(differences)
        writer.text(refusedBlock)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        name = try reader.text()
        isRunning = try reader.flag()
        isRolling = try reader.flag()
        outlook = try reader.choice()
        nextStart = try reader.integer()
        release = try reader.integer()
        previousRelease = try reader.integer()
        count = try reader.integer()
        blockCount = try reader.integer()
        command = try reader.texts(max: Self.textsMax)
        differences = try reader.texts(max: Self.textsMax)
        refusedBlock = try reader.text()
    }
}
