/// Cuts a stream of bytes into lines, each of which is kept up to a length: the rest of a longer one is passed over as it comes.
package struct BoundedLines {
    private let max: Int
    private var line: [UInt8] = []

    package init(max: Int) { self.max = max }

    /// Gives the lines that end in this piece, without their ends.
    package mutating func feed(_ piece: some Collection<UInt8>, each: (String) throws -> Void) rethrows {
        var rest = piece[...]
        while let end = rest.firstIndex(of: 10) {
            line += rest[..<end].prefix(max - line.count)
            try finish(each: each)
            rest = rest[rest.index(after: end)...]
        }
        line += rest.prefix(max - line.count)
    }

    /// Gives what no line end followed.
    package mutating func end(each: (String) throws -> Void) rethrows { if !line.isEmpty { try finish(each: each) } }

    private mutating func finish(each: (String) throws -> Void) rethrows {
        if line.last == 13 { line.removeLast() }
        try each(String(decoding: line, as: UTF8.self))
        line.removeAll(keepingCapacity: true)
    }
}
