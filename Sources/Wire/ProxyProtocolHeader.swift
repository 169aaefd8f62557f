/// What a header of the PROXY protocol says.
public struct ProxyProtocolHeader: Equatable, Sendable {
    /// Bytes of the header, to be skipped.
    public var length: Int
    /// Nil for UNKNOWN, LOCAL and families other than IP over a stream.
    public var source: IPAddress?
    public var destination: IPAddress?
    /// The addresses as version 1 wrote them (`$proxy_protocol_addr`); empty in version 2, where `IPAddress.write`
    /// gives the text.
    public var sourceText = ByteRange()
    public var destinationText = ByteRange()
    /// Where the TLVs are (version 2); empty if there are none.
    public var tlvs = ByteRange()

    public init(length: Int) { self.length = length }
}
