/// A field name that Goodgate knows, as a small number: comparing two names is comparing two bytes.
///
/// `unknown` is 0. The numbers are an implementation detail of one build and must not be stored.
public struct HeaderToken: RawRepresentable, Equatable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
}

extension HeaderToken {
    /// Compared as numbers: the standard library's `==` for raw representables is a generic call.
    @inlinable public static func == (left: HeaderToken, right: HeaderToken) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static var unknown: HeaderToken { HeaderToken(rawValue: 0) }
    @inlinable public static var host: HeaderToken { HeaderToken(rawValue: 1) }
    @inlinable public static var connection: HeaderToken { HeaderToken(rawValue: 2) }
    @inlinable public static var contentLength: HeaderToken { HeaderToken(rawValue: 3) }
    @inlinable public static var transferEncoding: HeaderToken { HeaderToken(rawValue: 4) }
    @inlinable public static var upgrade: HeaderToken { HeaderToken(rawValue: 5) }
    @inlinable public static var expect: HeaderToken { HeaderToken(rawValue: 6) }
    @inlinable public static var te: HeaderToken { HeaderToken(rawValue: 7) }
    @inlinable public static var trailer: HeaderToken { HeaderToken(rawValue: 8) }
    @inlinable public static var keepAlive: HeaderToken { HeaderToken(rawValue: 9) }
    @inlinable public static var proxyConnection: HeaderToken { HeaderToken(rawValue: 10) }
    @inlinable public static var proxyAuthenticate: HeaderToken { HeaderToken(rawValue: 11) }
    @inlinable public static var proxyAuthorization: HeaderToken { HeaderToken(rawValue: 12) }
    @inlinable public static var range: HeaderToken { HeaderToken(rawValue: 13) }
    @inlinable public static var ifRange: HeaderToken { HeaderToken(rawValue: 14) }
    @inlinable public static var ifModifiedSince: HeaderToken { HeaderToken(rawValue: 15) }
    @inlinable public static var ifUnmodifiedSince: HeaderToken { HeaderToken(rawValue: 16) }
    @inlinable public static var ifMatch: HeaderToken { HeaderToken(rawValue: 17) }
    @inlinable public static var ifNoneMatch: HeaderToken { HeaderToken(rawValue: 18) }
    @inlinable public static var userAgent: HeaderToken { HeaderToken(rawValue: 19) }
    @inlinable public static var referer: HeaderToken { HeaderToken(rawValue: 20) }
    @inlinable public static var acceptEncoding: HeaderToken { HeaderToken(rawValue: 21) }
    @inlinable public static var accept: HeaderToken { HeaderToken(rawValue: 22) }
    @inlinable public static var acceptLanguage: HeaderToken { HeaderToken(rawValue: 23) }
    @inlinable public static var acceptCharset: HeaderToken { HeaderToken(rawValue: 24) }
    @inlinable public static var via: HeaderToken { HeaderToken(rawValue: 25) }
    @inlinable public static var authorization: HeaderToken { HeaderToken(rawValue: 26) }
    @inlinable public static var cookie: HeaderToken { HeaderToken(rawValue: 27) }
    @inlinable public static var xForwardedFor: HeaderToken { HeaderToken(rawValue: 28) }
    @inlinable public static var xForwardedProto: HeaderToken { HeaderToken(rawValue: 29) }
    @inlinable public static var xForwardedHost: HeaderToken { HeaderToken(rawValue: 30) }
    @inlinable public static var xForwardedPort: HeaderToken { HeaderToken(rawValue: 31) }
    @inlinable public static var xRealIP: HeaderToken { HeaderToken(rawValue: 32) }
    @inlinable public static var forwarded: HeaderToken { HeaderToken(rawValue: 33) }
    @inlinable public static var xRequestID: HeaderToken { HeaderToken(rawValue: 34) }
    @inlinable public static var date: HeaderToken { HeaderToken(rawValue: 35) }
    @inlinable public static var server: HeaderToken { HeaderToken(rawValue: 36) }
    @inlinable public static var contentType: HeaderToken { HeaderToken(rawValue: 37) }
    @inlinable public static var lastModified: HeaderToken { HeaderToken(rawValue: 38) }
    @inlinable public static var etag: HeaderToken { HeaderToken(rawValue: 39) }
    @inlinable public static var location: HeaderToken { HeaderToken(rawValue: 40) }
    @inlinable public static var refresh: HeaderToken { HeaderToken(rawValue: 41) }
    @inlinable public static var setCookie: HeaderToken { HeaderToken(rawValue: 42) }
    @inlinable public static var cacheControl: HeaderToken { HeaderToken(rawValue: 43) }
    @inlinable public static var expires: HeaderToken { HeaderToken(rawValue: 44) }
    @inlinable public static var contentEncoding: HeaderToken { HeaderToken(rawValue: 45) }
    @inlinable public static var contentRange: HeaderToken { HeaderToken(rawValue: 46) }
    @inlinable public static var acceptRanges: HeaderToken { HeaderToken(rawValue: 47) }
    @inlinable public static var wwwAuthenticate: HeaderToken { HeaderToken(rawValue: 48) }
    @inlinable public static var link: HeaderToken { HeaderToken(rawValue: 49) }
    @inlinable public static var allow: HeaderToken { HeaderToken(rawValue: 50) }
    @inlinable public static var vary: HeaderToken { HeaderToken(rawValue: 51) }
    @inlinable public static var xAccelRedirect: HeaderToken { HeaderToken(rawValue: 52) }
    @inlinable public static var xAccelExpires: HeaderToken { HeaderToken(rawValue: 53) }
    @inlinable public static var xAccelBuffering: HeaderToken { HeaderToken(rawValue: 54) }
    @inlinable public static var xAccelCharset: HeaderToken { HeaderToken(rawValue: 55) }
    @inlinable public static var xAccelLimitRate: HeaderToken { HeaderToken(rawValue: 56) }
    @inlinable public static var xPad: HeaderToken { HeaderToken(rawValue: 57) }
    @inlinable public static var status: HeaderToken { HeaderToken(rawValue: 58) }
    @inlinable public static var pragma: HeaderToken { HeaderToken(rawValue: 59) }
    @inlinable public static var age: HeaderToken { HeaderToken(rawValue: 60) }
    @inlinable public static var contentLanguage: HeaderToken { HeaderToken(rawValue: 61) }
    @inlinable public static var contentDisposition: HeaderToken { HeaderToken(rawValue: 62) }
    @inlinable public static var retryAfter: HeaderToken { HeaderToken(rawValue: 63) }
    @inlinable public static var origin: HeaderToken { HeaderToken(rawValue: 64) }
    @inlinable public static var maxForwards: HeaderToken { HeaderToken(rawValue: 65) }
    @inlinable public static var http2Settings: HeaderToken { HeaderToken(rawValue: 66) }
    @inlinable public static var upgradeInsecureRequests: HeaderToken { HeaderToken(rawValue: 67) }
    @inlinable public static var idempotencyKey: HeaderToken { HeaderToken(rawValue: 68) }
    @inlinable public static var proxyStatus: HeaderToken { HeaderToken(rawValue: 69) }
    @inlinable public static var secWebsocketKey: HeaderToken { HeaderToken(rawValue: 70) }
    @inlinable public static var secWebsocketVersion: HeaderToken { HeaderToken(rawValue: 71) }
    @inlinable public static var secWebsocketProtocol: HeaderToken { HeaderToken(rawValue: 72) }
    @inlinable public static var secWebsocketExtensions: HeaderToken { HeaderToken(rawValue: 73) }
    @inlinable public static var secWebsocketAccept: HeaderToken { HeaderToken(rawValue: 74) }
    @inlinable public static var destination: HeaderToken { HeaderToken(rawValue: 75) }
    @inlinable public static var depth: HeaderToken { HeaderToken(rawValue: 76) }
    @inlinable public static var overwrite: HeaderToken { HeaderToken(rawValue: 77) }
    @inlinable public static var traceparent: HeaderToken { HeaderToken(rawValue: 78) }
    @inlinable public static var strictTransportSecurity: HeaderToken { HeaderToken(rawValue: 79) }
    @inlinable public static var xFrameOptions: HeaderToken { HeaderToken(rawValue: 80) }
    @inlinable public static var xContentTypeOptions: HeaderToken { HeaderToken(rawValue: 81) }
    @inlinable public static var xPoweredBy: HeaderToken { HeaderToken(rawValue: 82) }
    @inlinable public static var accessControlAllowOrigin: HeaderToken { HeaderToken(rawValue: 83) }
    @inlinable public static var secFetchSite: HeaderToken { HeaderToken(rawValue: 84) }
    @inlinable public static var secFetchMode: HeaderToken { HeaderToken(rawValue: 85) }
    @inlinable public static var secFetchDest: HeaderToken { HeaderToken(rawValue: 86) }
    @inlinable public static var secFetchUser: HeaderToken { HeaderToken(rawValue: 87) }
    @inlinable public static var priority: HeaderToken { HeaderToken(rawValue: 88) }
    @inlinable public static var altSvc: HeaderToken { HeaderToken(rawValue: 89) }
    @inlinable public static var earlyData: HeaderToken { HeaderToken(rawValue: 90) }
    @inlinable public static var warning: HeaderToken { HeaderToken(rawValue: 91) }
    @inlinable public static var contentSecurityPolicy: HeaderToken { HeaderToken(rawValue: 92) }
    @inlinable public static var referrerPolicy: HeaderToken { HeaderToken(rawValue: 93) }
    @inlinable public static var authenticationInfo: HeaderToken { HeaderToken(rawValue: 94) }

    /// Number of tokens, `unknown` included: raw values are below it. At most 128 (`TokenSet`).
    public static var count: Int { 95 }
}

extension HeaderToken {
    /// The name as it is usually spelt, "Content-Length"; empty for `unknown`. Immortal.
    public var name: ByteView {
        switch rawValue {
        case 1: "Host"
        case 2: "Connection"
        case 3: "Content-Length"
        case 4: "Transfer-Encoding"
        case 5: "Upgrade"
        case 6: "Expect"
        case 7: "TE"
        case 8: "Trailer"
        case 9: "Keep-Alive"
        case 10: "Proxy-Connection"
        case 11: "Proxy-Authenticate"
        case 12: "Proxy-Authorization"
        case 13: "Range"
        case 14: "If-Range"
        case 15: "If-Modified-Since"
        case 16: "If-Unmodified-Since"
        case 17: "If-Match"
        case 18: "If-None-Match"
        case 19: "User-Agent"
        case 20: "Referer"
        case 21: "Accept-Encoding"
        case 22: "Accept"
        case 23: "Accept-Language"
        case 24: "Accept-Charset"
        case 25: "Via"
        case 26: "Authorization"
        case 27: "Cookie"
        case 28: "X-Forwarded-For"
        case 29: "X-Forwarded-Proto"
        case 30: "X-Forwarded-Host"
        case 31: "X-Forwarded-Port"
        case 32: "X-Real-IP"
        case 33: "Forwarded"
        case 34: "X-Request-ID"
        case 35: "Date"
        case 36: "Server"
        case 37: "Content-Type"
        case 38: "Last-Modified"
        case 39: "ETag"
        case 40: "Location"
        case 41: "Refresh"
        case 42: "Set-Cookie"
        case 43: "Cache-Control"
        case 44: "Expires"
        case 45: "Content-Encoding"
        case 46: "Content-Range"
        case 47: "Accept-Ranges"
        case 48: "WWW-Authenticate"
        case 49: "Link"
        case 50: "Allow"
        case 51: "Vary"
        case 52: "X-Accel-Redirect"
        case 53: "X-Accel-Expires"
        case 54: "X-Accel-Buffering"
        case 55: "X-Accel-Charset"
        case 56: "X-Accel-Limit-Rate"
        case 57: "X-Pad"
        case 58: "Status"
        case 59: "Pragma"
        case 60: "Age"
        case 61: "Content-Language"
        case 62: "Content-Disposition"
        case 63: "Retry-After"
        case 64: "Origin"
        case 65: "Max-Forwards"
        case 66: "HTTP2-Settings"
        case 67: "Upgrade-Insecure-Requests"
        case 68: "Idempotency-Key"
        case 69: "Proxy-Status"
        case 70: "Sec-WebSocket-Key"
        case 71: "Sec-WebSocket-Version"
        case 72: "Sec-WebSocket-Protocol"
        case 73: "Sec-WebSocket-Extensions"
        case 74: "Sec-WebSocket-Accept"
        case 75: "Destination"
        case 76: "Depth"
        case 77: "Overwrite"
        case 78: "Traceparent"
        case 79: "Strict-Transport-Security"
        case 80: "X-Frame-Options"
        case 81: "X-Content-Type-Options"
        case 82: "X-Powered-By"
        case 83: "Access-Control-Allow-Origin"
        case 84: "Sec-Fetch-Site"
        case 85: "Sec-Fetch-Mode"
        case 86: "Sec-Fetch-Dest"
        case 87: "Sec-Fetch-User"
        case 88: "Priority"
        case 89: "Alt-Svc"
        case 90: "Early-Data"
        case 91: "Warning"
        case 92: "Content-Security-Policy"
        case 93: "Referrer-Policy"
        case 94: "Authentication-Info"
        default: ByteView()
        }
    }

    /// Whether the name concerns one connection only and is never forwarded as it is (RFC 9110, 7.6.1).
    @inlinable public var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade: true
        default: false
        }
    }

    /// Whether a client may send it once only: nginx answers 400 to a second line.
    @inlinable public var isUniqueInRequest: Bool {
        switch self {
        case .host, .ifModifiedSince, .ifUnmodifiedSince, .ifMatch, .ifNoneMatch, .contentLength, .contentRange,
            .ifRange, .transferEncoding, .expect, .authorization, .proxyAuthorization:
            true
        default: false
        }
    }

    /// Whether nginx takes the first line of an upstream's answer and ignores the others.
    @inlinable public var isUniqueInResponse: Bool {
        switch self {
        case .status, .contentType, .date, .lastModified, .etag, .server, .location, .refresh, .expires,
            .xAccelExpires, .xAccelRedirect, .xAccelLimitRate:
            true
        default: false
        }
    }

    /// Whether `Connection` of a client cannot make us drop it: framing, routing, and what a gateway itself sets.
    @inlinable public var isProtectedFromConnection: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .xForwardedFor, .xForwardedProto, .xForwardedHost,
            .xForwardedPort, .xRealIP, .forwarded, .xRequestID:
            true
        default: false
        }
    }
}
