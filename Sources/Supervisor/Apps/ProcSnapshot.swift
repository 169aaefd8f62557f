internal import CLinux

/// Something read from the kernel that several instances are compared with: read once for all that ask within a moment.
struct ProcSnapshot<Value> {
    private let read: () -> Value
    private var value: Value?
    private var readAt: UInt64 = 0
    private var cost: UInt64 = 0

    init(_ read: @escaping () -> Value) { self.read = read }

    /// The value as it is now, or was a moment ago: ten times as long as reading it takes.
    mutating func recent() -> Value {
        let now = cs_monotonic_ns()
        if let value, now - readAt < 10 * cost { return value }
        let fresh = read()
        value = fresh
        readAt = now
        cost = cs_monotonic_ns() - now
        return fresh
    }
}
