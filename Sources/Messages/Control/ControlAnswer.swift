/// How a request ended.
package struct ControlAnswer: Equatable, Sendable {
    /// What became of it.
    package enum Outcome: UInt8, CaseIterable, Sendable {
        /// It is done.
        case done
        /// It began; events tell how it goes on.
        case accepted
        /// Something else of this kind is under way.
        case busy
        /// It cannot be done as things are.
        case refused
        /// What it names does not exist.
        case unknown
        /// It was tried and failed.
        case failed
    }

    /// See `Outcome`.
    package var outcome: Outcome
    /// Number of the release that a deploy or rollback brings, 0 otherwise.
    package var release: UInt32
    /// Why, in words; "" when there is nothing to say.
    package var text: String

    package init(_ outcome: Outcome, release: UInt32 = 0, text: String = "") {
        self.outcome = outcome
        self.release = release
        self.text = text
    }
}

extension ControlAnswer {
    func write(to writer: inout PacketWriter) {
        writer.integer(outcome.rawValue)
        writer.integer(release)
        writer.text(text)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        outcome = try reader.choice()
        release = try reader.integer()
        text = try reader.text()
    }
}
