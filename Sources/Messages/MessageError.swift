/// Why a packet could not be decoded, or a message not be encoded. A receiver logs it, drops the packet, and closes its descriptors.
package enum MessageError: Error, Equatable, Sendable {
    /// The packet ends inside a field.
    case truncated
    /// Bytes are left over after the last field.
    case trailingBytes
    /// The packet does not begin with the mark of this protocol.
    case foreign
    /// The peer speaks another layout version.
    case version(UInt8)
    /// A kind that this version does not know in this direction.
    case unknownKind(UInt16)
    /// A field has a value outside its range (an enumeration, a count, a length, a descriptor index).
    case outOfRange
    /// The message is larger than `MessageLimits.packetBytesMax`.
    case tooLarge
}
