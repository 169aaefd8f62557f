import Config

/// Durations in options of commands, written as in the configuration: `90`, `500ms`, `30m`, `1h30m`, `7d`.
enum DurationText {
    /// What to say after the name of an option that holds none.
    static let rule = "takes a time as in the configuration: a number and ms, s, m, h or d"

    /// Milliseconds, at most `max`; nil if it is no duration or longer.
    static func milliseconds(_ text: String, max: Int64 = 10 * 366 * 86_400_000) -> Int64? {
        guard let found = ValueParsing.milliseconds(text.utf8).map({ Int64($0) }), found <= max else { return nil }
        return found
    }
}
