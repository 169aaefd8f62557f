extension HeaderToken {
    /// The token of a name, in any case; `unknown` if it is not in the table. O(name length), no allocation.
    public static func lookup(_ name: ByteView) -> HeaderToken {
        guard name.count > 0, name.count <= 32 else { return .unknown }
        let first = name.foldedWord(at: 0, length: min(8, name.count))
        let last = name.count > 8 ? name.foldedWord(at: name.count - 8, length: 8) : 0
        let token = candidate(length: name.count, first: first, last: last)
        // Folding by 0x20 maps a few bytes that no name holds onto letters, and the words skip the middle.
        return token != .unknown && token.name.equalsIgnoringCase(name) ? token : .unknown
    }

    /// The only token that may have these folded first and last eight bytes. Exact for names of at most 16 bytes
    /// out of letters, digits and "-"; for longer ones the caller compares the middle.
    @inline(__always)
    static func candidate(length: Int, first: UInt64, last: UInt64) -> HeaderToken {
        switch length {
        case 2: candidate2(first)
        case 3: candidate3(first)
        case 4: candidate4(first)
        case 5: candidate5(first)
        case 6: candidate6(first)
        case 7: candidate7(first)
        case 8: candidate8(first)
        case 9: candidate9(first, last)
        case 10: candidate10(first, last)
        case 11: candidate11(first, last)
        case 12: candidate12(first, last)
        case 13: candidate13(first, last)
        case 14: candidate14(first, last)
        case 15: candidate15(first, last)
        case 16: candidate16(first, last)
        case 17: candidate17(first, last)
        case 18: candidate18(first, last)
        case 19: candidate19(first, last)
        case 20: candidate20(first, last)
        case 21: candidate21(first, last)
        case 22: candidate22(first, last)
        case 23: candidate23(first, last)
        case 24: candidate24(first, last)
        case 25: candidate25(first, last)
        case 27: candidate27(first, last)
        default: .unknown
        }
    }
}

extension HeaderToken {
    @inline(__always)
    private static func candidate2(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x0000000000006574: .te
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate3(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x0000000000616976: .via
        case 0x0000000000656761: .age
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate4(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x0000000074736f68: .host
        case 0x0000000065746164: .date
        case 0x0000000067617465: .etag
        case 0x000000006b6e696c: .link
        case 0x0000000079726176: .vary
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate5(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x00000065676e6172: .range
        case 0x000000776f6c6c61: .allow
        case 0x0000006461702d78: .xPad
        case 0x0000006874706564: .depth
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate6(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x0000746365707865: .expect
        case 0x0000747065636361: .accept
        case 0x000065696b6f6f63: .cookie
        case 0x0000726576726573: .server
        case 0x0000737574617473: .status
        case 0x0000616d67617270: .pragma
        case 0x00006e696769726f: .origin
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate7(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x0065646172677075: .upgrade
        case 0x0072656c69617274: .trailer
        case 0x0072657265666572: .referer
        case 0x0068736572666572: .refresh
        case 0x0073657269707865: .expires
        case 0x006376732d746c61: .altSvc
        case 0x00676e696e726177: .warning
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate8(_ first: UInt64) -> HeaderToken {
        switch first {
        case 0x65676e61722d6669: .ifRange
        case 0x686374616d2d6669: .ifMatch
        case 0x6e6f697461636f6c: .location
        case 0x797469726f697270: .priority
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate9(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x692d6c6165722d78, 0x70692d6c6165722d): .xRealIP
        case (0x6564726177726f66, 0x646564726177726f): .forwarded
        case (0x746972777265766f, 0x6574697277726576): .overwrite
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate10(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x697463656e6e6f63, 0x6e6f697463656e6e): .connection
        case (0x696c612d7065656b, 0x6576696c612d7065): .keepAlive
        case (0x6567612d72657375, 0x746e6567612d7265): .userAgent
        case (0x6b6f6f632d746573, 0x65696b6f6f632d74): .setCookie
        case (0x61642d796c726165, 0x617461642d796c72): .earlyData
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate11(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x66612d7972746572, 0x72657466612d7972): .retryAfter
        case (0x74616e6974736564, 0x6e6f6974616e6974): .destination
        case (0x7261706563617274, 0x746e657261706563): .traceparent
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate12(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x7365757165722d78, 0x64692d7473657571): .xRequestID
        case (0x2d746e65746e6f63, 0x657079742d746e65): .contentType
        case (0x77726f662d78616d, 0x7364726177726f66): .maxForwards
        case (0x74732d79786f7270, 0x7375746174732d79): .proxyStatus
        case (0x657265776f702d78, 0x79622d6465726577): .xPoweredBy
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate13(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x2d656e6f6e2d6669, 0x686374616d2d656e): .ifNoneMatch
        case (0x7a69726f68747561, 0x6e6f6974617a6972): .authorization
        case (0x646f6d2d7473616c, 0x6465696669646f6d): .lastModified
        case (0x6f632d6568636163, 0x6c6f72746e6f632d): .cacheControl
        case (0x2d746e65746e6f63, 0x65676e61722d746e): .contentRange
        case (0x722d747065636361, 0x7365676e61722d74): .acceptRanges
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate14(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x2d746e65746e6f63, 0x6874676e656c2d74): .contentLength
        case (0x632d747065636361, 0x746573726168632d): .acceptCharset
        case (0x65732d3270747468, 0x73676e6974746573): .http2Settings
        case (0x637465662d636573, 0x657469732d686374): .secFetchSite
        case (0x637465662d636573, 0x65646f6d2d686374): .secFetchMode
        case (0x637465662d636573, 0x747365642d686374): .secFetchDest
        case (0x637465662d636573, 0x726573752d686374): .secFetchUser
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate15(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x652d747065636361, 0x676e69646f636e65): .acceptEncoding
        case (0x6c2d747065636361, 0x65676175676e616c): .acceptLanguage
        case (0x726177726f662d78, 0x726f662d64656472): .xForwardedFor
        case (0x2d6c656363612d78, 0x736572697078652d): .xAccelExpires
        case (0x2d6c656363612d78, 0x746573726168632d): .xAccelCharset
        case (0x65746f706d656469, 0x79656b2d79636e65): .idempotencyKey
        case (0x2d656d6172662d78, 0x736e6f6974706f2d): .xFrameOptions
        case (0x7265727265666572, 0x7963696c6f702d72): .referrerPolicy
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate16(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x6f632d79786f7270, 0x6e6f697463656e6e): .proxyConnection
        case (0x726177726f662d78, 0x74736f682d646564): .xForwardedHost
        case (0x726177726f662d78, 0x74726f702d646564): .xForwardedPort
        case (0x2d746e65746e6f63, 0x676e69646f636e65): .contentEncoding
        case (0x687475612d777777, 0x6574616369746e65): .wwwAuthenticate
        case (0x2d6c656363612d78, 0x7463657269646572): .xAccelRedirect
        case (0x2d746e65746e6f63, 0x65676175676e616c): .contentLanguage
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate17(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x726566736e617274, 0x676e69646f636e65): .transferEncoding
        case (0x6669646f6d2d6669, 0x65636e69732d6465): .ifModifiedSince
        case (0x726177726f662d78, 0x6f746f72702d6465): .xForwardedProto
        case (0x2d6c656363612d78, 0x676e697265666675): .xAccelBuffering
        case (0x736265772d636573, 0x79656b2d74656b63): .secWebsocketKey
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate18(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x75612d79786f7270, 0x6574616369746e65): .proxyAuthenticate
        case (0x2d6c656363612d78, 0x657461722d74696d): .xAccelLimitRate
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate19(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x75612d79786f7270, 0x6e6f6974617a6972): .proxyAuthorization
        case (0x646f6d6e752d6669, 0x65636e69732d6465): .ifUnmodifiedSince
        case (0x2d746e65746e6f63, 0x6e6f697469736f70): .contentDisposition
        case (0x69746e6568747561, 0x6f666e692d6e6f69): .authenticationInfo
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate20(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x736265772d636573, 0x7470656363612d74): .secWebsocketAccept
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate21(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x736265772d636573, 0x6e6f69737265762d): .secWebsocketVersion
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate22(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x736265772d636573, 0x6c6f636f746f7270): .secWebsocketProtocol
        case (0x6e65746e6f632d78, 0x736e6f6974706f2d): .xContentTypeOptions
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate23(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x2d746e65746e6f63, 0x7963696c6f702d79): .contentSecurityPolicy
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate24(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x736265772d636573, 0x736e6f69736e6574): .secWebsocketExtensions
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate25(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x2d65646172677075, 0x7374736575716572): .upgradeInsecureRequests
        case (0x742d746369727473, 0x7974697275636573): .strictTransportSecurity
        default: .unknown
        }
    }

    @inline(__always)
    private static func candidate27(_ first: UInt64, _ last: UInt64) -> HeaderToken {
        switch (first, last) {
        case (0x632d737365636361, 0x6e696769726f2d77): .accessControlAllowOrigin
        default: .unknown
        }
    }
}
