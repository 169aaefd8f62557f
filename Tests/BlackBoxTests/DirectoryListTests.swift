import Foundation
import Testing
import TestKit

@Suite("A list of a directory", .blocking)
struct DirectoryLists {
    private let folder: TemporaryDirectory
    private let site: Site

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("html/list/b.txt", Bytes(repeating: 98, count: 12_345))
        try folder.write("html/list/a<&>.txt", "")
        try folder.write("html/list/sub/x", "")
        try folder.write("html/list/.hidden", "")
        try folder.write("html/list/" + String(repeating: "n", count: 70), "22")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/html/list/dangling", withDestinationPath: "nowhere")
        for name in ["b.txt", "a<&>.txt", "sub", String(repeating: "n", count: 70)] {
            var times = [timeval(tv_sec: 1_600_000_000, tv_usec: 0), timeval(tv_sec: 1_600_000_000, tv_usec: 0)]
            utimes(folder.path + "/html/list/" + name, &times)
        }
        site = try Site(
            server: """
                autoindex on;
                location /list/ { root html; }
                location /short/ { alias html/list/; autoindex_exact_size off; }
                location /json/ { alias html/list/; autoindex_format json; }
                location /jsonp/ { alias html/list/; autoindex_format jsonp; }
                location /xml/ { alias html/list/; autoindex_format xml; }
                """, directory: folder)
    }

    @Test("is a page: directories first, long names cut, names escaped for links and for the page")
    func html() throws {
        defer { site.stop() }
        let reply = try site.get("/list/")
        #expect(reply["Content-Type"] == "text/html")
        let lines = reply.text.components(separatedBy: "\r\n")
        #expect(lines[1] == "<head><title>Index of /list/</title></head>")
        #expect(lines[3] == "<h1>Index of /list/</h1><hr><pre><a href=\"../\">../</a>")
        let pad = { (count: Int) in String(repeating: " ", count: count) }
        #expect(lines[4] == "<a href=\"sub/\">sub/</a>" + pad(47) + "13-Sep-2020 12:26" + pad(19) + "-")
        #expect(lines[5] == "<a href=\"a%3C%26%3E.txt\">a&lt;&amp;&gt;.txt</a>" + pad(43) + "13-Sep-2020 12:26" + pad(19) + "0")
        #expect(lines[6] == "<a href=\"b.txt\">b.txt</a>" + pad(46) + "13-Sep-2020 12:26" + pad(15) + "12345")
        #expect(lines[7].hasPrefix("<a href=\"dangling\">dangling</a>"))
        let long = String(repeating: "n", count: 70)
        #expect(lines[8] == "<a href=\"\(long)\">\(long.prefix(47))..&gt;</a> 13-Sep-2020 12:26" + pad(19) + "2")
        #expect(lines[9] == "</pre><hr></body>")
        #expect(!reply.text.contains("hidden"))
        #expect(try site.get("/short/").text.contains("13-Sep-2020 12:26     12K\r\n"))
    }

    @Test("is data: JSON, a call with JSON, XML")
    func data() throws {
        defer { site.stop() }
        let json = try site.get("/json/")
        #expect(json["Content-Type"] == "application/json")
        #expect(json.text.hasPrefix("[\r\n{ \"name\":\"sub\", \"type\":\"directory\", \"mtime\":\"Sun, 13 Sep 2020 12:26:40 GMT\" },\r\n"))
        let file = "{ \"name\":\"b.txt\", \"type\":\"file\", \"mtime\":\"Sun, 13 Sep 2020 12:26:40 GMT\", \"size\":12345 },"
        #expect(json.text.contains(file))
        let parsed = try JSONSerialization.jsonObject(with: Data(json.body)) as? [[String: Any]]
        #expect(parsed?.count == 5)
        #expect(try site.get("/jsonp/").text == json.text)
        let call = try site.get("/jsonp/?callback=a.b_1")
        #expect(call["Content-Type"] == "application/javascript")
        #expect(call.text == "/* callback */\r\na.b_1(\(json.text));")
        #expect(try site.get("/jsonp/?callback=a(b").status == 400)
        #expect(try site.get("/jsonp/?callback=" + String(repeating: "a", count: 129)).status == 400)
        let xml = try site.get("/xml/")
        #expect(xml["Content-Type"] == "text/xml; charset=utf-8")
        #expect(xml.text.hasPrefix("<?xml version=\"1.0\"?>\r\n<list>\r\n<directory mtime=\"2020-09-13T12:26:40Z\">sub</directory>\r\n"))
        #expect(xml.text.contains("<file mtime=\"2020-09-13T12:26:40Z\" size=\"12345\">b.txt</file>\r\n"))
        #expect(xml.text.hasSuffix("</list>\r\n"))
    }

    @Test("that does not exist is 404, and only GET and HEAD get one")
    func refused() throws {
        defer { site.stop() }
        #expect(try site.get("/list/none/").status == 404)
        #expect(try site.get("/list/", method: "POST").status == 403)
        #expect(try site.get("/list/", method: "DELETE").status == 405)
        #expect(try site.get("/list/", method: "HEAD").status == 200)
    }
}
