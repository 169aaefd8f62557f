import Foundation
import Testing
import TestKit

@Suite("A file is looked for", .blocking)
struct FileLookup {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("html/ten.txt", "0123456789")
        try folder.write("html/dir/index.html", "index")
        try folder.write("html/dir/other.txt", "other")
        try folder.write("html/pre.txt", "plain")
        try folder.write("html/pre.txt.gz", "packed")
        try folder.write("html/random/only.txt", "only")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/html/link.txt", withDestinationPath: "ten.txt")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/html/linked", withDestinationPath: "dir")
    }

    private func site(_ server: String) throws -> Site {
        try Site(server: "types { text/plain txt; text/html html; } root html;\n" + server, directory: folder)
    }

    @Test("below an alias, by captures, by variables")
    func paths() throws {
        let site = try site("""
            location ~ ^/re/(?<file>.*)$ { alias html/$file; }
            location /var/ { root $document_root$arg_x; }
            location /vars/ { root html/$arg_x; try_files /ten.txt =404; }
            location /away/ { alias html/; rewrite ^ /other break; }
            """.replacingOccurrences(of: "location /var/ { root $document_root$arg_x; }\n", with: ""))
        defer { site.stop(allowing: ["where URI was rewritten"]) }
        #expect(try site.get("/re/ten.txt").text == "0123456789")
        #expect(try site.get("/re/dir/").text == "index")
        let redirect = try site.get("/re/dir?a=b")
        #expect(redirect.status == 301)
        #expect(redirect["Location"] == "http://a.example:\(site.port)/re/dir/?a=b")
        #expect(try site.get("/vars/?x=.").text == "0123456789")
        #expect(try site.get("/vars/?x=none").status == 404)
        #expect(try site.get("/away/x").status == 500)
    }

    @Test("and gets the type of its extension, in any case; a name that only begins with a dot has none")
    func types() throws {
        for name in ["upper.HTML", "two.gz.txt", ".txt", "none", "other.html/file"] { try folder.write("html/types/" + name, "x") }
        let site = try site("default_type application/x-default; location /own/ { alias html/types/; types { text/x-own txt; } }")
        defer { site.stop() }
        let table = [
            ("/types/upper.HTML", "text/html"), ("/types/two.gz.txt", "text/plain"), ("/types/.txt", "application/x-default"),
            ("/types/none", "application/x-default"), ("/types/other.html/file", "application/x-default"),
            ("/own/two.gz.txt", "text/x-own"), ("/own/upper.HTML", "application/x-default"),
        ]
        for (path, type) in table { #expect(try site.get(path)["Content-Type"] == type, "\(path)") }
    }

    @Test("in the order of try_files")
    func tryFiles() throws {
        let site = try site("""
            location /a/ { try_files $uri $uri/ /ten.txt; }
            location /alias/ { alias html/; try_files $uri $uri/ =404; }
            location ~ ^/re/(.*)$ { alias html; try_files /$1 /$1/ =410; }
            location /named/ { try_files $uri @named; }
            location /code/ { try_files /none =418; }
            location /query/ { try_files /none /show?x=$arg_a&y; }
            location /show { return 200 $uri?$args; }
            location @named { return 202 $uri; }
            """)
        defer { site.stop() }
        #expect(try site.get("/a/x").text == "0123456789")
        #expect(try site.get("/alias/dir/other.txt").text == "other")
        #expect(try site.get("/alias/dir/").text == "index")
        #expect(try site.get("/alias/dir").status == 301)
        #expect(try site.get("/alias/none").status == 404)
        #expect(try site.get("/re/ten.txt").text == "0123456789")
        #expect(try site.get("/re/none").status == 410)
        #expect(try site.get("/named/x").text == "/named/x")
        #expect(try site.get("/code/").status == 418)
        #expect(try site.get("/query/?a=1").text == "/show?x=1&y")
    }

    @Test("by index: the first that exists, variables, and an absolute URI at the end")
    func index() throws {
        let site = try site("""
            location /i/ { alias html/; index none.html $arg_i /ten.txt; }
            location /r/ { alias html/random/; random_index on; }
            location /gif { empty_gif; }
            """)
        defer { site.stop() }
        #expect(try site.get("/i/?i=none.txt").text == "0123456789")
        #expect(try site.get("/i/?i=pre.txt").text == "plain")
        #expect(try site.get("/i/?i=dir")["Location"]?.hasSuffix("/i/dir/?i=dir") == true)
        #expect(try site.get("/r/").text == "only")
        let gif = try site.get("/gif")
        #expect(gif["Content-Type"] == "image/gif")
        #expect(gif.body.count == 43)
        #expect(gif.body.starts(with: Bytes("GIF89a")))
    }

    @Test("through links only as far as disable_symlinks allows")
    func links() throws {
        let site = try site("""
            location /on/ { alias html/; disable_symlinks on from=$document_root; }
            location /owner/ { alias html/; disable_symlinks if_not_owner; }
            location /off/ { alias html/; }
            """)
        defer { site.stop() }
        #expect(try site.get("/off/link.txt").text == "0123456789")
        #expect(try site.get("/on/ten.txt").text == "0123456789")
        #expect(try site.get("/on/link.txt").status == 403)
        #expect([403, 404].contains(try site.get("/on/linked/other.txt").status))
        #expect(try site.get("/owner/link.txt").text == "0123456789")
        #expect(try site.get("/owner/linked/other.txt").text == "other")
        if Target.isRoot {
            lchown(folder.path + "/html/link.txt", 12_345, 12_345)
            #expect(try site.get("/owner/link.txt").status == 403)
        }
    }

    @Test("compressed beforehand, where the client takes it")
    func compressed() throws {
        let site = try site("location / { gzip_static on; gzip_vary on; }")
        defer { site.stop() }
        let packed = try site.get("/pre.txt", ["Accept-Encoding: gzip"])
        #expect(packed.text == "packed")
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(packed["Content-Type"] == "text/plain")
        #expect(packed["Vary"] == "Accept-Encoding")
        let plain = try site.get("/pre.txt")
        #expect(plain.text == "plain")
        #expect(plain["Vary"] == "Accept-Encoding")
        #expect(try site.get("/pre.txt", ["Accept-Encoding: gzip;q=0"]).text == "plain")
        #expect(try site.get("/ten.txt", ["Accept-Encoding: gzip"])["Vary"] == nil)
    }

    @Test("and a directory's location redirects from its name without the slash, wherever it sorts")
    func autoRedirect() throws {
        let origin = try Origin(answer: "ok")
        let site = try site("""
            location /a/ { proxy_pass http://127.0.0.1:\(origin.port); }
            location /a-b { return 204; }
            location /a-c { return 204; }
            location "/with space/" { proxy_pass http://127.0.0.1:\(origin.port); }
            location /both { return 204; }
            location /both/ { proxy_pass http://127.0.0.1:\(origin.port); }
            """)
        defer { site.stop() }
        #expect(try site.get("/a?x=y")["Location"] == "http://a.example:\(site.port)/a/?x=y")
        #expect(try site.get("/a/").text == "ok")
        #expect(try site.get("/a-b").status == 204)
        #expect(try site.get("/with%20space")["Location"] == "http://a.example:\(site.port)/with%20space/")
        #expect(try site.get("/both").status == 204)
    }
}
