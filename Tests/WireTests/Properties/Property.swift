internal import Wire

/// What must hold for any input of a parser. Each function returns what does not hold, or nil.
///
/// The fuzz targets (FuzzTesting/) and the replay of their corpora in the unit tests share them.
package enum Property {
    /// Calls `body` with a view of a copy of exactly the input's size, so that a sanitizer sees any access beyond it.
    static func withView<Result>(_ input: some Collection<UInt8>, _ body: (ByteView) -> Result) -> Result {
        let count = input.count
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, count))
        // SAFETY: the memory holds count bytes and outlives the body.
        defer { unsafe memory.deallocate() }
        _ = unsafe memory.initialize(from: input)
        return unsafe body(ByteView(start: UnsafePointer(memory.baseAddress!), count: count))
    }

    /// Calls `body` with a writer and returns what was written.
    static func writing(_ capacity: Int, _ body: (inout ByteWriter) -> Bool) -> [UInt8]? {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, capacity), alignment: 1)
        // SAFETY: freed after the last use of the writer.
        defer { unsafe region.deallocate() }
        var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(rebasing: region[0..<capacity]))
        return body(&writer) ? writer.written.array : nil
    }

    /// Places to divide an input at, chosen by its bytes so that the same input gives the same places.
    static func steps(_ input: [UInt8]) -> [Int] {
        var state = input.reduce(UInt64(input.count)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        var steps: [Int] = []
        var place = 0
        while place < input.count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            steps.append(place)
            place += 1 + Int(state >> 40) % (state >> 60 == 0 ? 64 : 7)
        }
        return steps + [input.count]
    }

    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }
}
