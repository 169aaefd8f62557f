import Foundation
import Machine
import Testing

@testable import Diagnosis

@Suite struct ModelTests {
    @Test(arguments: [
        ("127.0.0.1:3000", "127.0.0.1:3000"), ("[::1]:80", "[::1]:80"),
        ("[2001:db8:0:0:1:0:0:1]:443", "[2001:db8::1:0:0:1]:443"),
        ("unix:/run/app.sock", "unix:/run/app.sock"), ("unix:/run/app.sock:/uri", "unix:/run/app.sock"),
        ("localhost:80", "localhost:80"),
        ("backend", "backend"), ("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1"), ("1.2.3:80", "1.2.3:80"),
        ("[::1::]:80", "::1:::80"),
        ("999.1.1.1:80", "999.1.1.1:80"), ("[", "["), ("", ""),
    ])
    func `addresses are read and written as configurations write them`(text: String, expected: String) {
        #expect(PeerAddress(parsing: text).text == expected)
    }

    @Test func `loopback is known in every notation`() {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            #expect(PeerAddress(parsing: text).isLoopback)
        }
        for text in ["10.0.0.1:1", "[::]:1", "[fe80::1]:1", "unix:/x"] {
            #expect(!PeerAddress(parsing: text).isLoopback)
        }
    }

    @Test func `incident ids sort by time and survive a person's typing`() {
        let a = IncidentID(seconds: 1_795_341_600, salt: 5), b = IncidentID(seconds: 1_795_341_601, salt: 0)
        #expect(a < b && a.text < b.text && a.text.utf8.count == 8)
        #expect(IncidentID(parsing: a.text.lowercased()) == a)
        #expect(IncidentID(parsing: a.text.replacing("0", with: "o")) == a)
        #expect(IncidentID(parsing: "short") == nil && IncidentID(parsing: "UUUUUUUU") == nil)
        #expect(a.seconds == 1_795_341_600)
        for raw in stride(from: UInt64(0), to: 0xff_ffff_ffff, by: 9_999_999_967) {
            let id = IncidentID(rawValue: raw)
            #expect(IncidentID(parsing: id.text) == id)
        }
    }

    @Test(arguments: [Int64(0), 951_782_400, 1_795_341_784, 4_102_444_799, -86_401])
    func `civil time and seconds agree both ways`(seconds: Int64) {
        #expect(CivilTime(utcSeconds: seconds).secondsIfUTC == seconds)
    }

    @Test func `a timestamp prints as ISO 8601`() {
        #expect(Timestamp(milliseconds: 951_782_400_007).text == "2000-02-29T00:00:00.007Z")
        #expect(Timestamp(seconds: 1_795_341_784).text == "2026-11-22T10:03:04Z")
        #expect(Timestamp(milliseconds: -1).text == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).text.hasPrefix("0001-01-01T00:00:00."))
        #expect(Timestamp(milliseconds: .max).text.hasPrefix("9999-12-31T23:59:59."))
    }

    @Test(arguments: [
        ("2026-11-22T10:03:04Z", Int64(1_795_341_784_000)), ("2026-11-22t10:03:04.5z", 1_795_341_784_500),
        ("2026-11-22T11:33:04.123456+01:30", 1_795_341_784_123), ("2026-11-22T09:03:04.007-01:00", 1_795_341_784_007),
    ])
    func `RFC 3339 times are read`(text: String, milliseconds: Int64) throws {
        let time = try #require(Timestamp(parsing: text))
        #expect(time.milliseconds == milliseconds)
        #expect(Timestamp(parsing: time.text) == time)
        #expect(try JSONDecoder().decode([Timestamp].self, from: JSONEncoder().encode([time])) == [time])
        #expect(try JSONDecoder().decode([Timestamp].self, from: Data("[\(milliseconds)]".utf8)) == [time])
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T10:03:04", "2026-11-22 10:03:04", "2026-13-22T10:03:04Z", "2026-11-22T25:03:04Z",
        "2026-11-22T10:03:04.Z", "2026-11-22T10:03:04+1:00", "2026-11-22T10:03:04ZZ", "2O26-11-22T10:03:04Z", "1795341784000",
    ])
    func `other texts are no time`(text: String) { #expect(Timestamp(parsing: text) == nil) }
}
