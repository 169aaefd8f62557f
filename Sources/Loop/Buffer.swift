import CLinux
import Glibc
public import Wire

/// A contiguous piece of memory that is filled at its end and emptied at its start; pooled, reached through `Ref<Buffer>`.
///
/// `start..<end` are the bytes in use. It grows when asked to (a head that does not fit), so offsets stay valid and addresses do not.
@safe
public struct Buffer: ~Copyable {
    public internal(set) var memory: UnsafeMutablePointer<UInt8>
    /// Bytes of memory.
    public internal(set) var capacity: Int
    /// Offset of the first byte in use.
    public var start = 0
    /// Offset behind the last byte in use.
    public var end = 0
    /// The size class it came from, as capacity; a buffer that grew goes back to the allocator.
    let pooledCapacity: Int

    public init(capacity: Int) {
        unsafe memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        self.capacity = capacity
        pooledCapacity = capacity
    }

    deinit { unsafe memory.deallocate() }
}

extension Ref where Value == Buffer {
    /// Bytes in use.
    @inlinable @inline(__always)
    public var count: Int { value.end &- value.start }
    /// Bytes that fit behind the end.
    @inlinable @inline(__always)
    public var room: Int { value.capacity &- value.end }

    /// The bytes in use. Valid until the buffer is grown, refilled or given back.
    @inlinable @inline(__always)
    public var view: ByteView { unsafe ByteView(start: UnsafePointer(value.memory + value.start), count: value.end &- value.start) }

    /// Bytes from the buffer's very start to its end, whatever was consumed: the coordinates of head parsers.
    @inlinable @inline(__always)
    public var whole: ByteView { unsafe ByteView(start: UnsafePointer(value.memory), count: value.end) }

    /// Whether bytes lie in this buffer's memory.
    public func holds(_ bytes: ByteView) -> Bool {
        guard let start = unsafe bytes.rawBuffer.baseAddress else { return false }
        let offset = unsafe start - UnsafeRawPointer(value.memory)
        return offset >= 0 && offset < value.capacity
    }

    @inlinable public func clear() { value.start = 0; value.end = 0 }

    /// Marks bytes at the start as used up.
    @inlinable @inline(__always)
    public func consume(_ n: Int) {
        precondition(n >= 0 && n <= count)
        value.start &+= n
    }

    /// Moves what is in use to the very start.
    public func compact() {
        guard value.start > 0 else { return }
        let n = count
        // SAFETY: both ranges lie inside the memory; memmove allows overlap.
        if n > 0 { _ = unsafe memmove(value.memory, value.memory + value.start, n) }
        value.start = 0
        value.end = n
    }

    /// Overwrites everything.
    /// - Returns: true.
    fileprivate func poison() -> Bool {
        // SAFETY: capacity is the size of the memory.
        _ = unsafe memset(value.memory, 0xDD, value.capacity)
        return true
    }

    /// Makes room for at least `n` more bytes by growing to twice the size. Addresses change, offsets do not.
    @inline(never)
    public func grow(by n: Int) {
        let wanted = max(value.capacity * 2, value.end + n)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        // SAFETY: end <= old capacity < wanted.
        _ = unsafe memcpy(memory, value.memory, value.end)
        unsafe value.memory.deallocate()
        unsafe value.memory = memory
        value.capacity = wanted
    }

    @inlinable @inline(__always)
    public func append(_ bytes: ByteView) {
        let n = bytes.count
        if room < n { grow(by: n) }
        // SAFETY: there is room for n bytes behind end.
        unsafe UnsafeMutableRawPointer(value.memory + value.end).copyMemory(from: bytes.rawBuffer.baseAddress!, byteCount: n)
        value.end &+= n
    }

    @inlinable @inline(__always)
    public func append(_ byte: UInt8) {
        if room < 1 { grow(by: 1) }
        unsafe value.memory[value.end] = byte
        value.end &+= 1
    }

    /// Appends a number in decimal digits.
    public func append(decimal number: UInt64) {
        if room < 20 { grow(by: 20) }
        var n = number
        var digits = 1
        var limit: UInt64 = 10
        while n >= limit {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        var position = value.end + digits
        value.end = position
        repeat {
            position -= 1
            // SAFETY: there is room for 20 digits, and position counts down from the number of digits.
            unsafe value.memory[position] = UInt8(truncatingIfNeeded: 0x30 + n % 10)
            n /= 10
        } while n > 0
    }

    public func append(decimal number: Int) {
        if number < 0 { append(0x2d) }
        append(decimal: UInt64(number.magnitude))
    }

    /// Appends a number in hexadecimal digits, lower case.
    public func append(hexadecimal number: UInt64) {
        if room < 16 { grow(by: 16) }
        var shift = number == 0 ? 0 : (63 - number.leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
            unsafe value.memory[value.end] = digit < 10 ? 0x30 + digit : 0x57 + digit
            value.end += 1
            shift -= 4
        }
    }

    /// Lets `body` write at most `n` bytes behind the end.
    @inlinable @inline(__always)
    public func write(reserving n: Int, _ body: (inout ByteWriter) -> Void) {
        if room < n { grow(by: n) }
        // SAFETY: the region lies behind end, inside the memory; the writer never leaves it.
        var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(start: value.memory + value.end, count: room))
        body(&writer)
        value.end &+= writer.count
    }

    /// Receives into the room behind the end.
    /// - Returns: bytes received, 0 at end of file, or -errno.
    @inline(__always)
    public func receive(from fd: Int32, limit: Int = .max) -> Int {
        precondition(room >= 0)
        let n = unsafe cs_recv(fd, value.memory + value.end, min(room, limit))
        if n > 0 { value.end &+= n }
        return n
    }

    /// Reads from a file or a pipe into the room behind the end.
    public func read(from fd: Int32, at offset: Int64, limit: Int) -> Int {
        precondition(room >= 0)
        let n = unsafe cs_pread(fd, value.memory + value.end, min(room, limit), offset)
        if n > 0 { value.end &+= n }
        return n
    }
}

/// Free buffers by size class. All memory of the data plane that varies with load comes from here.
///
/// Thread: one loop. Classes: 1/4, 1/2, 1, 4, 16 and 64 KiB; what is asked for is rounded up, larger requests are not pooled.
@safe
public struct BufferPool: ~Copyable {
    private var minute: [Ref<Buffer>] = []
    private var tiny: [Ref<Buffer>] = []
    private var small: [Ref<Buffer>] = []
    private var medium: [Ref<Buffer>] = []
    private var large: [Ref<Buffer>] = []
    private var huge: [Ref<Buffer>] = []
    /// Buffers handed out and not given back, for leak checks in tests.
    public private(set) var outstanding = 0
    /// Free buffers kept per class; more are given back to the allocator.
    private static var keep: (Int, Int, Int, Int, Int, Int) { (16_384, 16_384, 8192, 4096, 1024, 256) }

    public init() {}

    deinit { for free in [minute, tiny, small, medium, large, huge] { free.forEach { $0.destroy() } } }

    /// A buffer with at least `capacity` bytes of room, empty.
    public mutating func take(_ capacity: Int) -> Ref<Buffer> {
        outstanding += 1
        let reused: Ref<Buffer>?
        let size: Int
        if capacity <= 256 {
            (reused, size) = (minute.popLast(), 256)
        } else if capacity <= 512 {
            (reused, size) = (tiny.popLast(), 512)
        } else if capacity <= 1024 {
            (reused, size) = (small.popLast(), 1024)
        } else if capacity <= 4096 {
            (reused, size) = (medium.popLast(), 4096)
        } else if capacity <= 16384 {
            (reused, size) = (large.popLast(), 16384)
        } else if capacity <= 65536 {
            (reused, size) = (huge.popLast(), 65536)
        } else {
            (reused, size) = (nil, capacity)
        }
        if let reused {
            reused.clear()
            return reused
        }
        return Ref.immortal(Buffer(capacity: size))
    }

    /// Gives a buffer back. Nobody may hold a view of it any more.
    public mutating func give(_ buffer: Ref<Buffer>) {
        outstanding -= 1
        // Who still reads it is to be found out, by every test.
        assert(buffer.poison())
        if buffer.value.capacity == buffer.value.pooledCapacity {
            switch buffer.value.pooledCapacity {
            case 256 where minute.count < Self.keep.0: return minute.append(buffer)
            case 512 where tiny.count < Self.keep.1: return tiny.append(buffer)
            case 1024 where small.count < Self.keep.2: return small.append(buffer)
            case 4096 where medium.count < Self.keep.3: return medium.append(buffer)
            case 16384 where large.count < Self.keep.4: return large.append(buffer)
            case 65536 where huge.count < Self.keep.5: return huge.append(buffer)
            default: break
            }
        }
        buffer.destroy()
    }
}

extension Ref where Value == Buffer {
    /// Appends a Swift text. Not for the hot path.
    public func append(text: String) {
        var copy = text
        copy.withUTF8 { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe append(ByteView(start: base, count: bytes.count))
        }
    }
}

extension Ref where Value == Buffer {
    /// Makes bytes from an offset on fit for one line: CR, LF and NUL, which would end it or start another, become spaces.
    public func replaceLineBreaks(from offset: Int) {
        precondition(offset >= 0 && offset <= value.end)
        var index = offset
        while index < value.end {
            // SAFETY: index is inside the bytes in use.
            let byte = unsafe value.memory[index]
            if byte == 0x0a || byte == 0x0d || byte == 0 { unsafe value.memory[index] = 0x20 }
            index &+= 1
        }
    }
}
