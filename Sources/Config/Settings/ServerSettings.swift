/// `server { }` of `http`.
package struct ServerSettings: Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// `server_name`, in order; at least one.
    package var names: [ServerName] = []
    /// First name in the form of `$server_name`; empty when there is none.
    package var canonicalName: Bytes = []
    package var listens: [ListenSettings] = []
    /// Settings of the request head.
    package var head = HeadSettings()
    /// Settings that hold when no location matches, and while the head is read.
    package var settings: LocationID
    /// Server-level rewrite program.
    package var rewrite = RewriteProgram()
    /// Top-level locations, named ones included, in the order of the files.
    package var locations: [LocationNode] = []

    package init(location: SourceLocation, settings: LocationID) {
        self.location = location
        self.settings = settings
    }
}

/// One name of `server_name`.
package enum ServerName: Hashable, Sendable {
    /// Lower case; may be empty (`""`).
    case exact(Bytes)
    /// `*.example.com`, given as `example.com`.
    case leadingWildcard(Bytes)
    /// `.example.com`, given as `example.com`: the name itself and everything below it.
    case suffix(Bytes)
    /// `www.example.*`, given as `www.example`.
    case trailingWildcard(Bytes)
    case pattern(PatternID)
}

/// Settings for reading a request head; http and server context.
package struct HeadSettings: Hashable, Sendable {
    /// `client_header_buffer_size`.
    package var bufferSize: ByteCount = 1_024
    /// `large_client_header_buffers`: how many…
    package var largeBufferCount = 4
    /// … and how big.
    package var largeBufferSize: ByteCount = 8_192
    /// `client_header_timeout`.
    package var timeout: Milliseconds = 60_000
    /// `ignore_invalid_headers`.
    package var ignoresInvalidFields = true
    /// `underscores_in_headers`.
    package var allowsUnderscores = false
    /// `merge_slashes`.
    package var mergesSlashes = true
    /// `max_headers`: fields of one request.
    package var fieldCountMax = 1_000
    /// `connection_pool_size` (accepted, unused).
    package var connectionPoolSize: ByteCount = 512
    /// `request_pool_size` (accepted, unused).
    package var requestPoolSize: ByteCount = 4_096
    /// `strict_line_endings` (our own): a sole LF does not end a line.
    package var requiresCRLF = false

    package init() {}
}
