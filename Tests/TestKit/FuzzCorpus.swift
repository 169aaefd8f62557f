import Foundation

/// What the fuzz targets (FuzzTesting/) start from, replayed without a fuzzer.
public struct FuzzCorpus: Sendable {
    /// An input, with the path of its file.
    public struct Input: Sendable {
        public let path: String
        public let bytes: Bytes
    }

    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/FuzzTesting"

    /// The targets that there are.
    public static var targets: [String] {
        names(of: root + "/Sources").filter { $0.hasPrefix("Fuzz") }
    }

    /// The committed corpus.
    public let inputs: [Input]
    /// What failed once.
    public let failCases: [Input]

    public init(_ target: String) {
        inputs = Self.read(Self.root + "/Corpus/" + target)
        failCases = Self.read(Self.root + "/FailCases/" + target)
    }

    /// Inputs of the corpus with a few bytes changed, put in, taken out or repeated; the same for the same seed.
    public func mutations(count: Int, seed: UInt64 = 42) -> [Input] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).compactMap { _ in
            guard let input = inputs.randomElement(using: &random) else { return nil }
            var bytes = input.bytes
            for _ in 0...random.next(below: 4) where !bytes.isEmpty {
                let place = random.next(below: bytes.count)
                switch random.next(below: 4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(bytes.randomElement(using: &random)!, at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(1 + random.next(below: 20)), at: place)
                }
            }
            return Input(path: "\(input.path), changed to \(bytes)", bytes: bytes)
        }
    }

    /// What `property` says of each input that breaks it, with the input.
    public static func failures(of inputs: [Input], _ property: (Bytes) -> String?) -> [String] {
        inputs.compactMap { input in property(input.bytes).map { "\($0): \(input.path)" } }
    }

    private static func read(_ folder: String) -> [Input] {
        names(of: folder).map { Input(path: "\(folder)/\($0)", bytes: Bytes(FileManager.default.contents(atPath: "\(folder)/\($0)")!)) }
    }

    private static func names(of folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }
}
