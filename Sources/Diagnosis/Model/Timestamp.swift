/// A point on the wall clock: milliseconds since 1970-01-01 UTC. Used for evidence and reports, never for time-outs.
package struct Timestamp: Sendable, Hashable, Comparable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z; negative before it.
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package init(seconds: Int64) { milliseconds = seconds.multipliedReportingOverflow(by: 1_000).partialValue }

    /// Earlier first.
    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Milliseconds from `other` to `self`; saturates instead of overflowing.
    package func since(_ other: Timestamp) -> Int64 {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(other.milliseconds)
        return overflow ? (milliseconds < other.milliseconds ? .min : .max) : difference
    }

    /// `self` moved by a number of milliseconds, saturating.
    package func advanced(byMilliseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(delta)
        return Timestamp(milliseconds: overflow ? (delta < 0 ? .min : .max) : sum)
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 {
        let quotient = milliseconds / 1_000
        return milliseconds % 1_000 < 0 ? quotient - 1 : quotient
    }

    /// A text as `text` makes it; a number of milliseconds is understood too, as older files have it.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            milliseconds = number
            return
        }
        guard let time = Timestamp(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no RFC 3339 time")
        }
        self = time
    }
    /// As `text`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A calendar date and a time of day without a zone, as log lines carry it.
package struct CivilTime: Sendable, Hashable {
    /// Year 1 to 9999, month and day from 1.
    package var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int

    package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year; self.month = month; self.day = day
        self.hour = hour; self.minute = minute; self.second = second
    }

    /// The seconds since 1970 if this were UTC. Proleptic Gregorian, O(1); nil when a field is out of range.
    package var secondsIfUTC: Int64? {
        guard (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), (1...9_999).contains(year)
        else { return nil }
        let y = Int64(month <= 2 ? year - 1 : year)
        let era = y / 400
        let yearOfEra = y - era * 400
        let monthFromMarch = Int64((month + 9) % 12)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + Int64(hour) * 3_600 + Int64(minute) * 60 + Int64(second)
    }

    /// The calendar fields of a number of seconds since 1970, in UTC. O(1).
    package init(utcSeconds: Int64) {
        let days = utcSeconds >= 0 ? utcSeconds / 86_400 : (utcSeconds - 86_399) / 86_400
        let rest = Int(utcSeconds - days * 86_400)
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        hour = rest / 3_600; minute = rest % 3_600 / 60; second = rest % 60
    }
}

extension Timestamp {
    /// Reads an RFC 3339 time: `2026-11-22T10:03:04Z`, with a fraction of any length, with `Z` or an offset such as `+01:00`. Nil for
    /// anything else.
    package init?(parsing text: String) {
        let bytes = Array(text.utf8)
        func number(_ at: Int, _ count: Int) -> Int? {
            guard at + count <= bytes.count, bytes[at..<(at + count)].allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
            return bytes[at..<(at + count)].reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        guard bytes.count >= 20, bytes.count <= 64, bytes[4] == 45, bytes[7] == 45, bytes[10] | 32 == 116, bytes[13] == 58,
            bytes[16] == 58, let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2),
            let seconds = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second).secondsIfUTC
        else { return nil }
        var at = 19, fraction: Int64 = 0
        if bytes[at] == 46 {
            let digits = bytes[(at + 1)...].prefix { $0 >= 48 && $0 <= 57 }
            guard !digits.isEmpty else { return nil }
            for place in 0..<3 { fraction = fraction * 10 + (place < digits.count ? Int64(digits[digits.startIndex + place] - 48) : 0) }
            at += 1 + digits.count
        }
        var offset: Int64 = 0
        if at + 1 == bytes.count, bytes[at] | 32 == 122 {
            offset = 0
        } else if at + 6 == bytes.count, bytes[at] == 43 || bytes[at] == 45, bytes[at + 3] == 58, let hours = number(at + 1, 2),
            let minutes = number(at + 4, 2), hours < 24, minutes < 60
        {
            offset = Int64(hours * 3_600 + minutes * 60) * (bytes[at] == 43 ? 1 : -1)
        } else {
            return nil
        }
        self.init(milliseconds: (seconds - offset) * 1_000 + fraction)
    }

    /// `2026-11-22T10:03:04Z`; with milliseconds when they are not zero.
    package var text: String {
        let t = CivilTime(utcSeconds: min(max(seconds, -62_135_596_800), 253_402_300_799))
        let fraction = (milliseconds % 1_000 + 1_000) % 1_000
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let tail = fraction == 0 ? "Z" : ".\(String(1_000 + fraction).dropFirst())Z"
        let year = String(10_000 + t.year).dropFirst()
        return "\(year)-\(two(t.month))-\(two(t.day))T\(two(t.hour)):\(two(t.minute)):\(two(t.second))\(tail)"
    }
}
