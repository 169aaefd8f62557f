/// Dates of HTTP and of logs, from and to seconds since 1970, without libc and locale.
package enum HTTPDate {
    /// "Sun, 06 Nov 1994 08:49:37 GMT"; always 29 bytes. Seconds are clamped to years 0...9999.
    @discardableResult
    package static func write(_ seconds: Int64, into writer: inout ByteWriter) -> Bool { false }
    /// "Thu, 18-Nov-2010 11:27:35 GMT": of cookies (`expires` of `userid`).
    @discardableResult
    package static func writeCookieDate(_ seconds: Int64, into writer: inout ByteWriter) -> Bool { false }
    /// "22/Nov/2026:09:57:59 +0000": `$time_local`.
    @discardableResult
    package static func writeLogTime(_ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter) -> Bool { false }
    /// "2026-11-22T09:57:59+00:00": `$time_iso8601`.
    @discardableResult
    package static func writeISO8601(_ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter) -> Bool { false }
    /// "2026/11/22 09:57:59": the error log.
    @discardableResult
    package static func writeErrorLogTime(_ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter) -> Bool { false }

    /// Parses the three formats of HTTP (IMF-fixdate, RFC 850, asctime); nil if it is none. Two-digit years below 70 are
    /// 20xx. Dates before 1970 give nil, as in nginx.
    package static func parse(_ bytes: ByteView) -> Int64? { nil }
}
