import Foundation

/// Streams a log: plain, or unpacked by a program such as `gzip -dc`.
/// Gives whole lines in large pieces; memory is two pieces whatever the file's size.
package enum LogReader {
    static let pieceSize = 1 << 20

    /// - Parameters:
    ///   - offset: where to begin in a plain file; the first, possibly partial line is given as it is.
    ///   - consume: gets bytes that end at a line's end (but for the last); answers false to stop.
    package static func read(
        _ path: String, from offset: Int64 = 0, consume: (UnsafeBufferPointer<UInt8>) -> Bool
    ) throws(SystemError) {
        var carry = Carry()
        if let packer = LogFiles.packers.first(where: { path.hasSuffix($0.suffix) }) {
            var goesOn = true
            let status = try Subprocess.stream([packer.program, "-dc", path], deadline: 600_000) { chunk in
                goesOn = unsafe chunk.withUnsafeBufferPointer { unsafe carry.feed($0, consume) }
                return goesOn
            }
            if goesOn { unsafe carry.finish(consume) }
            // What came before the damage was given.
            if status != 0 { throw SystemError(-1, "\(packer.program) -dc \(path)") }
        } else {
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
            guard descriptor >= 0 else { throw SystemError(errno, path) }
            defer { close(descriptor) }
            if offset > 0 { lseek(descriptor, off_t(offset), SEEK_SET) }
            let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: pieceSize)
            defer { unsafe buffer.deallocate() }
            var held = 0
            while true {
                // SAFETY: reads at most what is left behind the `held` bytes.
                let count = unsafe Glibc.read(descriptor, buffer.baseAddress! + held, pieceSize - held)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw SystemError(errno, path)
                }
                let filled = held + count
                if count == 0 {
                    if filled > 0 { _ = unsafe consume(UnsafeBufferPointer(start: buffer.baseAddress, count: filled)) }
                    return
                }
                // SAFETY: `filled` bytes are initialised.
                guard let end = unsafe lastNewline(buffer.baseAddress!, filled) else {
                    held = filled == pieceSize ? 0 : filled  // a line of more than a megabyte is no log line
                    continue
                }
                if !(unsafe consume(UnsafeBufferPointer(start: buffer.baseAddress, count: end + 1))) { return }
                held = filled - end - 1
                unsafe memmove(buffer.baseAddress!, buffer.baseAddress! + end + 1, held)
            }
        }
    }

    private static func lastNewline(_ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int? {
        var index = count - 1
        while index >= 0 {
            if unsafe start[index] == 10 { return index }
            index -= 1
        }
        return nil
    }

    /// Keeps the part of a line that the next chunk completes.
    private struct Carry {
        var bytes: [UInt8] = []

        mutating func feed(_ chunk: UnsafeBufferPointer<UInt8>, _ consume: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool
        {
            unsafe bytes.append(contentsOf: chunk)
            guard let end = bytes.lastIndex(of: 10) else {
                if bytes.count > LogReader.pieceSize { bytes = [] }
                return true
            }
            let goOn = unsafe bytes.withUnsafeBufferPointer {
                unsafe consume(UnsafeBufferPointer(rebasing: $0[...end]))
            }
            bytes.removeSubrange(...end)
            return goOn
        }

        func finish(_ consume: (UnsafeBufferPointer<UInt8>) -> Bool) {
            if !bytes.isEmpty { _ = unsafe bytes.withUnsafeBufferPointer { unsafe consume($0) } }
        }
    }

    /// Calls back for each line, without its end.
    package static func lines(
        _ path: String, from offset: Int64 = 0, of system: some SystemReader, each: (LineText) -> Bool
    ) throws(SystemError) {
        try unsafe system.stream(path, from: offset) { piece in
            var start = 0
            while start < piece.count {
                // SAFETY: searches within the piece.
                let found = unsafe memchr(piece.baseAddress! + start, 10, piece.count - start)
                let end =
                    unsafe found.map {
                        unsafe UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - piece.baseAddress!
                    } ?? piece.count
                if end > start {
                    // SAFETY: start..<end lies within the piece; the bytes are copied.
                    let line = unsafe Array(UnsafeBufferPointer(rebasing: piece[start..<end]))
                    if !each(LineText(line[...])) { return false }
                }
                start = end + 1
            }
            return true
        }
    }

    /// The offset of the first line at or after `since`, by bisection: logs grow in the order of time. 0 when it cannot be told.
    package static func offset(of since: Timestamp, in path: String, time: (LineText) -> Timestamp?) -> Int64 {
        guard !LogFiles.packers.contains(where: { path.hasSuffix($0.suffix) }) else { return 0 }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var low: Int64 = 0, high = Int64(lseek(descriptor, 0, SEEK_END))
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while high - low > 131_072 {
            let middle = low + (high - low) / 2
            // SAFETY: the count is the buffer's own.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(middle))
            }
            guard count > 0 else { return low }
            var found: Timestamp?
            for line in buffer[..<count].split(separator: 10).dropFirst().prefix(64) {
                found = time(LineText(line))
                if found != nil { break }
            }
            guard let found else { return low }
            if found < since { low = middle } else { high = middle }
        }
        return low
    }
}
