/// Paths, queries and escapes, with nginx's meaning.
package enum URI {
    /// What `normalise` found.
    package enum NormaliseResult: Equatable, Sendable {
        /// - pathLength: bytes of the decoded path that were appended.
        /// - query: the query in the input, without "?"; nil if there is none.
        /// - hasQuoted: a "%xx" was decoded. - hasPlus: the path holds "+".
        case path(pathLength: Int, query: ByteRange?, hasQuoted: Bool, hasPlus: Bool)
        /// Bad "%xx", NUL, or ".." above the root: 400.
        case invalid
        /// The path does not fit; it never needs more than `target.count + 1` bytes.
        case full
    }

    /// Decodes and cleans a request target's path: "%xx", "/./", "/../", "//" (with `mergeSlashes`), "#" ends it.
    ///
    /// - Parameter target: path and query as sent, beginning with "/" or, where the path is empty, with "?" or nothing.
    package static func normalise(_ target: ByteView, mergeSlashes: Bool, into writer: inout ByteWriter) -> NormaliseResult { .invalid }

    /// The extension of a path (`$uri` "a.b/c.tar.gz" has "gz"): what follows the last "." after the last "/".
    package static func fileExtension(of path: ByteView) -> ByteView { ByteView() }

    /// Which bytes `escape` writes as "%XX".
    package enum EscapeKind: UInt8, Sendable {
        /// Paths in redirects and upstream requests: " ", "#", "%", "?", controls and bytes from 0x7f.
        case uri
        /// Arguments: also "&", "+", ";" … as nginx's `NGX_ESCAPE_ARGS`.
        case args
        /// All but unreserved characters.
        case uriComponent
        /// HTML's special characters in an URI context (`NGX_ESCAPE_HTML`).
        case html
        /// `Refresh` and automatic redirects: as `uri`, but "%" and "?" stay.
        case refresh
        /// Keys of memcached: space, "%", controls.
        case memcached
        /// Keys of mail authentication.
        case mailAuth
    }

    /// Whether `escape` would change anything. O(n).
    package static func needsEscape(_ bytes: ByteView, _ kind: EscapeKind) -> Bool { false }
    /// Appends the escaped bytes; false if they do not fit (at most three times as many).
    @discardableResult
    package static func escape(_ bytes: ByteView, _ kind: EscapeKind, into writer: inout ByteWriter) -> Bool { false }
    /// Appends bytes with `& < > " '` as HTML entities (`ngx_escape_html`).
    @discardableResult
    package static func escapeHTML(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool { false }
    /// Appends bytes as the inside of a JSON string (`ngx_escape_json`).
    @discardableResult
    package static func escapeJSON(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool { false }

    /// How `unescape` ends.
    package enum UnescapeKind: UInt8, Sendable {
        /// All of it.
        case all
        /// Stops at "?" (`NGX_UNESCAPE_URI`).
        case uri
        /// Leaves encoded controls, space, "%" and bytes from 0x7f encoded (`NGX_UNESCAPE_REDIRECT`).
        case redirect
    }

    /// Appends the bytes with "%xx" decoded; broken escapes are copied. False if they do not fit.
    @discardableResult
    package static func unescape(_ bytes: ByteView, _ kind: UnescapeKind = .all, into writer: inout ByteWriter) -> Bool { false }

    /// Splits at the first "?". The query is nil if there is no "?".
    package static func split(_ target: ByteView) -> (path: ByteView, query: ByteView?) { (target, nil) }

    /// Value of an argument, raw; the name is compared without case, as nginx does. O(n).
    package static func argument(_ name: ByteView, in query: ByteView) -> ByteView? { nil }

    /// Checks a URI from an upstream (`X-Accel-Redirect`) or a page (SSI).
    ///
    /// - Returns: path (decoded into the writer if it held "%", else a part of the input) and query; nil if it is unsafe
    ///   (empty, "..", NUL) or does not fit.
    package static func checkUnsafe(_ uri: ByteView, into writer: inout ByteWriter) -> (path: ByteView, query: ByteView?)? { nil }
}
