import Loop
import Wire

/// The answer's head as the filters see it; `sendHeader` writes it out (nginx: headers_out).
struct AnswerHead: ~Copyable {
    /// Status to send; 0 until somebody decides.
    var status = 0
    /// The upstream's own reason phrase with status, `404 Nope`; nil for the standard one.
    var statusLine: ByteView?
    /// -1: unknown, so chunked or until close.
    var contentLength: Int64 = -1
    var contentType: ByteView?
    /// Part of `contentType` before `;`, for types lists.
    var contentTypeBare: ByteView?
    var charset: ByteView?
    /// Seconds since 1970, -1: none.
    var lastModified: Int64 = -1
    var etag: ByteView?
    /// Target of a redirect; made absolute when written.
    var location: ByteView?
    var date: ByteView?
    var server: ByteView?
    var contentEncoding: ByteView?
    /// Ranges may be served (Accept-Ranges).
    var allowsRanges = false
    var fields = Table<HeaderField>(capacity: 24)
    var trailers = Table<HeaderField>(capacity: 1)
    /// add Vary: Accept-Encoding (gzip_vary).
    var addsVary = false
    var hasExpires = false

    init() {}

    mutating func reset() {
        status = 0
        statusLine = nil
        contentLength = -1
        contentType = nil
        contentTypeBare = nil
        charset = nil
        lastModified = -1
        etag = nil
        location = nil
        date = nil
        server = nil
        contentEncoding = nil
        allowsRanges = false
        addsVary = false
        hasExpires = false
        fields.removeAll()
        trailers.removeAll()
    }

    /// Forgets what an abandoned answer had set, for an error page.
    mutating func clearForErrorPage() {
        let kept = status
        reset()
        status = kept
    }

    mutating func setContentType(_ type: ByteView) {
        contentType = type
        if let semicolon = type.firstIndex(of: 0x3b) {
            var bare = type[0..<semicolon]
            while bare.last == 0x20 { bare = bare.dropLast() }
            contentTypeBare = bare
        } else {
            contentTypeBare = type
        }
    }

    func field(_ token: HeaderToken) -> ByteView? {
        for index in fields.indices where fields[index].token == token && !fields[index].isRemoved { return fields[index].value }
        return nil
    }

    mutating func append(_ name: ByteView, _ value: ByteView, token: HeaderToken = .unknown) {
        fields.append(HeaderField(name: name, value: value, token: token))
    }
}
