/// What a header of the PROXY protocol says.
package struct ProxyProtocolHeader: Equatable, Sendable {
    /// Bytes of the header, to be skipped.
    package var length: Int
    /// Nil for UNKNOWN, LOCAL and families other than IP over a stream.
    package var source: ProxyAddress?
    package var destination: ProxyAddress?
    /// The addresses as version 1 wrote them (`$proxy_protocol_addr`); empty in version 2, where `ProxyAddress.write`
    /// gives the text.
    package var sourceText = ByteRange()
    package var destinationText = ByteRange()
    /// Where the TLVs are (version 2); empty if there are none.
    package var tlvs = ByteRange()

    package init(length: Int) { self.length = length }
}
