/// Why a name has no addresses, in the numbers and words of nginx's error log.
package enum ResolverFailure: Equatable, Sendable {
    /// RCODE of the servers' answer, not 0.
    case code(UInt8)
    /// No server answered in time.
    case timedOut
    /// More names are being asked for than there may be.
    case overloaded

    /// The name does not exist, or has no addresses.
    package static var notFound: ResolverFailure { .code(3) }

    /// nginx's number: the RCODE, or the errno of a time-out.
    package var number: Int {
        switch self {
        case .code(let code): Int(code)
        case .timedOut: 110
        case .overloaded: 11
        }
    }

    /// nginx's words.
    package var text: String {
        switch self {
        case .code(1): "Format error"
        case .code(2): "Server failure"
        case .code(3): "Host not found"
        case .code(4): "Unimplemented"
        case .code(5): "Operation refused"
        case .code: "Unknown error"
        case .timedOut: "Operation timed out"
        case .overloaded: "Too many names are being resolved"
        }
    }
}
