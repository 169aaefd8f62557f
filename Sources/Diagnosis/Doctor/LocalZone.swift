import Foundation

/// Local time of this host, for logs that carry no zone. Remembers the offset of the quarter of an hour it was last asked for.
package struct LocalZone: Sendable {
    private var quarter: Int64 = .min
    private var offset: Int64 = 0
    /// Seconds east of UTC, in place of this process's zone.
    private let fixed: Int64?

    /// Whether it is given, not this process's.
    package var isFixed: Bool { fixed != nil }

    package init(fixedOffset: Int64? = nil) { fixed = fixedOffset }

    /// nil when the fields are no time.
    package mutating func timestamp(_ local: CivilTime) -> Timestamp? {
        guard let asUTC = local.secondsIfUTC else { return nil }
        if let fixed { return Timestamp(seconds: asUTC - fixed) }
        if asUTC / 900 != quarter {
            quarter = asUTC / 900
            // SAFETY: numbers only; its one pointer, the zone's name, is written by mktime() and not read.
            var fields = unsafe tm()
            unsafe fields.tm_year = Int32(local.year - 1_900)
            unsafe fields.tm_mon = Int32(local.month - 1)
            unsafe fields.tm_mday = Int32(local.day)
            unsafe fields.tm_hour = Int32(local.hour)
            unsafe fields.tm_min = Int32(local.minute)
            unsafe fields.tm_isdst = -1
            offset = asUTC - Int64(local.second) - Int64(unsafe mktime(&fields))
        }
        return Timestamp(seconds: asUTC - offset)
    }
}
