import Foundation
import Testing
import TestKit

@Suite("The file of a request body", .blocking)
struct BodyFiles {
    /// A body of 5 bytes, with a length and in chunks.
    private static let bodies: [(name: String, rest: String)] = [
        ("length", "Content-Length: 5\r\n\r\nhello"), ("chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    ]

    @Test("is made, named, and kept or removed as client_body_in_file_only says, also when the body itself is not sent on")
    func inFileOnly() throws {
        let directory = try TemporaryDirectory()
        // The file is looked at while the request runs, as an application would that is told its name.
        let origin = try Origin { request in
            let file = request["X-File"].flatMap { FileManager.default.contents(atPath: $0) }
            return .answer(body: Bytes((file.map { String(decoding: $0, as: UTF8.self) } ?? "none") + "|" + request.body.text))
        }
        let file = "proxy_set_header X-File $request_body_file; \(Site.keepAlive) proxy_pass http://127.0.0.1:\(origin.port);"
        let named = "proxy_pass_request_body off; proxy_set_header Content-Length \"\"; \(file)"
        let site = try Site(server: """
            location /keep { client_body_in_file_only on; \(file) } location /clean { client_body_in_file_only clean; \(file) }
            location /name { client_body_in_file_only clean; \(named) } location /off { client_body_in_file_only off; \(file) }
            location /stream { client_body_in_file_only on; proxy_request_buffering off; \(file) }
            """, directory: directory)
        defer { site.stop() }
        func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory.path + "/body_temp")) ?? [] }
        let expected = [
            ("/clean", "hello|hello"), ("/name", "hello|"), ("/off", "none|hello"), ("/stream", "none|hello"), ("/keep", "hello|hello"),
        ]
        for (path, text) in expected {
            for body in Self.bodies {
                // nginx passes no chunks on, and cannot stream what it does not know the length of.
                if path == "/stream", body.name == "chunks", !Target.isGoodgate { continue }
                let client = try site.client()
                try client.send("POST \(path) HTTP/1.1\r\nHost: a\r\n\(body.rest)")
                #expect(try client.readReply().text == text, "\(path) with \(body.name)")
            }
            if path != "/keep" { #expect(eventually { files().isEmpty }, "\(path): \(files())") }
        }
        #expect(files().count == Self.bodies.count)
        for name in files() {
            #expect(directory.read("body_temp/" + name) == "hello")
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.path + "/body_temp/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        // It is what was asked for, so no warning.
        #expect(site.gateway.waitForError("[notice]"))
        #expect(site.gateway.errorLog.contains("a client request body is buffered to a temporary file \(directory.path)/body_temp/"))
        #expect(!site.gateway.errorLog.contains("[warn]"), "\(site.gateway.errorLog)")
    }

    /// A file system of 64 KB.
    private final class SmallDisk {
        let path: String

        init?(_ directory: TemporaryDirectory) {
            path = directory.path + "/small"
            guard mkdir(path, 0o777) == 0, mount("none", path, "tmpfs", 0, "size=64k,mode=777") == 0 else { return nil }
        }

        deinit { umount2(path, Int32(MNT_DETACH)) }

        static let isPossible: Bool = Target.isRoot && (try? TemporaryDirectory()).flatMap(SmallDisk.init) != nil
    }

    @Test("on a full disk: 500 and one line, and the next request is served",
          .enabled(if: SmallDisk.isPossible, "needs root: mounts a disk"))
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        let disk = try #require(SmallDisk(directory))
        let origin = try Origin(answer: "ok")
        let site = try Site(
            origin, server: "client_body_temp_path small/body; client_body_buffer_size 8k; client_max_body_size 10m;", directory: directory)
        defer { site.stop(allowing: ["No space left on device"]) }
        let failed = try site.get("/", method: "POST", body: .patterned(500_000))
        #expect(failed.status == 500)
        #expect(origin.requests.isEmpty)
        let line = "[crit]"
        #expect(site.gateway.waitForError("failed (28: No space left on device)"), "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.components(separatedBy: line).count == 2, "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.contains("pwrite() \"\(disk.path)/body/"), "\(site.gateway.errorLog)")
        #expect(eventually { (try? FileManager.default.contentsOfDirectory(atPath: disk.path + "/body")) == [] }, "the file is removed")
        #expect(try eventually { try site.get("/", method: "POST", body: .patterned(20_000)).status == 200 }, "the disk has room again")
        #expect(try site.get().text == "ok")
    }

    @Test("gets its folders at once where the path has levels", arguments: ["client_body_temp_path", "proxy_temp_path"])
    func levels(_ directive: String) throws {
        let directory = try TemporaryDirectory()
        let answer = Bytes.patterned(6_000_000)
        let origin = try Origin { _ in .answer(body: answer) }
        let site = try Site(
            origin, location: "proxy_buffers 2 4k; proxy_buffer_size 4k; proxy_busy_buffers_size 4k;",
            server: "\(directive) \(directory.path)/temp 1 2; client_body_in_file_only clean; client_max_body_size 10m;",
            directory: directory)
        defer { site.stop(allowing: ["is buffered to a temporary file"]) }
        for _ in 0..<5 {
            let client = try site.client()
            try client.send(Client.head("POST", "/", bodyCount: 20_000) + .patterned(20_000))
            #expect(try client.readReply().body.count == answer.count)
        }
        #expect(!site.gateway.errorLog.contains("[crit]"))
    }
}
