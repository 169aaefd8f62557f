import Glibc
import Loop
import Testing
import Wire

@Suite struct FileTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/goodgate-file-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        try #require(made)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func path(_ name: String) -> ByteView { ByteView.immortal(Array((folder + "/" + name).utf8)) }

    private func make(_ name: String) {
        let descriptor = File.createNew(path(name))
        if descriptor >= 0 { Socket.close(descriptor) }
    }

    private func link(_ target: String, _ name: String) { unsafe symlink(target, folder + "/" + name) }

    /// What opening gives: 0 or an errno.
    private func open(_ name: String, _ links: File.LinkPolicy, trusted: Int = 0) -> Int32 {
        let opened = File.openForReading(path(name), links: links, trusted: trusted)
        if opened.descriptor >= 0 { Socket.close(opened.descriptor) }
        return min(0, opened.descriptor)
    }

    private func remove() {
        for name in ["dir/file", "file", "link", "linked", "loop"] { _ = File.remove(path(name)) }
        for name in ["dir", ""] { unsafe rmdir(folder + "/" + name) }
    }

    @Test func `links are refused in every part of a path, but not in what is trusted`() {
        defer { remove() }
        _ = File.makeDirectory(path("dir"))
        make("dir/file")
        make("file")
        link("file", "link")
        link("dir", "linked")
        #expect(open("file", .refuse) == 0)
        #expect(open("dir/file", .refuse) == 0)
        #expect(open("dir/", .refuse) == 0)
        #expect(open("link", .refuse) == -ELOOP)
        #expect(open("linked/file", .refuse) == -ENOTDIR)
        #expect(open("linked/file", .refuse, trusted: folder.utf8.count + 7) == 0)
        #expect(open("linked/file", .follow) == 0)
        #expect(open("none", .refuse) == -ENOENT)
        #expect(open("file/", .refuse) == -ENOTDIR)
    }

    @Test func `a link is followed if it has the owner of what it leads to`() {
        defer { remove() }
        make("file")
        link("file", "link")
        #expect(open("link", .sameOwner) == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func `a link of another owner is followed only if all links are`() {
        defer { remove() }
        make("file")
        link("file", "link")
        unsafe lchown(folder + "/link", 12_345, 12_345)
        #expect(open("link", .sameOwner) == -ELOOP)
        #expect(open("link", .follow) == 0)
    }

    @Test func `a directory lists its names with their kinds`() throws {
        defer { remove() }
        _ = File.makeDirectory(path("dir"))
        make("file")
        link("nowhere", "link")
        let directory = try Directory(opening: path(""))
        var names: [String] = []
        reading: while true {
            switch directory.next() {
            case .entry(let entry): if entry.name.first != 0x2e { names.append("\(entry.name.string) \(entry.kind)") }
            case .end: break reading
            case .failed(let code): Issue.record("errno \(code)")
                break reading
            }
        }
        #expect(names.sorted() == ["dir directory", "file regular", "link link"])
        #expect(File.info(at: path("link")).errno == ENOENT)
        #expect(File.linkInfo(at: path("link")).info?.kind == .other)
        #expect(throws: Directory.Failure.self) { _ = try Directory(opening: path("none")) }
    }

    @Test func `a real path has no links`() {
        defer { remove() }
        make("file")
        link("file", "link")
        #expect(File.realPath(path("link")).path.map { String(decoding: $0, as: UTF8.self) } == folder + "/file")
        #expect(File.realPath(path("none")).errno == ENOENT)
    }
}
