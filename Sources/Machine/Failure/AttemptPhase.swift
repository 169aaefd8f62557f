/// Where in its life an attempt (one try at one peer) was when it failed.
///
/// Raw values are part of the record format between worker and control: append, never renumber.
package enum AttemptPhase: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// Choosing a peer; no address yet.
    case picking = 0
    /// Waiting for an answer of the name service.
    case resolving = 1
    /// `socket`, `bind` or `connect` was under way.
    case connecting = 2
    /// The TLS handshake with the peer was under way.
    case handshaking = 3
    /// Bytes of the request were being written.
    case sending = 4
    /// The whole request was written, no byte of the answer has come.
    case awaitingHead = 5
    /// Some bytes of the answer's head have come.
    case readingHead = 6
    /// The head is complete and was possibly passed on; the body was being relayed.
    case relayingBody = 7

    /// The phase in the words of a log line ("while …").
    package var name: StaticString {
        switch self {
        case .picking: "picking a peer"
        case .resolving: "resolving"
        case .connecting: "connecting"
        case .handshaking: "TLS handshake"
        case .sending: "sending the request"
        case .awaitingHead: "waiting for the response head"
        case .readingHead: "reading the response head"
        case .relayingBody: "relaying the body"
        }
    }
}
