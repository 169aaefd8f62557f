import CLinux
import Glibc
package import Wire

/// An open directory, read entry by entry.
@safe
package struct Directory: ~Copyable {
    private let handle: UnsafeMutableRawPointer

    /// What is known of an entry without looking at it.
    package enum EntryKind: UInt8 { case regular, directory, link, unknown, other }

    /// One name, valid until the next call.
    package struct Entry {
        package let name: ByteView
        package let kind: EntryKind
    }

    /// What `next` found.
    package enum Step {
        case entry(Entry)
        case end
        /// With an errno.
        case failed(Int32)
    }

    /// Why a directory did not open.
    package struct Failure: Error {
        package let errno: Int32

        package init(errno: Int32) { self.errno = errno }
    }

    package init(opening path: ByteView) throws(Failure) {
        var handle: UnsafeMutableRawPointer?
        let code = unsafe File.withPath(path) { unsafe cs_open_directory($0, &handle) }
        guard code == 0, let handle = unsafe handle else { throw Failure(errno: -code) }
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe cs_close_directory(handle) }

    /// The next entry, "." and ".." among them, in no order.
    package func next() -> Step {
        var name: UnsafePointer<CChar>?
        var type: Int32 = 0
        let length = unsafe cs_read_directory(handle, &name, &type)
        if length < 0 { return .failed(-length) }
        guard length > 0, let name = unsafe name else { return .end }
        // SAFETY: the name has this length and lives until the next call on the directory, as the doc comment says.
        let view = unsafe ByteView(start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: Int(length))
        return .entry(Entry(name: view, kind: kind(type)))
    }

    private func kind(_ type: Int32) -> EntryKind {
        switch type {
        case Int32(DT_REG): .regular
        case Int32(DT_DIR): .directory
        case Int32(DT_LNK): .link
        case Int32(DT_UNKNOWN): .unknown
        default: .other
        }
    }
}
