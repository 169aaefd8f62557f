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
}
