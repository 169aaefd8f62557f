import Loop
import Testing
import Wire

private struct NoMemory: Error {}

@Suite("Compression")
struct CompressionTests {
    private func deflate(_ deflater: Ref<Deflater>, _ bytes: [UInt8]) -> [UInt8] {
        let output = Ref<Buffer>.immortal(Buffer(capacity: 64))
        defer { output.destroy() }
        var input = ByteView.immortal(bytes)
        var result: [UInt8] = []
        while true {
            let status = deflater.value.compress(&input, into: output, .finish)
            result += output.view.array
            output.clear()
            if status == .ended { return result }
            #expect(status == .needsRoom)
        }
    }

    private func inflate(_ inflater: borrowing Inflater, _ bytes: [UInt8]) -> (bytes: [UInt8], status: CompressionStatus, rest: Int) {
        let output = Ref<Buffer>.immortal(Buffer(capacity: 100))
        defer { output.destroy() }
        var input = ByteView.immortal(bytes)
        var result: [UInt8] = []
        while true {
            let status = inflater.decompress(&input, into: output)
            result += output.view.array
            output.clear()
            if status != .needsRoom { return (result, status, input.count) }
        }
    }

    @Test("gives back what was put in, also with a compressor that is used again")
    func roundTrip() throws {
        let deflater = try #require(Ref<Deflater>.make(Deflater.Settings(level: 6, windowBits: 15, memoryLevel: 8)))
        defer { deflater.destroy() }
        for count in [0, 1, 1000, 50_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
            deflater.value.reset()
            guard let inflater = Inflater() else { throw NoMemory() }
            let back = inflate(inflater, deflate(deflater, bytes))
            #expect(back.bytes == bytes)
            #expect(back.status == .ended)
            #expect(back.rest == 0)
        }
    }

    @Test("stops at the end of a gzip member, and goes on with the next")
    func members() throws {
        let deflater = try #require(Ref<Deflater>.make(Deflater.Settings(level: 1, windowBits: 15, memoryLevel: 8)))
        defer { deflater.destroy() }
        let first = deflate(deflater, [1, 2, 3])
        deflater.value.reset()
        let second = deflate(deflater, [4])
        guard let inflater = Inflater() else { throw NoMemory() }
        let one = inflate(inflater, first + second)
        #expect(one.bytes == [1, 2, 3])
        #expect(one.rest == second.count)
        inflater.reset()
        #expect(inflate(inflater, second).bytes == [4])
    }

    @Test("refuses what is no gzip, and a wrong checksum")
    func broken() throws {
        guard let inflater = Inflater() else { throw NoMemory() }
        #expect(inflate(inflater, Array("no gzip at all".utf8)).status == .failed)
        let deflater = try #require(Ref<Deflater>.make(Deflater.Settings(level: 1, windowBits: 15, memoryLevel: 8)))
        defer { deflater.destroy() }
        var bytes = deflate(deflater, [1, 2, 3])
        bytes[bytes.count - 6] ^= 1
        inflater.reset()
        #expect(inflate(inflater, bytes).status == .failed)
        // Cut off: more is wanted, nothing is invented.
        inflater.reset()
        #expect(inflate(inflater, Array(bytes.dropLast(9))).status == .needsInput)
    }
}
