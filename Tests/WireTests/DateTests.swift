import TestKit
import Testing
import Wire

@Suite struct DateTests {
    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_795_341_479, "Sun, 22 Nov 2026 09:57:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)])
    func `dates of HTTP`(seconds: Int64, text: String) {
        #expect(written { HTTPDate.write(seconds, into: &$0) } == text)
        #expect(text.utf8.count == HTTPDate.length)
        #expect(written(capacity: 28) { HTTPDate.write(seconds, into: &$0) } == nil)
        if seconds.magnitude < 1 << 60 { #expect(HTTPDate.parse(bytes(text)) == seconds) }
    }

    @Test func `times of logs, with an offset from UTC`() {
        let time: Int64 = 1_795_341_479
        #expect(written { HTTPDate.writeLogTime(time, offsetSeconds: 0, into: &$0) } == "22/Nov/2026:09:57:59 +0000")
        #expect(
            written { HTTPDate.writeLogTime(time, offsetSeconds: -12600, into: &$0) } == "22/Nov/2026:06:27:59 -0330")
        #expect(written { HTTPDate.writeISO8601(time, offsetSeconds: 20700, into: &$0) } == "2026-11-22T15:42:59+05:45")
        #expect(written { HTTPDate.writeErrorLogTime(time, offsetSeconds: 3600, into: &$0) } == "2026/11/22 10:57:59")
        #expect(written { HTTPDate.writeCookieDate(time, into: &$0) } == "Sun, 22-Nov-26 09:57:59 GMT")
        #expect(written { HTTPDate.writeCookieDate(2_145_916_800, into: &$0) } == "Fri, 01-Jan-2038 00:00:00 GMT")
        #expect(written(capacity: 18) { HTTPDate.writeErrorLogTime(time, offsetSeconds: 0, into: &$0) } == nil)
        #expect(written { HTTPDate.writeLogTime(.max, offsetSeconds: .max, into: &$0) } != nil)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Sun Nov 16 08:49:37 1994", 784_975_777),
            ("Sun, 06 Nov 1994 08:49:37", 784_111_777),
            ("Monday, 01-Jan-69 00:00:00 GMT", 3_124_224_000), ("Thu, 01 Jan 1960 00:00:00 GMT", -315_619_200),
            ("x,06 Nov 1994 08:49:37", 784_111_777),
        ] as [(String, Int64)])
    func `three formats are read`(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(bytes(text)) == seconds)
    }

    @Test(arguments: [
        "", "Sun", "Sun,", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 29 Feb 2001 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 06 Nov 1994 08:49",
        "Sun, 06 Nov 1994 08.49.37",
        "Sun Nov 6 08:49:37", "Sun, +6 Nov 1994 08:49:37 GMT", "0", "784111777",
    ])
    func `anything else is no date`(text: String) {
        #expect(HTTPDate.parse(bytes(text)) == nil)
    }

    @Test(arguments: 0..<500)
    func `what is written is read again`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let seconds = Int64.random(in: -62_167_219_200...253_402_300_799, using: &random)
        let text = written { HTTPDate.write(seconds, into: &$0) } ?? ""
        #expect(HTTPDate.parse(bytes(text)) == seconds)
        // The weekday moves by one each day.
        let next = written { HTTPDate.write(seconds + 7 * 86400, into: &$0) } ?? ""
        if seconds < 253_401_696_000 { #expect(next.prefix(3) == text.prefix(3)) }
    }
}
