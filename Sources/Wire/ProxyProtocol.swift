/// The header of the PROXY protocol, versions 1 and 2.
package struct ProxyProtocolHeader: Equatable, Sendable {
    /// Bytes of the header, to be skipped.
    package var length: Int
    /// Nil for UNKNOWN, LOCAL and families other than IP.
    package var source: ProxyAddress?
    package var destination: ProxyAddress?
    /// The addresses as version 1 wrote them (`$proxy_protocol_addr`); empty in version 2, where `ProxyAddress.write`
    /// gives the text.
    package var sourceText: ByteRange
    package var destinationText: ByteRange
    /// Where the TLVs are (version 2); empty if there are none.
    package var tlvs: ByteRange
}

/// An address of a PROXY header: 4 or 16 bytes (network order) with a port.
package struct ProxyAddress: Equatable, Sendable {
    package var high: UInt64
    package var low: UInt64
    package var port: UInt16
    package var isIPv6: Bool
}

package enum ProxyProtocol {
    package enum Outcome: Equatable, Sendable {
        case needMore
        case complete(ProxyProtocolHeader)
        /// Not a PROXY header: close the connection ("broken header").
        case failed
    }

    /// Longest version 1 header, in bytes.
    package static var maxV1Length: Int { 107 }
    /// Longest header that is accepted, in bytes.
    package static var maxLength: Int { 4096 }

    /// Parses what a connection begins with. `bytes` are all bytes so far.
    package static func parse(_ bytes: ByteView) -> Outcome { .failed }

    /// Value of a TLV, by the name that nginx's `$proxy_protocol_tlv_NAME` uses: "alpn", "authority", "unique_id", "ssl",
    /// "netns", "ssl_verify", "ssl_version", "ssl_cn", "ssl_cipher", "ssl_sig_alg", "ssl_key_alg", or a number ("0x01").
    package static func tlv(_ name: ByteView, _ header: ProxyProtocolHeader, _ bytes: ByteView) -> ByteView? { nil }

    /// Appends "PROXY TCP4 SRC DST SPORT DPORT CRLF"; with nil addresses "PROXY UNKNOWN CRLF".
    @discardableResult
    package static func writeV1(source: ProxyAddress?, destination: ProxyAddress?, into writer: inout ByteWriter) -> Bool { false }
}

extension ProxyAddress {
    /// Appends the address as text, IPv6 without brackets, zeros compressed.
    @discardableResult
    package func write(into writer: inout ByteWriter) -> Bool { false }
}
