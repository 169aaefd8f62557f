/// How sure a verdict is. Ordered; a rule states the lowest that its evidence supports.
package enum Confidence: Int, Sendable, Comparable, Codable, CaseIterable {
    /// Fits, but so would others.
    case possible = 1
    /// Fits better than anything else that was checked.
    case likely = 2
    /// Two independent sources agree.
    case firm = 3
    /// The cause itself was observed (a wait status, a kernel line naming the process, a bound address).
    case proven = 4

    /// Less sure first.
    package static func < (a: Confidence, b: Confidence) -> Bool { a.rawValue < b.rawValue }
    /// As users see it.
    package var name: String {
        switch self {
        case .possible: "possible";
        case .likely: "likely";
        case .firm: "firm";
        case .proven: "proven"
        }
    }
    /// As its name.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
    package init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        self = Self.allCases.first { $0.name == name } ?? .possible
    }
}
