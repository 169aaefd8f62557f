import Testing
import Wire

@Suite struct ResponseHeadTests {
    @Test func `an answer is divided into its parts`() {
        let text =
            "HTTP/1.1 404 Not  Found\r\nContent-Length: 7\r\nKeep-Alive: max=9, timeout=5\r\nX_y.z: 1\r\n\r\nbody"
        let parsed = response(text)
        #expect(parsed.outcome == .complete(headLength: text.utf8.count - 4))
        #expect(parsed.head.status == 404)
        #expect(parsed.head.statusLineRange.string(text) == "404 Not  Found")
        #expect(parsed.head.contentLength == 7)
        #expect(parsed.head.keepAliveTimeoutSeconds == 5)
        #expect(parsed.head.keepAlive && !parsed.head.isChunked && !parsed.head.isInterim)
        #expect(parsed.fields.map(\.token) == [.contentLength, .keepAlive, .unknown])
    }

    @Test(arguments: [
        ("HTTP/1.1 200", "200"), ("HTTP/1.1 200 ", "200 "), ("HTTP/1.0 200 OK\tgo", "200 OK\tgo"), ("HTTP/1.1   200 OK", "200 OK"),
        ("HTTP/1.1 403.1 x", "403.1 x"), ("HTTP/1.1 200 \u{e9}", "200 \u{e9}"),
    ])
    func `status lines in the wild`(line: String, status: String) {
        let text = line + "\r\n\r\n"
        let parsed = response(text)
        #expect(parsed.outcome == .complete(headLength: text.utf8.count))
        #expect(parsed.head.statusLineRange.string(text) == status)
    }

    @Test(
        arguments: [
            ("<html>", .invalidStatusLine), ("HTTP/1.1", .invalidStatusLine), ("HTTP/1.1 20", .invalidStatusLine),
            ("HTTP/1.1 2000", .invalidStatusLine), ("HTTP/1.1 099", .invalidStatusLine),
            ("HTTP/1.1 2x0", .invalidStatusLine),
            ("HTTP/1.1 -20", .invalidStatusLine), ("HTTP/1.1 200\tOK", .invalidStatusLine),
            ("http/1.1 200", .invalidStatusLine),
            ("HTTP/1.x 200", .invalidStatusLine), ("HTTP/1.1  ", .invalidStatusLine),
            (" HTTP/1.1 200", .invalidStatusLine),
            ("HTTP/2.0 200", .unsupportedVersion), ("HTTP/11.0 200", .unsupportedVersion),
            ("HTTP/1.10 200", .invalidStatusLine),
            ("HTTP/1.1 200 a\u{0}", .invalidStatusLine), ("HTTP/1.1 200 a\rb", .invalidStatusLine),
            ("HTTP/1.1 200 OK\r\nX : y", .invalidHeaderLine), ("HTTP/1.1 200 OK\r\n X: y", .invalidHeaderLine),
            ("HTTP/1.1 200 OK\r\nX: y\r\n z", .invalidHeaderLine), ("HTTP/1.1 200 OK\r\nX: \u{0}", .invalidHeaderLine),
            ("HTTP/1.1 200 OK\r\nXY", .invalidHeaderLine),
            ("HTTP/1.1 200 OK\r\nContent-Length: +2", .invalidContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2", .duplicateContentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip", .unknownTransferEncoding),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", .transferEncodingInHTTP10),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .duplicateTransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2", .contentLengthWithTransferEncoding),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
        ] as [(String, HeadError.Reason)])
    func `faulty answers are refused`(head: String, expected: HeadError.Reason) {
        #expect(reason(response(head + "\r\n\r\n").outcome) == expected)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nConnection: close", false), ("HTTP/1.1 200 OK", true), ("HTTP/1.0 200 OK", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive", true),
        ("HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: Close", false),
    ])
    func `keep-alive by version and Connection`(head: String, keeps: Bool) {
        #expect(response(head + "\r\n\r\n").head.keepAlive == keeps)
    }

    @Test func `interim answers are those of 1xx but 101`() {
        #expect(response("HTTP/1.1 100 Continue\r\n\r\n").head.isInterim)
        #expect(response("HTTP/1.1 103 Early Hints\r\n\r\n").head.isInterim)
        #expect(!response("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n").head.isInterim)
    }

    @Test func `repeated lines of single names are marked, invalid names are dropped`() {
        let text = "HTTP/1.1 200 OK\r\nServer: a\r\nServer: b\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n<x>: 1\r\n\r\n"
        let parsed = response(text)
        #expect(parsed.fields.map { $0.flags.contains(.ignoredDuplicate) } == [false, true, false, false])
        #expect(parsed.dropped == 1)
    }

    @Test func `too large heads are refused`() {
        var options = HeadOptions()
        options.maxHeadLength = 40
        options.maxLineLength = 40
        #expect(
            reason(response("HTTP/1.1 200 OK\r\nX: 34567890123456789\r\n\r\n", options: options).outcome)
                == .tooLargeHead)
        #expect(
            reason(response("HTTP/1.1 200 " + String(repeating: "x", count: 40), options: options).outcome)
                == .tooLargeHead)
    }

    @Test func `nothing is decided before it can be`() {
        for text in [
            "H", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 OK\r\n\r",
        ] {
            #expect(response(text).outcome == .needMore)
        }
    }

    @Test(arguments: [
        ("200 OK\r\nContent-Length: 7", false, .length), ("200 OK\r\nContent-Length: 7", true, .none),
        ("200 OK\r\nTransfer-Encoding: chunked", false, .chunked), ("200 OK\r\nTransfer-Encoding: chunked", true, .none),
        ("200 OK", false, .untilClose), ("200 OK", true, .none), ("204 No Content\r\nContent-Length: 7", false, .none),
        ("304 Not Modified\r\nContent-Length: 7", false, .none), ("101 Switching Protocols", false, .none),
        ("500 No\r\nContent-Length: 0", false, .length),
    ] as [(String, Bool, AnswerFraming)])
    func `how the body of an answer ends`(head: String, answersHead: Bool, framing: AnswerFraming) {
        #expect(response("HTTP/1.1 \(head)\r\n\r\n").head.framing(answersHead: answersHead) == framing)
    }
}
