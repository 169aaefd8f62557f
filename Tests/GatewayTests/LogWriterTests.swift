import Glibc
import Loop
import Testing
import Wire

@testable import Gateway

@Suite("The list of log files with lines")
struct LogWriterTests {
    @Test("holds a file once, also when its lines were written in between: an error line does that to a buffered access log")
    func once() {
        var writer = LogWriter()
        let index = writer.file("/dev/null", descriptor: File.openForAppending("/dev/null"))
        writer.files[index].value.bufferSize = 1 << 20
        for _ in 0..<10 {
            writer.buffer(of: index, now: 1).append("a line\n")
            writer.files[index].flush(now: 1)
        }
        writer.buffer(of: index, now: 1).append("a line\n")
        #expect(writer.dirty.count == 1)
        writer.flush(now: 2)
        #expect(writer.dirty.count == 1, "its buffer is not full")
        writer.flush(now: 3, all: true)
        #expect(writer.dirty.count == 0)
        #expect(writer.files[index].buffer.count == 0)
    }

    /// Its reading and its writing end.
    private func pipeThatDoesNotBlock() -> [Int32] {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        for end in ends { #expect(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        return ends
    }

    @Test("does not wake the loop before a reader that is behind is tried again, whatever is due")
    func blocked() {
        var writer = LogWriter()
        let ends = pipeThatDoesNotBlock()
        defer { ends.forEach { close($0) } }
        let index = writer.file("pipe", descriptor: ends[1])
        writer.files[index].value.bufferSize = 1000
        writer.files[index].value.flushAfter = 5
        let buffer = writer.buffer(of: index, now: 100)
        for _ in 0..<10_000 { buffer.append("a line of twenty b.\n") }
        #expect(writer.sleepLimit(now: 101) == 4)
        writer.flush(now: 105)
        #expect(writer.dirty.count == 1 && buffer.count > 0, "the pipe is full")
        #expect(writer.sleepLimit(now: 106) == 19)
        let left = buffer.count
        writer.flush(now: 107)
        #expect(buffer.count == left && writer.dirty.count == 1, "not tried yet")
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        #expect(read(ends[0], &chunk, chunk.count) + left == 200_000)
        writer.flush(now: 125)
        #expect(buffer.count < left, "what the pipe has room for")
    }

    @Test("tries a rest again that is smaller than its buffer, and does not turn for it")
    func smallRest() {
        var writer = LogWriter()
        let ends = pipeThatDoesNotBlock()
        defer { ends.forEach { close($0) } }
        let index = writer.file("pipe", descriptor: ends[1])
        writer.files[index].value.bufferSize = 70_000
        let buffer = writer.buffer(of: index, now: 100)
        for _ in 0..<3_600 { buffer.append("a line of twenty b.\n") }
        writer.flush(now: 100)
        #expect((1..<70_000).contains(buffer.count) && writer.sleepLimit(now: 100) == 20)
        writer.flush(now: 130)
        #expect(writer.sleepLimit(now: 130) == 20, "tried, and the pipe is full yet")
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        _ = read(ends[0], &chunk, chunk.count)
        writer.finish(now: 160)
        #expect(buffer.count == 0 && writer.dirty.isEmpty)
    }
}
