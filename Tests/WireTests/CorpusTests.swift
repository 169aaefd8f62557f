import Testing
import Wire

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Replays the inputs of the fuzz targets: the corpora, and everything that failed once.
@Suite struct CorpusTests {
    static let properties: [(name: String, check: @Sendable ([UInt8]) -> String?)] = [
        ("FuzzRequestHead", Property.requestHead), ("FuzzResponseHead", Property.responseHead),
        ("FuzzChunked", Property.chunked),
        ("FuzzURI", Property.uri), ("FuzzProxyProtocol", Property.proxyProtocol),
        ("FuzzFieldValues", Property.fieldValues), ("FuzzDNS", Property.dns),
    ]

    private func files(_ folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { _ = unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(folder + "/" + name) }
        }
        return names
    }

    private func read(_ path: String) -> [UInt8] {
        guard let file = unsafe fopen(path, "r") else { return [] }
        defer { _ = unsafe fclose(file) }
        var input = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&input, 1, input.count, file)
        return Array(input.prefix(count))
    }

    @Test(arguments: 0..<7)
    func `every input of the corpora keeps the properties`(index: Int) {
        let (name, check) = Self.properties[index]
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/FuzzTesting"
        let inputs = files("\(root)/Corpus/\(name)") + files("\(root)/FailCases/\(name)")
        #expect(!inputs.isEmpty, "no corpus at \(root)")
        for path in inputs {
            #expect(check(read(path)) == nil, "\(path)")
        }
    }

    @Test(arguments: 0..<7)
    func `mutated inputs keep the properties`(index: Int) {
        let (name, check) = Self.properties[index]
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/FuzzTesting"
        let inputs = files("\(root)/Corpus/\(name)").sorted().prefix(60).map(read)
        var random = SeededGenerator(seed: 42)
        for _ in 0..<600 {
            guard var input = inputs.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...4, using: &random) where !input.isEmpty {
                let place = Int.random(in: 0..<input.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: input[place] = UInt8.random(in: 0...255, using: &random)
                case 1: input.remove(at: place)
                case 2: input.insert(input.randomElement(using: &random)!, at: place)
                default:
                    input.insert(contentsOf: input[place...].prefix(Int.random(in: 1...20, using: &random)), at: place)
                }
            }
            #expect(check(input) == nil, "\(input)")
        }
    }
}
