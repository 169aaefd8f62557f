/// Times in log lines.
package enum LogTime {
    private static let months: [[UInt8]] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// 1 to 12 for `Jan` to `Dec`.
    static func month(named name: Substring) -> Int? { months.firstIndex(of: Array(name.utf8)).map { $0 + 1 } }

    /// The first `[22/Nov/2026:10:03:04 +0000]` or `2026-11-22T10:03:04+00:00` of a line; O(length).
    package static func find(_ line: LineText) -> Timestamp? {
        if let open = line.find("["), let time = common(line.bytes[(open + 1)...]) { return time }
        var index = line.bytes.startIndex
        while let at = line.find("T", from: index) {
            if at - line.bytes.startIndex >= 10, let time = iso(line.bytes[(at - 10)...]) { return time }
            index = at + 1
        }
        return nil
    }

    /// The zone that a line's time is written in, in seconds east of UTC: nginx' own. nil for `Z`, which tells none.
    package static func zone(_ line: LineText) -> Int64? {
        if let open = line.find("["), common(line.bytes[(open + 1)...]) != nil { return offset(line.bytes, open + 22, colon: false) }
        var index = line.bytes.startIndex
        while let at = line.find("T", from: index) {
            if at - line.bytes.startIndex >= 10, iso(line.bytes[(at - 10)...]) != nil { return offset(line.bytes, at + 9, colon: true) }
            index = at + 1
        }
        return nil
    }

    /// Seconds east of UTC of `+02:00`, `-0500` or `Z`.
    package static func zone(named text: String) -> Int64? {
        let bytes = Array(text.utf8)[...]
        if text == "Z" || text == "UTC" { return 0 }
        guard bytes.count == 6 && bytes[3] == 58 || bytes.count == 5 else { return nil }
        return offset(bytes, 0, colon: bytes.count == 6).flatMap { abs($0) <= 14 * 3_600 ? $0 : nil }
    }

    /// `22/Nov/2026:10:03:04 +0000`.
    package static func common(_ b: ArraySlice<UInt8>) -> Timestamp? {
        let s = b.startIndex
        guard b.count >= 26, b[s + 2] == 47, b[s + 6] == 47, b[s + 11] == 58, let day = two(b, s),
            let year = four(b, s + 7), let hour = two(b, s + 12),
            let minute = two(b, s + 15), let second = two(b, s + 18),
            let month = months.firstIndex(where: { $0.elementsEqual(b[(s + 3)..<(s + 6)]) }),
            let offset = offset(b, s + 21, colon: false),
            let utc = CivilTime(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
                .secondsIfUTC
        else { return nil }
        return Timestamp(seconds: utc - offset)
    }

    /// `2026-11-22T10:03:04+00:00`, `…Z`, with or without a fraction.
    package static func iso(_ b: ArraySlice<UInt8>) -> Timestamp? {
        let s = b.startIndex
        guard b.count >= 20, b[s + 4] == 45, b[s + 7] == 45, b[s + 13] == 58, b[s + 16] == 58, let year = four(b, s),
            let month = two(b, s + 5),
            let day = two(b, s + 8), let hour = two(b, s + 11), let minute = two(b, s + 14),
            let second = two(b, s + 17),
            let utc = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
                .secondsIfUTC
        else { return nil }
        var at = s + 19
        if at < b.endIndex, b[at] == 46 { at += 1; while at < b.endIndex, b[at] >= 48, b[at] <= 57 { at += 1 } }
        if at < b.endIndex, b[at] == 90 { return Timestamp(seconds: utc) }
        guard let offset = offset(b, at, colon: true) else { return nil }
        return Timestamp(seconds: utc - offset)
    }

    private static func offset(_ b: ArraySlice<UInt8>, _ at: Int, colon: Bool) -> Int64? {
        let minutes = at + (colon ? 4 : 3)
        guard minutes + 2 <= b.endIndex, b[at] == 43 || b[at] == 45, let hour = two(b, at + 1),
            let minute = two(b, minutes)
        else { return nil }
        return Int64(b[at] == 45 ? -1 : 1) * Int64(hour * 3_600 + minute * 60)
    }
    private static func two(_ b: ArraySlice<UInt8>, _ at: Int) -> Int? {
        guard b[at] >= 48, b[at] <= 57, b[at + 1] >= 48, b[at + 1] <= 57 else { return nil }
        return Int(b[at] - 48) * 10 + Int(b[at + 1] - 48)
    }
    private static func four(_ b: ArraySlice<UInt8>, _ at: Int) -> Int? {
        guard let high = two(b, at), let low = two(b, at + 2) else { return nil }
        return high * 100 + low
    }
}
