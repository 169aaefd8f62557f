/// What both ends of a channel agree on: sizes, the layout version, and where the channel is.
///
/// A channel is one `SOCK_SEQPACKET` pair per child process: one message is one packet, boundaries are kept by the kernel, and
/// descriptors travel beside the bytes by `SCM_RIGHTS` and are named in the message by their index.
package enum MessageLimits {
    /// Version of the layout. A peer that speaks another one is refused at its first packet (`MessageError.version`).
    package static let version: UInt8 = 2
    /// Largest packet in bytes, header included.
    package static let packetBytesMax = 32 * 1024
    /// Room for a list in a packet, beside the header and a few fields.
    package static let listBytesMax = packetBytesMax - 64
    /// Most descriptors beside one packet (Linux allows 253; `CS_DESCRIPTORS_MAX` is 64).
    package static let descriptorsMax = 60
    /// Longest text field in bytes (paths, names, error texts). Longer ones are cut by the sender.
    package static let textBytesMax = 4096
    /// Most supplementary groups in `WorkerIdentity`.
    package static let groupsMax = 512
    /// The descriptor number at which a child finds its end of the channel after exec.
    package static let channelDescriptor: Int32 = 3
}
