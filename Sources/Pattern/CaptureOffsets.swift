package import Wire

/// Places of the groups of one match. Reused between matches; grows once.
package struct CaptureOffsets: Sendable {
    private var ranges: [ByteRange] = []
    /// Groups, group 0 included.
    package private(set) var count = 0

    package init() {}

    /// The group's place in the subject; nil if the group does not exist or took no part.
    package subscript(number: Int) -> ByteRange? { nil }
    package func view(_ number: Int, _ subject: ByteView) -> ByteView? { self[number]?.view(subject) }
}
