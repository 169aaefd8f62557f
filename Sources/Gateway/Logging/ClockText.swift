import Loop
import Wire

/// The time in the forms that heads and logs need, made once per second.
struct ClockText: ~Copyable {
    var second: Int64 = -1
    /// Offset of the local time zone in seconds.
    var offset: Int32 = 0
    let httpDate = Ref<Buffer>.immortal(Buffer.clock())
    let localTime = Ref<Buffer>.immortal(Buffer.clock())
    let isoTime = Ref<Buffer>.immortal(Buffer.clock())
    let errorTime = Ref<Buffer>.immortal(Buffer.clock())

    init() {}
}

extension Buffer {
    static func clock() -> Buffer { Buffer(capacity: 64) }
}

extension Ref where Value == Worker {
    /// `Sun, 22 Nov 2026 09:57:59 GMT`
    var httpDate: ByteView { refreshed(value.clock.httpDate) }
    /// `22/Nov/2026:09:57:59 +0000`
    var localTime: ByteView { refreshed(value.clock.localTime) }
    /// `2026-11-22T09:57:59+00:00`
    var isoTime: ByteView { refreshed(value.clock.isoTime) }
    /// `2026/11/22 09:57:59`
    var errorTime: ByteView { refreshed(value.clock.errorTime) }

    @inline(__always)
    private func refreshed(_ text: Ref<Buffer>) -> ByteView {
        let second = value.loop.wallClock / 1000
        if second != value.clock.second { refreshClock(second) }
        return text.view
    }

    @inline(never)
    private func refreshClock(_ second: Int64) {
        value.clock.second = second
        value.clock.offset = LocalTime.offset(at: second)
        let offset = value.clock.offset
        func fill(_ buffer: Ref<Buffer>, _ body: (inout ByteWriter) -> Void) {
            buffer.clear()
            buffer.write(reserving: 48) { writer in
                body(&writer)
            }
        }
        fill(value.clock.httpDate) { HTTPDate.write(second, into: &$0) }
        fill(value.clock.localTime) { HTTPDate.writeLogTime(second, offsetSeconds: offset, into: &$0) }
        fill(value.clock.isoTime) { HTTPDate.writeISO8601(second, offsetSeconds: offset, into: &$0) }
        fill(value.clock.errorTime) { HTTPDate.writeErrorLogTime(second, offsetSeconds: offset, into: &$0) }
    }
}
