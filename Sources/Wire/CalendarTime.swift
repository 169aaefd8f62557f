/// A moment in the Gregorian calendar.
struct CalendarTime {
    /// 0...9999
    var year: UInt64
    /// 0...11
    var month: Int
    /// 1...31
    var day: UInt64
    /// 0 is Sunday.
    var weekday: Int
    var hour: UInt64
    var minute: UInt64
    var second: UInt64

    /// - Parameter seconds: since 1970; clamped to years 0...9999.
    init(_ seconds: Int64) {
        let clamped = min(max(seconds, -62_167_219_200), 253_402_300_799)
        // Seconds since 0000-03-01, where a year ends with its leap day; one cycle of 400 years before, to stay >= 0.
        let shifted = UInt64(clamped + 62_162_035_200 + 12_622_780_800)
        let days = shifted / 86400
        let time = shifted % 86400
        hour = time / 3600
        minute = time / 60 % 60
        second = time % 60
        // 0000-03-01 was a Wednesday, and 146,097 days are 20,871 weeks.
        weekday = Int((days + 3) % 7)
        let cycle = days / 146_097
        let dayOfCycle = days % 146_097
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // Months from March: 0...11.
        let fromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        month = Int(fromMarch < 10 ? fromMarch + 2 : fromMarch - 10)
        year = cycle * 400 + yearOfCycle + (month < 2 ? 1 : 0) - 400
    }

    /// Seconds since 1970; nil if it is no date. `month` is 0...11.
    static func seconds(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) -> Int64? {
        guard (0...9999).contains(year), (0...11).contains(month), day >= 1, day <= lastDay(year, month),
            hour < 24, minute < 60, second < 60
        else { return nil }
        // Years begin in March.
        let shifted = month < 2 ? year - 1 : year
        let fromMarch = month < 2 ? month + 10 : month - 2
        let cycle = (shifted + 400) / 400 - 1
        let yearOfCycle = shifted - cycle * 400
        let dayOfYear = (153 * fromMarch + 2) / 5 + day - 1
        let days = cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
        return days * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func lastDay(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 1: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 3, 5, 8, 10: 30
        default: 31
        }
    }

    var weekdayName: ByteView { ("SunMonTueWedThuFriSat" as ByteView)[weekday * 3..<weekday * 3 + 3] }
    var monthName: ByteView {
        ("JanFebMarAprMayJunJulAugSepOctNovDec" as ByteView)[month * 3..<month * 3 + 3]
    }
}
