import Foundation
import Testing
import TestKit

@Suite("proxy_store", .blocking)
struct Stores {
    /// Where a file's system differs from the one of temporary directories.
    private static let otherDisk: String? = {
        var (here, there) = (stat(), stat())
        guard stat(NSTemporaryDirectory(), &here) == 0, stat("/dev/shm", &there) == 0, here.st_dev != there.st_dev else { return nil }
        return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil
    }()

    private func origin() throws -> Origin {
        try Origin { request in
            let date = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"
            switch request.target.split(separator: "/").last {
            case "dated": return .answer(fields: [date], body: Bytes("stored"))
            case "chunks": return .chunks([Bytes("sto"), Bytes("red")])
            case "missing": return .answer("404 Not Found", body: Bytes("none"))
            case "part": return .answer("206 Partial Content", fields: ["Content-Range: bytes 0-1/9"], body: Bytes("st"))
            case "cut": return .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstored")), .close])
            case "large": return .answer(body: .patterned(3_000_000))
            default: return .answer(body: Bytes("stored"))
            }
        }
    }

    /// Path below `html` → its permissions, and of files how long they are.
    private func tree(_ root: String) -> [String: String] {
        var found: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            guard let facts = try? FileManager.default.attributesOfItem(atPath: root + "/" + path) else { continue }
            let mode = String(facts[.posixPermissions] as? Int ?? 0, radix: 8)
            found[path] = facts[.type] as? FileAttributeType == .typeDirectory ? mode : "\(mode) \(facts[.size] as? Int ?? -1)"
        }
        return found
    }

    @Test("keeps whole answers with status 200 as files, with the rights and the time they are to have, and nothing else")
    func stores() throws {
        let (origin, directory) = (try origin(), try TemporaryDirectory())
        for folder in ["html", "html/taken/dated/full"] {
            try FileManager.default.createDirectory(atPath: directory.path + "/" + folder, withIntermediateDirectories: true)
        }
        for folder in ["html", "html/taken"] { chmod(directory.path + "/" + folder, 0o777) }
        let pass = "proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(server: """
            root html;
            location /on/ { proxy_store on; \(pass) } location /off/ { proxy_store off; \(pass) }
            location /all/ { proxy_store on; proxy_store_access user:rw group:r all:r; \(pass) }
            location /group/ { proxy_store on; proxy_store_access group:r; \(pass) }
            location /named/ { proxy_store \(directory.path)/html/by-name/$arg_n; \(pass) }
            location /alias/ { alias html/other/; proxy_store on; \(pass) }
            location /gzip/ { proxy_store on; gzip on; gzip_types *; gzip_min_length 1; \(pass) }
            location /taken/ { proxy_store on; \(pass) }
            """, directory: directory)
        defer { site.stop(allowing: ["rename()"]) }
        let targets = [
            "/on/dated", "/on/chunks", "/on/missing", "/on/part", "/on/large", "/off/a", "/all/a", "/group/deep/a", "/named/a?n=one/two",
            "/alias/dated", "/gzip/a", "/taken/dated",
        ]
        for target in targets { _ = try site.get(target, ["Accept-Encoding: gzip"]) }
        _ = try? site.get("/on/cut")
        let expected = [
            "on": "700", "on/dated": "600 6", "on/chunks": "600 6", "on/large": "600 3000000",
            "all": "755", "all/a": "644 6", "group": "750", "group/deep": "750", "group/deep/a": "640 6",
            "by-name": "700", "by-name/one": "700", "by-name/one/two": "600 6", "other": "700", "other/dated": "600 6",
            "gzip": "700", "gzip/a": "600 6", "taken": "777", "taken/dated": "755", "taken/dated/full": "755",
        ]
        #expect(eventually { tree(directory.path + "/html") == expected }, "\(tree(directory.path + "/html"))")
        #expect(directory.read("html/on/chunks") == "stored")
        #expect(directory.read("html/gzip/a") == "stored", "as the origin sent it")
        let date = try FileManager.default.attributesOfItem(atPath: directory.path + "/html/on/dated")[.modificationDate] as? Date
        #expect(date?.timeIntervalSince1970 == 784_111_777)
        let line = "/html/taken/dated\" failed (21: Is a directory) while reading upstream, client: "
        #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
        #expect(tree(directory.path + "/proxy_temp").values.allSatisfy { !$0.contains(" ") }, "no file is left over")
    }

    @Test("puts files on another disk than the one of its temporary files", .enabled(if: Stores.otherDisk != nil, "needs two disks"))
    func acrossDisks() throws {
        let (origin, directory) = (try origin(), try TemporaryDirectory())
        var template = Array("\(try #require(Self.otherDisk))/goodgate-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let root = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        defer { try? FileManager.default.removeItem(atPath: root) }
        chmod(root, 0o777)
        let site = try Site(
            server: "root \(root); location / { proxy_store on; proxy_store_access all:r; proxy_pass http://127.0.0.1:\(origin.port); }",
            directory: directory)
        defer { site.stop() }
        for target in ["/large", "/deep/dated", "/large"] { _ = try site.get(target) }
        #expect(eventually { tree(root) == ["large": "604 3000000", "deep": "705", "deep/dated": "604 6"] }, "\(tree(root))")
        let stored = FileManager.default.contents(atPath: root + "/large").map { Bytes($0) } ?? []
        #expect(stored.fingerprint == Bytes.patterned(3_000_000).fingerprint)
        let date = try FileManager.default.attributesOfItem(atPath: root + "/deep/dated")[.modificationDate] as? Date
        #expect(date?.timeIntervalSince1970 == 784_111_777)
    }

    @Test("keeps nothing of an answer to HEAD, which has no body")
    func head() throws {
        let origin = try Origin { request in
            request.method == "HEAD"
                ? .bytes(Bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")) : .answer(body: Bytes("whole"))
        }
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.path + "/html", withIntermediateDirectories: true)
        chmod(directory.path + "/html", 0o777)
        let site = try Site(
            http: "upstream origin { server 127.0.0.1:\(origin.port); }",
            server: """
                root html;
                location / { error_page 404 = @fetch; log_not_found off; }
                location @fetch { proxy_pass http://origin; proxy_store on; }
                """, directory: directory)
        defer { site.stop() }
        #expect(try site.get("/f.txt", method: "HEAD").status == 200)
        #expect(try site.get("/f.txt").text == "whole")
        #expect(eventually { FileManager.default.fileExists(atPath: directory.path + "/html/f.txt") })
        #expect(try site.get("/f.txt").text == "whole")
    }
}
