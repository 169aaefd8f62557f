import TestKit
import Testing
import Wire

@Suite struct URITests {
    private func normalise(_ target: String, merge: Bool = true, capacity: Int = 256) -> String? {
        written(capacity: capacity) { writer in
            if case .path = URI.normalise(bytes(target), mergeSlashes: merge, into: &writer) { return true }
            return false
        }
    }

    @Test(
        arguments: [
            ("/", "/"), ("/a/b", "/a/b"), ("/foo/bar/.", "/foo/bar/"), ("/foo/bar/..", "/foo/"),
            ("/foo/bar/.?args", "/foo/bar/"),
            ("/foo/bar/..#frag", "/foo/"), ("/a/./b/../c", "/a/c"), ("//a///b", "/a/b"), ("/a//../b", "/b"),
            ("/...", "/..."),
            ("/..a/.b/c..", "/..a/.b/c.."), ("/a%2fb", "/a/b"), ("/a%2Fb%2f..%2fc", "/a/c"), ("/%2e%2e/x", nil),
            ("/a/%2e%2E/x", "/x"), ("/a%25b", "/a%b"), ("/a%3Fb?c", "/a?b"), ("/a%23b", "/a#b"), ("/%02", "/\u{2}"),
            ("/a%00", nil), ("/a%", nil), ("/a%1", nil), ("/a%zz", nil), ("/a%1g", nil), ("/..", nil), ("/../", nil),
            ("/a/../..", nil), ("/a/../../", nil), ("/./../a", nil), ("", "/"), ("?a", "/"), ("a", nil),
            ("/a+b", "/a+b"),
            ("/%%32", nil), ("/a/..%3f", "/a/..?"), ("/a/.%23", "/a/.#"), ("/%252e%252e/", "/%2e%2e/"),
        ] as [(String, String?)])
    func `paths are cleaned as nginx does`(target: String, expected: String?) {
        #expect(normalise(target) == expected)
    }

    @Test func `slashes are kept when they are not merged`() {
        #expect(normalise("//a///b/.//c", merge: false) == "//a///b//c")
        #expect(normalise("/a//../b", merge: false) == "/a/b")
    }

    @Test func `the query and the flags are reported`() {
        func result(_ target: String) -> URI.NormaliseResult {
            let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
            defer { unsafe region.deallocate() }
            var writer = unsafe ByteWriter(region)
            return URI.normalise(bytes(target), mergeSlashes: true, into: &writer)
        }
        #expect(
            result("/a%20?b#c")
                == .path(pathLength: 3, query: ByteRange(offset: 6, length: 1), hasQuoted: true, hasPlus: false))
        #expect(result("/%2b#c?d") == .path(pathLength: 2, query: nil, hasQuoted: true, hasPlus: true))
        #expect(
            result("/a?")
                == .path(pathLength: 2, query: ByteRange(offset: 3, length: 0), hasQuoted: false, hasPlus: false))
        #expect(result("/" + String(repeating: "a", count: 64)) == .full)
    }

    @Test(arguments: 0..<300)
    func `a cleaned path is never longer, has no dot segments, and stays the same`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let parts = ["/", "/", ".", "..", "a", "%2e", "%2F", "%25", "%41", "b.c", "//", "%", "+"]
        let target =
            "/"
            + (0..<Int.random(in: 0...12, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined()
        guard let path = normalise(target) else { return }
        #expect(path.utf8.count <= target.utf8.count + 1)
        #expect(path.hasPrefix("/") && !path.contains("//"))
        #expect(!path.split(separator: "/").contains { $0 == "." || $0 == ".." })
        let escaped = written { URI.escape(bytes(path), .uri, into: &$0) }
        #expect(normalise(escaped ?? "") == path, "a path that is escaped again means the same")
    }

    @Test(
        arguments: [
            (URI.EscapeKind.uri, "/a b%?#\"+&;~\u{7f}\u{e9}", "/a%20b%25%3F%23%22+&;~%7F%C3%A9"),
            (.args, "a b%?#&+;=/", "a%20b%25%3F%23%26%2B%3B=/"),
            (.uriComponent, "aZ09-._~ /?:@!$'()*,;=", "aZ09-._~%20%2F%3F%3A%40%21%24%27%28%29%2A%2C%3B%3D"),
            (.html, "a b%?#'\"", "a%20b%25?%23%27%22"), (.refresh, "a b%?#'\"", "a%20b%?#%27%22"),
            (.requestLine, "a b%?\u{1}\u{7f}\r\n", "a%20b%?%01%7F%0D%0A"), (.uri, "/plain", "/plain"),
        ] as [(URI.EscapeKind, String, String)])
    func `each kind escapes its own bytes`(kind: URI.EscapeKind, plain: String, escaped: String) {
        #expect(written { URI.escape(bytes(plain), kind, into: &$0) } == escaped)
        #expect(URI.needsEscape(bytes(plain), kind) == (plain != escaped))
        #expect(written(capacity: escaped.utf8.count - 1) { URI.escape(bytes(plain), kind, into: &$0) } == nil)
    }

    @Test(
        arguments: [
            (URI.UnescapeKind.all, "a%20b%3Fc%41?%42", "a b?cA?B"), (.all, "%zz%4z%4", "zz"), (.all, "%", ""),
            (.uri, "%41?%41", "A?%41"), (.uri, "%3f%41", "?%41"), (.redirect, "%41%20%25%7f%26", "A%20%25%7f&"),
            (.redirect, "a?%41", "a?%41"),
        ] as [(URI.UnescapeKind, String, String)])
    func `escapes are decoded`(kind: URI.UnescapeKind, escaped: String, plain: String) {
        #expect(written { URI.unescape(bytes(escaped), kind, into: &$0) } == plain)
    }

    @Test func `JSON and HTML are escaped`() {
        #expect(
            written { URI.escapeJSON("a\"b\\\n\r\t\u{8}\u{c}\u{1f}\u{7f}", into: &$0) }
                == "a\\\"b\\\\\\n\\r\\t\\b\\f\\u001F\u{7f}")
        #expect(written { URI.escapeHTML("<a href=\"x\">&'", into: &$0) } == "&lt;a href=&quot;x&quot;&gt;&amp;'")
        #expect(written(capacity: 5) { URI.escapeJSON("aaa\n\n", into: &$0) } == nil)
    }

    @Test(
        arguments: [
            ("a", "a=1&b=2", "1"), ("b", "a=1&b=2", "2"), ("B", "a=1&b=2", "2"), ("c", "a=1", nil),
            ("a", "aa=1&a=", ""),
            ("a", "xa=1", nil), ("a", "a", nil), ("a", "a&a=3", "3"), ("a", "", nil), ("", "=1", nil),
            ("a", "a=b=c&", "b=c"),
        ] as [(String, String, String?)])
    func `arguments are found`(name: String, query: String, value: String?) {
        #expect(URI.argument(bytes(name), in: bytes(query))?.string == value)
    }

    @Test func `targets are split and extensions found`() {
        #expect(URI.split("/a?b?c").path == "/a" && URI.split("/a?b?c").query == "b?c")
        #expect(URI.split("/a").query == nil)
        for (path, ext) in [
            ("/a.b/c.tar.gz", "gz"), ("/a.b/c", ""), ("/.htaccess", ""), ("/a.", ""), ("/x.PHP", "PHP"), ("", ""),
        ] {
            #expect(URI.fileExtension(of: bytes(path)).string == ext)
        }
    }

    @Test(
        arguments: [
            ("/a/b?c", "/a/b", "c"), ("/a%20b", "/a b", nil), ("a", "a", nil), ("/a..b/..c", "/a..b/..c", nil),
            ("", nil, nil), ("?a", nil, nil),
            ("/..", nil, nil), ("../a", nil, nil), ("/a/../b", nil, nil), ("/a/%2e%2e/b", nil, nil),
            ("/a%00", nil, nil),
            ("%2e%2e", nil, nil), ("%", nil, nil), ("/a/..?x", nil, nil),
        ] as [(String, String?, String?)])
    func `unsafe URIs are refused`(uri: String, path: String?, query: String?) {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
        defer { unsafe region.deallocate() }
        var writer = unsafe ByteWriter(region)
        let result = URI.checkUnsafe(bytes(uri), into: &writer)
        #expect(result?.path.string == path)
        #expect(result?.query?.string == query)
    }
}
