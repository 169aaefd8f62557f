import Loop
import Wire

/// One piece of a compiled text.
enum TextPart {
    case literal(ByteView)
    /// Index in the worker's variable table.
    case variable(Int32)
    /// A capture of the last regular expression that matched, 0...9.
    case capture(Int32)
}

/// A text with variables, compiled once when the configuration is read (nginx: complex value). Plain data, immortal.
struct CompiledText {
    let parts: FixedList<TextPart>
    /// The whole text if it has no variable.
    let constant: ByteView?

    init(constant: ByteView) {
        parts = FixedList(constant.isEmpty ? [] : [.literal(constant)])
        self.constant = constant
    }

    init(parts list: [TextPart]) {
        parts = FixedList(list)
        if list.isEmpty {
            constant = ByteView()
        } else if list.count == 1, case .literal(let text) = list[0] {
            constant = text
        } else {
            constant = nil
        }
    }

    /// Whether it is the constant empty text: for fields, "do not send".
    var isEmptyConstant: Bool { constant.map(\.isEmpty) ?? false }
}

extension Ref where Value == Request {
    /// The text with this request's values. Constant texts and single variables are not copied.
    func evaluate(_ text: CompiledText) -> ByteView {
        if let constant = text.constant { return constant }
        if text.parts.count == 1, case .variable(let index) = text.parts[0] { return variable(index) ?? ByteView() }
        let scratch = pool.value.take(1024)
        append(text, to: scratch)
        let result = value.arena.copy(scratch.view, pool)
        pool.value.give(scratch)
        return result
    }

    /// Appends the text with this request's values.
    @inline(__always)
    func append(_ text: CompiledText, to buffer: Ref<Buffer>) {
        for index in text.parts.indices {
            switch text.parts[index] {
            case .literal(let bytes): buffer.append(bytes)
            case .variable(let variableIndex): if let bytes = variable(variableIndex) { buffer.append(bytes) }
            case .capture(let number): buffer.append(capture(Int(number)))
            }
        }
    }
}
