/// Dates of HTTP and of logs, from and to seconds since 1970, without libc and locale. Seconds are clamped to years
/// 0...9999. Each function appends all or nothing and says whether it fitted; none allocates.
public enum HTTPDate {
    /// Length of what `write` appends.
    public static var length: Int { 29 }

    /// "Sun, 06 Nov 1994 08:49:37 GMT"
    @discardableResult
    public static func write(_ seconds: Int64, into writer: inout ByteWriter) -> Bool {
        guard fits(29, &writer) else { return false }
        writeDate(CalendarTime(seconds), separator: 0x20, into: &writer)
        return true
    }

    /// "Thu, 18-Nov-10 11:27:35 GMT"; from 2038 on with four digits of the year. For cookies.
    @discardableResult
    public static func writeCookieDate(_ seconds: Int64, into writer: inout ByteWriter) -> Bool {
        guard fits(29, &writer) else { return false }
        let time = CalendarTime(seconds)
        if time.year > 2037 {
            writeDate(time, separator: 0x2d, into: &writer)
        } else {
            writeDate(time, separator: 0x2d, shortYear: true, into: &writer)
        }
        return true
    }

    private static func writeDate(
        _ time: CalendarTime, separator: UInt8, shortYear: Bool = false, into writer: inout ByteWriter
    ) {
        writer.append(time.weekdayName)
        writer.append(", ")
        writer.append(decimal: time.day, width: 2)
        writer.append(byte: separator)
        writer.append(time.monthName)
        writer.append(byte: separator)
        if shortYear {
            writer.append(decimal: time.year % 100, width: 2)
        } else {
            writer.append(decimal: time.year, width: 4)
        }
        writer.append(byte: 0x20)
        writeClock(time, into: &writer)
        writer.append(" GMT")
    }

    /// "22/Nov/2026:09:57:59 +0000": `$time_local`.
    ///
    /// - Parameter offsetSeconds: east of UTC.
    @discardableResult
    public static func writeLogTime(_ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter) -> Bool {
        guard fits(26, &writer) else { return false }
        let time = local(seconds, offsetSeconds)
        writer.append(decimal: time.day, width: 2)
        writer.append(byte: 0x2f)
        writer.append(time.monthName)
        writer.append(byte: 0x2f)
        writer.append(decimal: time.year, width: 4)
        writer.append(byte: 0x3a)
        writeClock(time, into: &writer)
        writer.append(byte: 0x20)
        writeOffset(offsetSeconds, colon: false, into: &writer)
        return true
    }

    /// "2026-11-22T09:57:59+00:00": `$time_iso8601`.
    @discardableResult
    public static func writeISO8601(_ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter) -> Bool {
        guard fits(25, &writer) else { return false }
        let time = local(seconds, offsetSeconds)
        writeDay(time, separator: 0x2d, into: &writer)
        writer.append(byte: 0x54)
        writeClock(time, into: &writer)
        writeOffset(offsetSeconds, colon: true, into: &writer)
        return true
    }

    /// "2026/11/22 09:57:59": the error log.
    @discardableResult
    public static func writeErrorLogTime(
        _ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter
    ) -> Bool {
        guard fits(19, &writer) else { return false }
        let time = local(seconds, offsetSeconds)
        writeDay(time, separator: 0x2f, into: &writer)
        writer.append(byte: 0x20)
        writeClock(time, into: &writer)
        return true
    }

    private static func fits(_ length: Int, _ writer: inout ByteWriter) -> Bool {
        if writer.remaining >= length { return true }
        writer.isOverflown = true
        return false
    }

    private static func local(_ seconds: Int64, _ offset: Int32) -> CalendarTime {
        CalendarTime(seconds.addingReportingOverflow(Int64(offset)).overflow ? seconds : seconds &+ Int64(offset))
    }

    private static func writeDay(_ time: CalendarTime, separator: UInt8, into writer: inout ByteWriter) {
        writer.append(decimal: time.year, width: 4)
        writer.append(byte: separator)
        writer.append(decimal: UInt64(time.month + 1), width: 2)
        writer.append(byte: separator)
        writer.append(decimal: time.day, width: 2)
    }

    private static func writeClock(_ time: CalendarTime, into writer: inout ByteWriter) {
        writer.append(decimal: time.hour, width: 2)
        writer.append(byte: 0x3a)
        writer.append(decimal: time.minute, width: 2)
        writer.append(byte: 0x3a)
        writer.append(decimal: time.second, width: 2)
    }

    private static func writeOffset(_ seconds: Int32, colon: Bool, into writer: inout ByteWriter) {
        let minutes = min(UInt64(seconds.magnitude) / 60, 99 * 60 + 59)
        writer.append(byte: seconds < 0 ? 0x2d : 0x2b)
        writer.append(decimal: minutes / 60, width: 2)
        if colon { writer.append(byte: 0x3a) }
        writer.append(decimal: minutes % 60, width: 2)
    }
}
