/// A request method, by nginx's list; everything else is `other` and known by its bytes only.
public enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, options, trace, connect, patch
    case propfind, proppatch, mkcol, copy, move, lock, unlock
    case other

    /// Whether such a request may go to the next upstream although it was already sent to one. As in nginx, but for methods that nobody
    /// knows: nothing says that they may be repeated (RFC 9110, 9.2.2).
    @inlinable public var isIdempotent: Bool {
        switch self {
        case .post, .lock, .patch, .other: false
        default: true
        }
    }

    /// Whether bytes are a method's name on the wire, known or not: a token (RFC 9110, 9.1). O(n).
    public static func isValidName(_ name: ByteView) -> Bool {
        for index in 0..<name.count {
            switch ByteClass.fieldName(name[index]) {
            case 0, 2, 4: continue
            default: return false
            }
        }
        return !name.isEmpty
    }

    /// A bit of its own, for sets of methods (`limit_except`).
    @inlinable public var bit: UInt32 { 1 << UInt32(rawValue) }

    /// The name on the wire; "UNKNOWN" for `other`. Immortal.
    public var name: ByteView {
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
    public static func lookup(_ name: ByteView) -> Method {
        guard name.count <= 8 else { return name == "PROPPATCH" ? .proppatch : .other }
        guard name.count > 0 else { return .other }
        // The name as a little-endian number.
        return switch name.exactWord(at: 0, length: name.count) {
        case 0x0000000000544547: .get
        case 0x0000000044414548: .head
        case 0x0000000054534f50: .post
        case 0x0000000000545550: .put
        case 0x00004554454c4544: .delete
        case 0x00534e4f4954504f: .options
        case 0x0000004543415254: .trace
        case 0x005443454e4e4f43: .connect
        case 0x0000004843544150: .patch
        case 0x444e4946504f5250: .propfind
        case 0x0000004c4f434b4d: .mkcol
        case 0x0000000059504f43: .copy
        case 0x0000000045564f4d: .move
        case 0x000000004b434f4c: .lock
        case 0x00004b434f4c4e55: .unlock
        default: .other
        }
    }
}
