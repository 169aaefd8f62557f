import TestKit
import Testing
import Wire

@Suite struct ChunkedTests {
    struct Decoded: Equatable {
        var payload: [UInt8] = []
        var trailers: String?
        var consumed = 0
        var error: ChunkError?
    }

    /// Decodes with a reader that gives `step` more bytes each time and keeps what was not consumed.
    private func decode(_ input: [UInt8], step: Int, keepsTrailers: Bool = true, limit: UInt32 = 64) -> Decoded {
        var decoder = ChunkedDecoder(keepsTrailers: keepsTrailers, maxTrailerLength: limit, maxExtensionLength: 16)
        var result = Decoded()
        var available = 0
        while true {
            let view = bytes(Array(input[result.consumed..<available]))
            switch decoder.decode(view) {
            case .data(let range):
                result.payload += view[range].array
                result.consumed += range.upperBound
            case .needMore(let consumed):
                result.consumed += consumed
                #expect(!decoder.isEnded)
                if available == input.count { return result }
                available = min(available + step, input.count)
            case .end(let consumed, let trailers):
                result.trailers = view[trailers].string
                result.consumed += consumed
                #expect(decoder.isEnded)
                return result
            case .failed(let error):
                result.error = error
                result.consumed = 0
                return result
            }
        }
    }

    private func decode(_ text: String, keepsTrailers: Bool = true, limit: UInt32 = 64) -> Decoded {
        let input = Array(text.utf8)
        let whole = decode(input, step: max(1, input.count), keepsTrailers: keepsTrailers, limit: limit)
        for step in 1..<max(2, input.count) {
            let split = decode(input, step: step, keepsTrailers: keepsTrailers, limit: limit)
            if split.error != whole.error || whole.error == nil && split != whole {
                Issue.record("step \(step) differs")
            }
        }
        return whole
    }

    @Test(
        arguments: [
            ("0\r\n\r\n", "", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello", ""),
            ("005;a=b\r\nhello\r\n0;x\r\n\r\n", "hello", ""),
            ("A\r\n0123456789\r\na \t;q=\"\r\n", "0123456789", nil),
            ("3\r\n\r\n\r\r\n1\r\nx\r\n000\r\n\r\n", "\r\n\rx", ""),
            ("1\r\na\r\n0\r\nX: 1\r\nY:\r\n\r\n", "a", "X: 1\r\nY:\r\n"), ("5\r\nhe", "he", nil),
        ] as [(String, String, String?)])
    func `bodies are decoded, whatever the reads are`(text: String, payload: String, trailers: String?) {
        let result = decode(text)
        #expect(result.error == nil)
        #expect(String(decoding: result.payload, as: UTF8.self) == payload)
        #expect(result.trailers == trailers)
        #expect(decode(text, keepsTrailers: false).payload == result.payload)
        if trailers != nil { #expect(decode(text, keepsTrailers: false).trailers == "") }
    }

    @Test(
        arguments: [
            ("x\r\n", .invalidSize), ("\r\n", .invalidSize), ("-1\r\n", .invalidSize), ("0x5\r\n", .invalidSize),
            ("5 5\r\n", .invalidSize), (" 5\r\n", .invalidSize), ("5\n", .invalidLineEnd), ("5\rx", .invalidLineEnd),
            ("5;a\n", .invalidLineEnd), ("5;a\u{0}\r\n", .invalidExtension), ("5;a\rb\r\n", .invalidLineEnd),
            ("1\r\naX", .invalidLineEnd), ("1\r\na\n", .invalidLineEnd), ("1\r\na\rX", .invalidLineEnd),
            ("8000000000000000\r\n", .sizeOverflow), ("fffffffffffffffff\r\n", .sizeOverflow),
            ("5;2345678901234567890123456789012345\r\n", .invalidExtension),
            ("00000000000000000000000000000000000", .invalidExtension),
            ("0\r\n\n", .invalidLineEnd), ("0\r\nX: 1\n\r\n", .invalidLineEnd), ("0\r\n X: 1\r\n\r\n", .invalidTrailer),
            ("0\r\nX : 1\r\n\r\n", .invalidTrailer), ("0\r\nX\r\n\r\n", .invalidTrailer),
            ("0\r\n: 1\r\n\r\n", .invalidTrailer),
            ("0\r\nX: \u{0}\r\n\r\n", .invalidTrailer), ("0\r\nX: 1\r\n\rx", .invalidLineEnd),
            ("0\r\n<: 1\r\n\r\n", .invalidTrailer),
            ("0\r\nX: 345678901234567890123456789012345678901234567890123456789012345\r\n\r\n", .tooLargeTrailer),
        ] as [(String, ChunkError)])
    func `faulty framing is refused`(text: String, error: ChunkError) {
        #expect(decode(text).error == error)
        #expect(decode(text, keepsTrailers: false).error == error)
    }

    @Test func `the largest size is the largest Int64`() {
        var decoder = ChunkedDecoder()
        #expect(decoder.decode("7fffffffffffffff\r\nx") == .data(18..<19))
        #expect(decoder.remainingInChunk == UInt64(Int64.max) - 1)
    }

    @Test func `a refusal is final`() {
        var decoder = ChunkedDecoder()
        #expect(decoder.decode("x") == .failed(.invalidSize))
        #expect(decoder.decode("0\r\n\r\n") == .failed(.invalidSize))
    }

    @Test(arguments: 0..<200)
    func `random bodies survive encoding and random reads`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var input: [UInt8] = []
        var payload: [UInt8] = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let chunk = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            input += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
            payload += chunk
        }
        input += Array("0\r\n\r\n".utf8)
        let result = decode(input, step: Int.random(in: 1...20, using: &random))
        #expect(result.payload == payload && result.consumed == input.count)
    }
}
