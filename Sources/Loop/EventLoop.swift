import CLinux

/// What epoll says of a descriptor.
public struct EventMask: OptionSet {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// There is something to read, or to accept.
    public static var readable: EventMask { EventMask(rawValue: 0x001) }
    /// There is room to write, or a connect has ended.
    public static var writable: EventMask { EventMask(rawValue: 0x004) }
    /// The peer has closed its side: after what is buffered comes an end of file.
    public static var peerClosed: EventMask { EventMask(rawValue: 0x2000) }
    /// An error or a hang-up; always reported.
    public static var failed: EventMask { EventMask(rawValue: 0x008 | 0x010) }
    public static var edgeTriggered: EventMask { EventMask(rawValue: 1 << 31) }
    public static var exclusive: EventMask { EventMask(rawValue: 1 << 28) }
    /// A connection: both directions, edge-triggered, registered once in its life, so that a request costs no epoll_ctl.
    public static var connection: EventMask { [.readable, .writable, .peerClosed, .edgeTriggered] }
}

/// One epoll instance, the timers, and the time, which is read once per tick.
///
/// It knows nothing of what the descriptors are for: `wait` fills the tick's events, the owner walks over them and dispatches by token kind.
@safe
public struct EventLoop: ~Copyable {
    private let descriptor: Int32
    private let capacity: Int
    private let events: UnsafeMutablePointer<epoll_event>
    public var timers = TimerHeap()
    /// Monotonic milliseconds at the start of this tick.
    public internal(set) var now: UInt64 = 0
    /// Wall-clock milliseconds since 1970 at the start of this tick.
    public internal(set) var wallClock: Int64 = 0

    /// - Parameter capacity: events taken from the kernel per tick, 1...4096.
    /// - Returns: nil if the kernel gives no epoll descriptor.
    public init?(capacity: Int) {
        let descriptor = cs_epoll_create()
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        self.capacity = capacity
        unsafe events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        readClocks()
    }

    /// Reads both clocks again; `wait` does it, a long computation may.
    public mutating func readClocks() {
        now = cs_monotonic_ns() / 1_000_000
        wallClock = Int64(cs_realtime_ns() / 1_000_000)
    }

    /// - Returns: 0 or -errno (EEXIST, ENOMEM, ENOSPC, EPERM for a descriptor that cannot be polled).
    public func add(_ fd: Int32, _ mask: EventMask, _ token: Token) -> Int32 {
        cs_epoll_ctl(descriptor, EPOLL_CTL_ADD, fd, mask.rawValue, token.rawValue)
    }

    /// Only for descriptors that stay open: closing one removes it by itself.
    @discardableResult
    public func remove(_ fd: Int32) -> Int32 { cs_epoll_ctl(descriptor, EPOLL_CTL_DEL, fd, 0, 0) }

    /// Sleeps until something happens, at most until the next timer.
    /// - Parameter limit: the longest sleep in milliseconds, or -1.
    /// - Returns: the number of events, 0 when a timer is due or a signal came.
    @inline(never)
    public mutating func wait(limit: Int32 = -1) -> Int {
        var timeout = limit
        if let next = timers.next {
            let until = next > now ? Int32(clamping: next - now) : 0
            timeout = limit < 0 ? until : min(limit, until)
        }
        let count = unsafe cs_epoll_wait(descriptor, events, Int32(capacity), timeout)
        readClocks()
        return max(0, Int(count))
    }

    /// Event `index` of this tick.
    @inline(__always)
    public func event(_ index: Int) -> (token: Token, mask: EventMask) {
        precondition(index < capacity)
        // SAFETY: index is below the capacity of the array the kernel filled.
        return unsafe (Token(rawValue: cs_event_data(events, Int32(index))), EventMask(rawValue: cs_event_mask(events, Int32(index))))
    }
}
