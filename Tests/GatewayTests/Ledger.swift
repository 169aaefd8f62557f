/// What happened to requests, as their clients and the origins saw it.
struct Ledger {
    /// One try of the gateway to have a request answered.
    struct Attempt {
        let origin: Int
        /// What the origin did wrong; nil: nothing.
        var fault: OriginFault?
        /// Request number and count of the body that the origin answered with, if it did.
        var answer: OriginAnswer?
    }

    /// By request: the attempts whose whole head reached an origin.
    var attempts: [Int: [Attempt]] = [:]
    /// Requests of which a connection was lost that an origin had closed while it was idle.
    var lateCloses = 0
    var connectFaults = 0
}

/// A way in which an origin goes wrong.
enum OriginFault: CaseIterable, Equatable {
    /// Before any byte of an answer: the gateway may try another.
    case closes, resets, saysNothing
    /// In or instead of a head.
    case cutsHead, badHead, twoLengths, hugeHead, unavailable
    /// After the head.
    case cutsBody, resetsBody, stopsInBody, badChunk

    /// The head of the answer was good, so the client may have it.
    var isAfterHead: Bool { [.cutsBody, .resetsBody, .stopsInBody, .badChunk].contains(self) }
}

struct OriginAnswer: Equatable {
    let number: Int
    let count: Int
    let status: Int
    let framing: MessageReader.Framing
}
