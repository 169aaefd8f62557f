extension HTTPDate {
    /// Parses the three formats of HTTP; nil if it is none. The name of the day and the zone are not looked at, as in
    /// nginx; two-digit years below 70 are 20xx. Dates before 1970 are negative. O(1).
    /// ```
    /// Sun, 06 Nov 1994 08:49:37 GMT      Sunday, 06-Nov-94 08:49:37 GMT      Sun Nov  6 08:49:37 1994
    /// ```
    public static func parse(_ bytes: ByteView) -> Int64? {
        var cursor = Cursor(bytes: bytes.prefix(64))
        guard let mark = cursor.skipDayName() else { return nil }
        cursor.skipSpaces()
        return mark == 0x2c ? parseFixed(&cursor) : parseAsctime(&cursor)
    }

    private static func parseFixed(_ cursor: inout Cursor) -> Int64? {
        guard let day = cursor.number(digits: 2), let separator = cursor.next(),
            separator == 0x20 || separator == 0x2d,
            let month = cursor.month(), cursor.skip(separator)
        else { return nil }
        var year: Int64
        if separator == 0x20 {
            guard let long = cursor.number(digits: 4) else { return nil }
            year = long
        } else {
            guard let short = cursor.number(digits: 2) else { return nil }
            year = short + (short < 70 ? 2000 : 1900)
        }
        guard cursor.skip(0x20), let clock = cursor.clock() else { return nil }
        return CalendarTime.seconds(
            year: year, month: month, day: day, hour: clock.hour, minute: clock.minute, second: clock.second)
    }

    private static func parseAsctime(_ cursor: inout Cursor) -> Int64? {
        guard let month = cursor.month(), cursor.skip(0x20) else { return nil }
        _ = cursor.skip(0x20)
        guard var day = cursor.number(digits: 1) else { return nil }
        if let second = cursor.number(digits: 1) { day = day * 10 + second }
        guard cursor.skip(0x20), let clock = cursor.clock(), cursor.skip(0x20), let year = cursor.number(digits: 4)
        else { return nil }
        return CalendarTime.seconds(
            year: year, month: month, day: day, hour: clock.hour, minute: clock.minute, second: clock.second)
    }

    /// Reads a date from the front.
    private struct Cursor {
        let bytes: ByteView
        var index = 0

        mutating func next() -> UInt8? {
            guard index < bytes.count else { return nil }
            index &+= 1
            return bytes[index &- 1]
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index &+= 1
            return true
        }

        mutating func skipSpaces() {
            while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        }

        /// Skips up to and with "," or a space, and says which.
        mutating func skipDayName() -> UInt8? {
            while let byte = next() {
                if byte == 0x2c || byte == 0x20 { return byte }
            }
            return nil
        }

        /// Exactly this many digits; moves only if they are there.
        mutating func number(digits: Int) -> Int64? {
            guard index &+ digits <= bytes.count else { return nil }
            var value: Int64 = 0
            for place in index..<index &+ digits {
                let digit = bytes[place] &- 0x30
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            index &+= digits
            return value
        }

        mutating func month() -> Int64? {
            guard index &+ 3 <= bytes.count else { return nil }
            let names: ByteView = "JanFebMarAprMayJunJulAugSepOctNovDec"
            for month in 0..<12 where names[month * 3..<month * 3 + 3] == bytes[index..<index &+ 3] {
                index &+= 3
                return Int64(month)
            }
            return nil
        }

        mutating func clock() -> (hour: Int64, minute: Int64, second: Int64)? {
            guard let hour = number(digits: 2), skip(0x3a), let minute = number(digits: 2), skip(0x3a),
                let second = number(digits: 2)
            else { return nil }
            return (hour, minute, second)
        }
    }
}
