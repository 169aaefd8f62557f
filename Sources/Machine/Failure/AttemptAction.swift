/// What was done after a failed attempt.
///
/// Raw values are part of the record format between worker and control: append, never renumber.
package enum AttemptAction: UInt8, Sendable, CaseIterable {
    /// The client got an error from us.
    case failedToClient = 0
    /// Another attempt followed.
    case retried = 1
    /// Another peer was tried.
    case servedFromElsewhere = 2
    /// The request was held until the peer was back.
    case parked = 3
    /// The head had been passed on; the client's connection was cut.
    case cut = 4
    /// The application's own answer was passed on.
    case passedOn = 5

    /// What was done, in a few words, for a timeline.
    package var name: StaticString {
        switch self {
        case .failedToClient: "the client got an error"
        case .retried: "another attempt followed"
        case .servedFromElsewhere: "another peer was tried"
        case .parked: "the request waited for a peer"
        case .cut: "the client's connection was cut"
        case .passedOn: "the answer was passed on"
        }
    }
}
