/// Text with variables, compiled once (nginx's complex value).
package struct Template: Hashable, Sendable {
    /// A piece of the text.
    package enum Part: Hashable, Sendable {
        case literal(Bytes)
        case variable(VariableID)
        /// `$1`…`$9` of the last regular expression that matched.
        case capture(Int)
    }
    /// The parts in order; adjacent literals are joined; none for the empty text.
    package var parts: [Part]

    package init(parts: [Part] = []) { self.parts = parts }
    package init(literal: Bytes) { parts = literal.isEmpty ? [] : [.literal(literal)] }

    /// Whether no variable occurs.
    package var isConstant: Bool { constant != nil }

    /// The text, if no variable occurs.
    package var constant: Bytes? {
        switch parts.count {
        case 0: return []
        case 1: if case .literal(let bytes) = parts[0] { return bytes }
        default: break
        }
        return nil
    }

    /// Whether it is the empty text.
    package var isEmpty: Bool { parts.isEmpty }
}

/// A size that may depend on the request.
package enum SizeTemplate: Hashable, Sendable {
    case constant(ByteCount)
    /// Text that is parsed as a size for each request; unparseable means 0.
    case dynamic(Template)
}
