import CLinux
import Glibc
public import Wire

/// The machine's time zone.
public enum LocalTime {
    /// Seconds since 1970, asked from the kernel.
    public static var now: Int64 { Int64(cs_realtime_ns() / 1_000_000_000) }

    /// Seconds east of UTC at a moment given in seconds since 1970.
    public static func offset(at second: Int64) -> Int32 {
        var seconds = time_t(second)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        return unsafe Int32(parts.tm_gmtoff)
    }

    /// Appends a moment in a format of strftime(3), at most 256 bytes.
    /// - Parameter isUTC: instead of the machine's zone.
    public static func append(_ second: Int64, format: ByteView, isUTC: Bool, to buffer: Ref<Buffer>) {
        var seconds = time_t(second)
        var parts = unsafe tm()
        if isUTC { unsafe gmtime_r(&seconds, &parts) } else { unsafe localtime_r(&seconds, &parts) }
        buffer.write(reserving: 256) { writer in
            var text = [CChar](repeating: 0, count: 257)
            // SAFETY: the format ends with a zero, and the text is as long as the call is told.
            let count = unsafe File.withPath(format) { unsafe strftime(&text, 257, $0, &parts) }
            for index in 0..<min(count, 256) { _ = writer.append(byte: UInt8(bitPattern: text[index])) }
        }
    }
}
