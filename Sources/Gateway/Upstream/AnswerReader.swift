import Loop
import Wire

/// Reads the head of one answer: state that is needed from its first byte to its last, and no longer (as `HeadReader` for requests).
struct AnswerReader: ~Copyable, SlabValue {
    let slot: UInt32
    var generation: UInt32 = 0
    var parser = ResponseHeadParser(options: HeadOptions())

    init(slot: UInt32) { self.slot = slot }
}

extension Ref where Value == Exchange {
    /// The reader of the answer that comes, made ready with its first bytes. There is one for each connection.
    func answerReader() -> Ref<AnswerReader> {
        if let reader = value.answerReader { return reader }
        let reader = worker.value.answerReaders.take()!
        reader.value.parser = ResponseHeadParser(options: worker.value.responseHeadOptions)
        value.answerReader = reader
        return reader
    }

    /// The head is complete, or will never be.
    func giveAnswerReader() {
        guard let reader = value.answerReader else { return }
        value.answerReader = nil
        worker.value.answerReaders.give(reader)
    }
}
