import CLinux
import Glibc
package import Wire

extension File {
    /// What opening does about symbolic links (nginx: disable_symlinks).
    package enum LinkPolicy: UInt8 {
        case follow
        /// Each part of the path must have the owner of what it leads to; else ELOOP.
        case sameOwner
        /// No part may be a link.
        case refuse
    }

    /// What opening gave, and for an error line the call that failed.
    package struct Opened {
        /// A descriptor or -errno.
        package let descriptor: Int32
        package let call: StaticString
    }

    /// Opens for reading under a policy about links, part by part of the path, so that no link can be slipped in between check and use.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - trusted: bytes of the path that are not checked, up to and without a slash; 0: all is checked.
    package static func openForReading(_ path: ByteView, links: LinkPolicy, trusted: Int = 0) -> Opened {
        if links == .follow { return Opened(descriptor: openForReading(path), call: "open()") }
        // SAFETY: each call reads a name that ends in zero and lives as long as the closure that gets it (`withPath`).
        let root: ByteView = trusted > 0 ? path.prefix(trusted) : path.first == 0x2f ? "/" : "."
        var directory = unsafe withPath(root) { unsafe cs_open_search(cs_at_current_directory(), $0, 0) }
        if directory < 0 { return Opened(descriptor: directory, call: trusted > 0 ? "open()" : "openat()") }
        defer { if directory >= 0 { _ = cs_close(directory) } }
        var index = trusted
        while let slash = path.firstIndex(of: 0x2f, from: index) {
            let part = path[index..<slash]
            index = slash + 1
            if part.isEmpty { continue }
            let next = unsafe openPart(part, in: directory, links) { unsafe cs_open_search(directory, $0, links == .refuse ? 1 : 0) }
            _ = cs_close(directory)
            directory = next
            if next < 0 { return Opened(descriptor: next, call: "openat()") }
        }
        let flags = O_RDONLY | O_NONBLOCK
        let last = path.dropFirst(index)
        if last.isEmpty {
            // A trailing slash: the directory itself, now really opened.
            return Opened(descriptor: unsafe withPath(".") { unsafe cs_openat(directory, $0, flags, 0) }, call: "openat()")
        }
        let opened = unsafe openPart(last, in: directory, links) {
            unsafe cs_openat(directory, $0, links == .refuse ? flags | O_NOFOLLOW : flags, 0)
        }
        return Opened(descriptor: opened, call: "openat()")
    }

    /// What is at a path, under a policy about links; a negative `errno` in `descriptor` if there is nothing to be seen.
    package static func info(at path: ByteView, links: LinkPolicy, trusted: Int = 0) -> (info: FileInfo?, errno: Int32, call: StaticString) {
        if links == .follow {
            let (info, code) = info(at: path)
            return (info, code, "stat()")
        }
        let opened = openForReading(path, links: links, trusted: trusted)
        guard opened.descriptor >= 0 else { return (nil, -opened.descriptor, opened.call) }
        defer { _ = cs_close(opened.descriptor) }
        return (info(opened.descriptor), EIO, "fstat()")
    }

    /// Opens one part; with `sameOwner` what was opened must have the owner of the name itself. It may have been a link or not: between
    /// the two calls that can change, so the owners are compared in both cases.
    private static func openPart(
        _ name: ByteView, in directory: Int32, _ links: LinkPolicy, _ open: (UnsafePointer<CChar>) -> Int32
    ) -> Int32 {
        // SAFETY: `name` lives for the closure; the calls fill the two structures, which are this function's own.
        unsafe withPath(name) { name in
            let descriptor = unsafe open(name)
            guard descriptor >= 0, links == .sameOwner else { return descriptor }
            var (own, target) = (stat(), stat())
            var code = unsafe cs_fstatat(directory, name, &own, 1)
            if code == 0 { code = unsafe cs_fstat(descriptor, &target) }
            if code == 0, own.st_uid != target.st_uid { code = -ELOOP }
            if code == 0 { return descriptor }
            _ = cs_close(descriptor)
            return code
        }
    }

    /// The canonical path: absolute, no links, no dots. nil and an errno if there is none.
    package static func realPath(_ path: ByteView) -> (path: [UInt8]?, errno: Int32) {
        var code: Int32 = 0
        // SAFETY: the call writes at most `buffer.count` bytes and says how many, or a negative errno, which counts as none; the buffer is
        // not empty, so that it has an address.
        let result = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            let out = unsafe UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: CChar.self)
            code = unsafe withPath(path) { unsafe cs_real_path($0, out, buffer.count) }
            count = Int(max(0, code))
        }
        return code < 0 ? (nil, -code) : (result, 0)
    }
}
