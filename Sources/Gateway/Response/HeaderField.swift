import Loop
import Wire

/// A header field of a request or a response, pointing into a head buffer, an arena or configuration.
struct HeaderField: BitwiseCopyable {
    var name: ByteView
    var value: ByteView
    var token: HeaderToken
    /// Concerns one connection only (RFC 9110, 7.6.1): never forwarded.
    var isHopByHop = false
    /// Removed by a filter: skipped by everybody.
    var isRemoved = false
}
