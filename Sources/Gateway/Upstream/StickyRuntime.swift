import Loop
import Machine
import Wire

/// `sticky` of an upstream, compiled: where a request names its peer or its session, and how an answer tells it. Immortal.
struct StickyRuntime: ~Copyable {
    enum Method: UInt8 { case cookie, route, learn }

    let method: Method
    /// The first that is not empty names the peer, or the session with `learn`.
    let lookup: FixedList<CompiledText>
    /// `learn`: the first that is not empty names the session of an answer.
    let create: FixedList<CompiledText>
    /// `learn … header`: sessions are learned when the head is there, not at the end of the answer.
    let learnsFromHead: Bool
    /// `learn`: name of the zone, under which workers tell each other of sessions.
    let zone: String
    let cookie: StickyCookie?
    /// Sessions of `learn`; of no use to the other methods.
    var sessions: StickySessions
}

/// The parts of the Set-Cookie field of `sticky cookie`, in the order in which they are written.
struct StickyCookie {
    enum Expiry { case none, never, after(seconds: Int64) }

    /// `name=`; the peer's id follows.
    let start: ByteView
    let expiry: Expiry
    let domain: CompiledText?
    /// `; httponly; secure` as far as set.
    let flags: ByteView
    let sameSite: CompiledText?
    /// `; path=…`, or empty.
    let path: ByteView
}
