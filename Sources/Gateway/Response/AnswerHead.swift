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
    /// Text of Last-Modified as an upstream or add_header gives it; nil: `lastModified` as a date.
    var lastModifiedText: ByteView?
    /// Target of a redirect; made absolute when written.
    var location: ByteView?
    var date: ByteView?
    var server: ByteView?
    /// Ranges may be served (Accept-Ranges).
    var allowsRanges = false
    /// At most one range may be served: the body does not come in one piece.
    var allowsOneRangeOnly = false
    var fields = Table<HeaderField>(capacity: 4)
    var trailers = Table<HeaderField>(capacity: 1)
    /// add Vary: Accept-Encoding (gzip_vary).
    var addsVary = false
    /// If-Match and its like are not looked at: an origin did (nginx: disable_not_modified).
    var skipsConditions = false
    /// Location whose add_header and expires are already in `fields`, -1 none: an answer that turns into an error page passes them twice.
    var configuredBy = -1

    init() {}

    /// A page shown with another status is not the resource: its date is not told.
    var showsLastModified: Bool { status == 200 || status == 206 || status == 304 }
    /// Value of the ETag field, with its quotes.
    var etag: ByteView? { field(.etag) }
    /// Value of the Content-Encoding field.
    var contentEncoding: ByteView? { field(.contentEncoding) }

    mutating func reset() {
        resetHead()
        fields.removeAll()
    }

    /// Everything but the fields.
    private mutating func resetHead() {
        status = 0
        statusLine = nil
        contentLength = -1
        contentType = nil
        contentTypeBare = nil
        charset = nil
        lastModified = -1
        lastModifiedText = nil
        location = nil
        date = nil
        server = nil
        allowsRanges = false
        allowsOneRangeOnly = false
        skipsConditions = false
        addsVary = false
        configuredBy = -1
        trailers.removeAll()
    }

    /// Forgets what described the body of an abandoned answer, for an error page. Other fields stay (nginx: WWW-Authenticate,
    /// Content-Range of 416, cookies).
    mutating func clearForErrorPage() {
        statusLine = nil
        contentLength = -1
        contentType = nil
        contentTypeBare = nil
        charset = nil
        location = nil
        clearBodyFields()
    }

    /// Takes away what holds for the abandoned body only.
    private mutating func clearBodyFields() {
        lastModified = -1
        lastModifiedText = nil
        allowsRanges = false
        allowsOneRangeOnly = false
        skipsConditions = false
        addsVary = false
        remove(.etag)
        remove(.contentEncoding)
        remove(.acceptRanges)
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

    /// Takes all fields of this name away.
    mutating func remove(_ token: HeaderToken) {
        for index in fields.indices where fields[index].token == token { fields[index].isRemoved = true }
    }

    /// Gives the first field of this name a value and takes the others away; appends it if there is none.
    mutating func set(_ name: ByteView, _ value: ByteView, token: HeaderToken) {
        var isSet = false
        for index in fields.indices where fields[index].token == token && !fields[index].isRemoved {
            if isSet { fields[index].isRemoved = true } else {
                fields[index].name = name
                fields[index].value = value
            }
            isSet = true
        }
        if !isSet { append(name, value, token: token) }
    }

    mutating func append(_ name: ByteView, _ value: ByteView, token: HeaderToken = .unknown) {
        fields.append(HeaderField(name: name, value: value, token: token))
    }
}
