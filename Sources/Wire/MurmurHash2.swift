/// MurmurHash2 with nginx's seed: `split_clients` and variables' hashes.
package enum MurmurHash2 {
    package static func hash(_ bytes: ByteView) -> UInt32 { 0 }
}
