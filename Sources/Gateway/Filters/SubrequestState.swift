import Loop
import Wire

/// What a subrequest is for.
enum SubrequestPurpose: UInt8 {
    /// Its body takes its place in the parent's (include, add_after_body).
    case include
    /// Its body is collected in memory (include with `set`).
    case capture
}

/// A piece of a body that waits until it is its request's turn, or a subrequest whose body belongs in this place.
enum PostponedPiece {
    case data(Segment?, isLast: Bool, isFlush: Bool)
    case request(RequestRef)
}

/// A request's place in the tree of subrequests (nginx: the postpone filter). Bodies are sent in the order of the tree: exactly one
/// request is active, all others put their pieces into their own list.
struct SubrequestState: ~Copyable {
    var purpose = SubrequestPurpose.include
    /// Pieces in order; empty for the active request, but for subrequests under way.
    var postponed: [PostponedPiece] = []
    /// Memory held by `postponed`.
    var postponedBytes = 0
    /// Of the main request: all subrequests of its tree, which live until it ends, because pieces point into them.
    var all: [RequestRef] = []
    /// Of the main request: whose turn it is, nil for itself.
    var active: RequestRef?
    /// Of the main request: there were too many, and it was said.
    var isRefusing = false
    /// Subrequests of subrequests, 0 for the main request.
    var depth = 0
    /// The handler is done, but a filter or a subrequest is not.
    var isFinishing = false
    /// The whole body was made.
    var isSettled = false
    /// What takes the place of a body that is empty or could not be made (include with `stub`).
    var stub: ByteView?
    /// Some byte of its body came.
    var hasOutput = false
    /// The body, if it is captured.
    var captured: Ref<Buffer>?

    init() {}

    /// Most subrequests below one request, and of a whole tree: a page cannot take all slots of a worker.
    static var depthMax: Int { 50 }
    static var countMax: Int { 1000 }

    mutating func reset() {
        isRefusing = false
        guard depth > 0 || isFinishing || !all.isEmpty || !postponed.isEmpty else { return }
        purpose = .include
        postponed = []
        postponedBytes = 0
        all = []
        active = nil
        depth = 0
        isFinishing = false
        isSettled = false
        stub = nil
        hasOutput = false
    }
}
