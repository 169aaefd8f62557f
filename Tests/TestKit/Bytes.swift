import Foundation

/// Bytes as they travel; tests compare them exactly.
public typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
    /// The bytes of `text` in UTF-8.
    public init(_ text: String) { self = Array(text.utf8) }

    /// The bytes as text; bytes that are not UTF-8 become U+FFFD, so this is for messages and ASCII protocols.
    public var text: String { String(decoding: self, as: UTF8.self) }

    /// The first position at or after `start` where `pattern` begins, or nil.
    public func firstRange(of pattern: Bytes, from start: Int = 0) -> Range<Int>? {
        guard !pattern.isEmpty, count >= pattern.count, start <= count - pattern.count else { return nil }
        for index in start...(count - pattern.count) where self[index] == pattern[0] {
            if self[index..<(index + pattern.count)].elementsEqual(pattern) { return index..<(index + pattern.count) }
        }
        return nil
    }

    /// Length and FNV-1a hash, for comparing bodies that nobody wants to see printed when they differ.
    public var fingerprint: String {
        "\(count) bytes, " + String(reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }

    /// A body of `count` bytes that no compressor or off-by-one can mistake: the same for the same seed.
    public static func patterned(_ count: Int, seed: UInt64 = 1) -> Bytes {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return Bytes(unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                buffer[index] = UInt8(truncatingIfNeeded: state >> 24)
            }
            initialized = count
        }
    }
}

/// What went wrong in the kit itself: a wait that ran out, a process that did not start, bytes that are no HTTP.
public struct KitError: Error, CustomStringConvertible {
    public let description: String
    /// The peer ended or reset the connection; not a time-out, and not something that it sent.
    public let isClose: Bool

    public init(_ description: String, isClose: Bool = false) {
        self.description = description
        self.isClose = isClose
    }
}

/// A moment on the monotonic clock after which a wait gives up.
public struct Deadline: Sendable {
    private let nanoseconds: UInt64

    /// A deadline `seconds` from now.
    public init(seconds: Double) { nanoseconds = Deadline.now() + UInt64(seconds * 1e9) }

    /// Nanoseconds on the monotonic clock.
    public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What is left, in milliseconds rounded up; 0 when it has passed.
    public var millisecondsLeft: Int32 {
        let now = Deadline.now()
        return now >= nanoseconds ? 0 : Int32(min((nanoseconds - now + 999_999) / 1_000_000, 1_000_000))
    }

    public var hasPassed: Bool { millisecondsLeft == 0 }
}

/// Polls `condition` every few milliseconds until it holds; false when `seconds` have passed.
public func eventually(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Deadline(seconds: seconds)
    while true {
        if try condition() { return true }
        if deadline.hasPassed { return false }
        usleep(3_000)
    }
}

/// Seconds that `body` took.
public func secondsTaken(_ body: () throws -> Void) rethrows -> Double {
    let start = Deadline.now()
    try body()
    return Double(Deadline.now() - start) / 1e9
}
