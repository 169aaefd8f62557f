extension HTTPDate {
    /// "28-Sep-1970 12:00": a line of a directory listing.
    ///
    /// - Parameter offsetSeconds: east of UTC.
    @discardableResult
    package static func writeListingTime(
        _ seconds: Int64, offsetSeconds: Int32, into writer: inout ByteWriter
    ) -> Bool {
        guard writer.remaining >= 17 else { return false }
        let time = CalendarTime(seconds.addingReportingOverflow(Int64(offsetSeconds)).partialValue)
        writer.append(decimal: time.day, width: 2)
        writer.append(byte: 0x2d)
        writer.append(time.monthName)
        writer.append(byte: 0x2d)
        writer.append(decimal: time.year)
        writer.append(byte: 0x20)
        writer.append(decimal: time.hour, width: 2)
        writer.append(byte: 0x3a)
        return writer.append(decimal: time.minute, width: 2)
    }

    /// "1986-12-31T10:00:00Z"
    @discardableResult
    package static func writeUTC(_ seconds: Int64, into writer: inout ByteWriter) -> Bool {
        guard writer.remaining >= 20 else { return false }
        let time = CalendarTime(seconds)
        writer.append(decimal: time.year, width: 4)
        writer.append(byte: 0x2d)
        writer.append(decimal: UInt64(time.month + 1), width: 2)
        writer.append(byte: 0x2d)
        writer.append(decimal: time.day, width: 2)
        writer.append(byte: 0x54)
        writer.append(decimal: time.hour, width: 2)
        writer.append(byte: 0x3a)
        writer.append(decimal: time.minute, width: 2)
        writer.append(byte: 0x3a)
        writer.append(decimal: time.second, width: 2)
        return writer.append(byte: 0x5a)
    }
}
