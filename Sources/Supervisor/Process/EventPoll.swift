internal import CLinux
internal import Glibc

/// The supervisor's epoll set. Cold: a handful of descriptors, woken by signals and messages only.
struct EventPoll {
    /// Readable itself when one of its targets is: sets may stand in each other.
    let descriptor: Descriptor

    struct Event {
        /// What `add` was told.
        var tag: UInt64
        var isWritable: Bool
        /// The other side is gone.
        var isHungUp: Bool
    }

    init() throws(SystemError) { descriptor = Descriptor(owning: try System.check(cs_epoll_create())) }

    func add(_ target: Descriptor, tag: UInt64) throws(SystemError) {
        try System.check(cs_epoll_ctl(descriptor.number, EPOLL_CTL_ADD, target.number, UInt32(EPOLLIN.rawValue), tag))
    }

    /// Whether to report also when the target can be written.
    func watch(_ target: Descriptor, tag: UInt64, writes: Bool) {
        let events = UInt32(EPOLLIN.rawValue) | (writes ? UInt32(EPOLLOUT.rawValue) : 0)
        _ = cs_epoll_ctl(descriptor.number, EPOLL_CTL_MOD, target.number, events, tag)
    }

    func remove(_ target: Descriptor) { _ = cs_epoll_ctl(descriptor.number, EPOLL_CTL_DEL, target.number, 0, 0) }

    /// Waits, at most for the time given; nil: for ever. Empty when the time is over.
    func wait(milliseconds: UInt64?) -> [Event] {
        let capacity: Int32 = 64
        var events = unsafe [epoll_event](repeating: epoll_event(), count: Int(capacity))
        let timeout = milliseconds.map { Int32(clamping: $0) } ?? -1
        // SAFETY: at most `capacity` events are written.
        let count = unsafe cs_epoll_wait(descriptor.number, &events, capacity, timeout)
        return (0..<max(0, count)).map { index in
            let mask = unsafe cs_event_mask(events, index)
            return Event(
                tag: unsafe cs_event_data(events, index), isWritable: mask & UInt32(EPOLLOUT.rawValue) != 0,
                isHungUp: mask & UInt32(EPOLLHUP.rawValue) != 0)
        }
    }
}
