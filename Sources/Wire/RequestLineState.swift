/// Where the parser is in a request line; all numbers are offsets in the head buffer.
struct RequestLineState: Sendable {
    enum Phase: UInt8 {
        /// Empty lines before the request line.
        case lead
        case method
        /// Spaces before the target.
        case beforeTarget
        case scheme
        case authority
        /// The path of the origin form, or after the authority.
        case path
        case query
        case fragment
        /// Spaces before the version.
        case beforeVersion
        case version
        /// Spaces and the line end.
        case afterVersion
        /// The line is complete; `scan` is the start of the field lines.
        case done
    }

    /// What one phase says.
    enum Progress {
        /// `phase` and `scan` moved on.
        case next
        /// The bytes are used up, or too few.
        case wait
        case bad(HeadError.Reason)
    }

    /// What the whole line says.
    enum Step {
        case done, needMore
        case failed(HeadError)
    }

    var phase = Phase.lead
    /// Where to go on.
    var scan = 0
    /// First byte of the line.
    var start = 0
    var emptyLines: UInt32 = 0
    var targetStart = 0
    var authorityStart = 0
    var pathStart = 0
    /// First byte after "?"; -1 if there is none.
    var queryStart = -1
    /// The "#"; -1 if there is none.
    var fragmentStart = -1
    var versionStart = 0

    init() {}
}
