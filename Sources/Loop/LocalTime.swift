import Glibc

/// The machine's time zone.
public enum LocalTime {
    /// Seconds east of UTC at a moment given in seconds since 1970.
    public static func offset(at second: Int64) -> Int32 {
        var seconds = time_t(second)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        return unsafe Int32(parts.tm_gmtoff)
    }
}
