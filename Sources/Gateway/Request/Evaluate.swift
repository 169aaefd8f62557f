import Config
import Loop
import Wire

/// Texts of the configuration that are not on the hot path are evaluated as they are, without a compiled form.
extension Ref where Value == Request {
    /// The template's text for this request, in the arena.
    func evaluate(_ template: Template) -> ByteView {
        if template.parts.isEmpty { return ByteView() }
        let scratch = pool.value.take(1024)
        append(template, to: scratch)
        let result = keep(scratch.view)
        pool.value.give(scratch)
        return result
    }

    func append(_ template: Template, to buffer: Ref<Buffer>) {
        for part in template.parts {
            switch part {
            case .literal(let bytes): for byte in bytes { buffer.append(byte) }
            case .variable(let id): if let text = variable(Int32(id.index)) { buffer.append(text) }
            case .capture(let number): buffer.append(capture(number))
            }
        }
    }

    /// A size: constant, or parsed from the text (`10k`); 0 if it is none.
    func evaluate(_ size: SizeTemplate) -> Int64 {
        switch size {
        case .constant(let n): Int64(n)
        case .dynamic(let template): SizeText.parse(evaluate(template)) ?? 0
        }
    }
}

/// nginx's sizes in text: digits with an optional k, m or g.
enum SizeText {
    static func parse(_ text: ByteView) -> Int64? {
        guard let last = text.last else { return nil }
        var scale: Int64 = 1
        var digits = text
        switch last | 0x20 {
        case 0x6b: (scale, digits) = (1024, text.dropLast())
        case 0x6d: (scale, digits) = (1 << 20, text.dropLast())
        case 0x67: (scale, digits) = (1 << 30, text.dropLast())
        default: break
        }
        guard let n = number(digits) else { return nil }
        let (product, overflow) = n.multipliedReportingOverflow(by: scale)
        return overflow ? nil : product
    }

    /// Decimal digits only.
    static func number(_ text: ByteView) -> Int64? {
        guard !text.isEmpty, text.count <= 18 else { return nil }
        var result: Int64 = 0
        for index in 0..<text.count {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return nil }
            result = result * 10 + Int64(digit)
        }
        return result
    }
}
