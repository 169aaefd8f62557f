extension Sequence<UInt8> {
    /// FNV-1a: the same for the same bytes in every build, so that it may be written to disk. Not against an adversary.
    package var fingerprint: UInt64 { reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } }
}
