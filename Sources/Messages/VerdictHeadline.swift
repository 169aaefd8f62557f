/// What a built-in error page says of an open incident, to those whom `verdict_to` names. Plain text: who shows it escapes it.
package struct VerdictHeadline: Equatable, Sendable {
    /// `IncidentID`s: the incident's own, then other names of it, the newest last. 1...`incidentsMax`.
    package var incidents: [UInt64]
    /// What it is, with rule and confidence: `Nothing listens there (P01, proven)`.
    package var title: String
    /// One sentence.
    package var cause: String
    /// The facts it rests on, at most `evidenceMax`.
    package var evidence: [String]
    /// What to do, in one sentence, and the commands for it, at most `commandsMax`.
    package var fix: String
    package var commands: [String]

    /// Longest text in bytes; longer ones are cut by the sender.
    package static let textBytesMax = 512
    package static let incidentsMax = 32
    package static let evidenceMax = 3
    package static let commandsMax = 4

    package init(incidents: [UInt64], title: String, cause: String, evidence: [String] = [], fix: String, commands: [String] = []) {
        self.incidents = incidents
        self.title = title
        self.cause = cause
        self.evidence = evidence
        self.fix = fix
        self.commands = commands
    }
}

/// What is to be said of incidents changes.
package enum VerdictNews: Equatable, Sendable {
    /// Of this one for the first time, or something else than before.
    case headline(VerdictHeadline)
    /// It is over, by its own id.
    case closed(incident: UInt64)
    /// Nothing is known of any: who knew is gone.
    case allClosed
}

extension VerdictHeadline {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard (1...Self.incidentsMax).contains(incidents.count), evidence.count <= Self.evidenceMax, commands.count <= Self.commandsMax
        else { throw .outOfRange }
        try writer.count(incidents.count)
        for incident in incidents { writer.integer(incident) }
        for text in [title, cause, fix] { writer.text(text, bytesMax: Self.textBytesMax) }
        for list in [evidence, commands] {
            try writer.count(list.count)
            for text in list { writer.text(text, bytesMax: Self.textBytesMax) }
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        incidents = []
        for _ in 0..<(try reader.count(max: Self.incidentsMax, elementBytesMin: 8)) { incidents.append(try reader.integer()) }
        guard !incidents.isEmpty else { throw .outOfRange }
        title = try reader.text(bytesMax: Self.textBytesMax)
        cause = try reader.text(bytesMax: Self.textBytesMax)
        fix = try reader.text(bytesMax: Self.textBytesMax)
        evidence = try Self.texts(most: Self.evidenceMax, from: &reader)
        commands = try Self.texts(most: Self.commandsMax, from: &reader)
    }

    private static func texts(most: Int, from reader: inout PacketReader) throws(MessageError) -> [String] {
        var list: [String] = []
        for _ in 0..<(try reader.count(max: most, elementBytesMin: 2)) { list.append(try reader.text(bytesMax: textBytesMax)) }
        return list
    }
}

extension VerdictNews {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        switch self {
        case .headline(let headline):
            writer.integer(0 as UInt8)
            try headline.write(to: &writer)
        case .closed(let incident):
            writer.integer(1 as UInt8)
            writer.integer(incident)
        case .allClosed: writer.integer(2 as UInt8)
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .headline(try VerdictHeadline(from: &reader))
        case 1: self = .closed(incident: try reader.integer())
        case 2: self = .allClosed
        default: throw .outOfRange
        }
    }
}
