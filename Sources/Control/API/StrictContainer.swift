internal import HTTPTypes

/// A key as it was written.
private struct WrittenKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The values of an order. One with a key that nobody knows is refused: what was meant would not be done.
    func strictContainer<Key: CodingKey & CaseIterable>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let known = Key.allCases.map(\.stringValue)
        if let key = try container(keyedBy: WrittenKey.self).allKeys.first(where: { !known.contains($0.stringValue) }) {
            let names = known.map(\.snakeCased).joined(separator: ", ")
            throw APIError(.badRequest, "invalid", "\"\(key.stringValue.snakeCased)\" is unknown here, there are \(names)")
        }
        return try container(keyedBy: type)
    }
}

extension KeyedDecodingContainer {
    /// A number that is at least 0; what is none is told by its name.
    func wholeNumber(forKey key: Key, upTo most: Int) throws -> Int {
        guard let number = try? decode(Double.self, forKey: key), (0...Double(most)).contains(number), number.rounded() == number else {
            throw APIError(.badRequest, "invalid", "\"\(key.stringValue.snakeCased)\" must be a whole number from 0 to \(most)")
        }
        return Int(number)
    }
}

extension String {
    /// A key as the API writes it.
    fileprivate var snakeCased: String { reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) } }
}
