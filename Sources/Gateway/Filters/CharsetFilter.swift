import Config
import Loop
import Wire

/// Recodes a body from one charset to another (nginx: ngx_http_charset_filter_module).
final class CharsetFilter: BodyFilter {
    private let recoding: Recoding
    /// Start of a character of UTF-8 that goes on in the next piece, at most 3 bytes.
    private var saved: [UInt8] = []

    init(_ recoding: Recoding) { self.recoding = recoding }

    func process(_ piece: Segment?, isLast: Bool, isFlush: Bool, request: RequestRef, index: Int) {
        guard let piece, piece.count > 0 || isLast && !saved.isEmpty else {
            return request.pass(piece, isLast: isLast, isFlush: isFlush, after: index)
        }
        let out = request.pool.value.take(piece.bytes.count + 64)
        switch recoding {
        case .bytes(let table): for position in 0..<piece.bytes.count { out.append(table[Int(piece.bytes[position])]) }
        case .toUTF8(let table): for position in 0..<piece.bytes.count { out.append(table[Int(piece.bytes[position])]) }
        case .fromUTF8(let table): recode(piece.bytes, table, isLast, to: out)
        }
        if let buffer = piece.buffer { request.pool.value.give(buffer) }
        request.pass(Segment(out.view, owner: out), isLast: isLast, isFlush: isFlush, after: index)
    }

    private func recode(_ bytes: ByteView, _ table: FixedList<(scalar: UInt32, byte: UInt8)>, _ isLast: Bool, to out: Ref<Buffer>) {
        var position = 0
        while !saved.isEmpty, position < bytes.count {
            saved.append(bytes[position])
            position += 1
            switch UTF8Scalar.decode(count: saved.count, { saved[$0] }) {
            case .incomplete: continue
            case .scalar(let scalar, _): append(scalar, table, to: out)
            case .invalid:
                // The new byte may begin a character of its own.
                out.append(0x3f)
                position -= 1
            }
            saved.removeAll(keepingCapacity: true)
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x80 {
                out.append(byte)
                position += 1
                continue
            }
            let start = position
            switch UTF8Scalar.decode(count: bytes.count - start, { bytes[start + $0] }) {
            case .scalar(let scalar, let length):
                append(scalar, table, to: out)
                position += length
            case .invalid:
                out.append(0x3f)
                position += 1
            case .incomplete:
                while position < bytes.count {
                    saved.append(bytes[position])
                    position += 1
                }
            }
        }
        if isLast, !saved.isEmpty { out.append(0x3f) }
    }

    /// The character's byte, or a numeric reference.
    private func append(_ scalar: UInt32, _ table: FixedList<(scalar: UInt32, byte: UInt8)>, to out: Ref<Buffer>) {
        if scalar < 0x80 { return out.append(UInt8(scalar)) }
        var low = 0
        var high = table.count
        while low < high {
            let middle = (low + high) / 2
            if table[middle].scalar < scalar { low = middle + 1 } else { high = middle }
        }
        if low < table.count, table[low].scalar == scalar { return out.append(table[low].byte) }
        out.append("&#")
        out.append(decimal: UInt64(scalar))
        out.append(0x3b)
    }
}

/// One character of UTF-8.
enum UTF8Scalar {
    enum Result { case scalar(UInt32, length: Int), incomplete, invalid }

    /// Decodes the character at the start of `count` > 0 bytes.
    static func decode(count: Int, _ byte: (Int) -> UInt8) -> Result {
        let first = byte(0)
        let length: Int
        var scalar: UInt32
        switch first {
        case 0..<0x80: return .scalar(UInt32(first), length: 1)
        case 0xc2...0xdf: (length, scalar) = (2, UInt32(first & 0x1f))
        case 0xe0...0xef: (length, scalar) = (3, UInt32(first & 0x0f))
        case 0xf0...0xf4: (length, scalar) = (4, UInt32(first & 0x07))
        default: return .invalid
        }
        var index = 1
        while index < length {
            guard index < count else { return .incomplete }
            let next = byte(index)
            guard next & 0xc0 == 0x80 else { return .invalid }
            scalar = scalar << 6 | UInt32(next & 0x3f)
            index += 1
        }
        guard let checked = Unicode.Scalar(scalar), length < 3 || scalar >= (length == 3 ? 0x800 : 0x10000) else { return .invalid }
        return .scalar(checked.value, length: length)
    }
}

extension Ref where Value == Request {
    /// Sets the charset of the answer, and recodes its body if it comes in another one.
    func makeCharset(_ runtime: Ref<FilterRuntime>) -> CharsetFilter? {
        guard let target = isMain ? targetCharset(runtime) : main.subrequestCharset else { return nil }
        let charsets = worker.value.http.value.charsets
        let settings = location.value.settings
        let source: ByteView
        if let own = ownCharset {
            source = own
        } else {
            switch settings.value.charset.source {
            case .off:
                setCharset(target)
                return nil
            case .constant(let name): source = keep(name)
            case .dynamic(let template): source = evaluate(template)
            }
        }
        let isKnown = charsets.isKnown(source) && charsets.isKnown(target)
        if source.equalsIgnoringCase(target) {
            if isKnown { dropCharsetParameter() }
            setCharset(target)
            return nil
        }
        if isKnown, let encoding = value.response.contentEncoding, !encoding.isEmpty { return nil }
        guard isKnown, let recoding = charsets.recoding(from: source, to: target) else {
            log(.error, "no \"charset_map\" between the charsets \"\(source.string)\" and \"\(target.string)\"")
            return nil
        }
        dropCharsetParameter()
        setCharset(target)
        if isMain {
            value.modules.mainCharset = target
            if !recoding.keepsLength { value.response.contentLength = -1 }
        }
        return CharsetFilter(recoding)
    }

    /// The charset the answer is to have; nil: it stays as it is.
    private func targetCharset(_ runtime: Ref<FilterRuntime>) -> ByteView? {
        guard let type = value.response.contentType, !type.isEmpty else { return nil }
        if let override = value.modules.overrideCharset, !override.isEmpty {
            if worker.value.http.value.charsets.isKnown(override) { return override }
            log(.error, "unknown charset \"\(override.string)\" to override", while: "reading response header from upstream")
            return nil
        }
        let settings = location.value.settings
        if case .off = settings.value.charset.charset { return nil }
        if ownCharset != nil {
            guard settings.value.charset.overrides else { return nil }
        } else {
            guard runtime.value.charsetTypes.contains(value.response.contentTypeBare) else { return nil }
        }
        switch settings.value.charset.charset {
        case .off: return nil
        case .constant(let name): return keep(name)
        case .dynamic(let template): return lineSafe(evaluate(template))
        }
    }

    /// What bodies of subrequests are recoded to.
    private var subrequestCharset: ByteView? { value.modules.mainCharset ?? ownCharset }

    /// The charset that is known so far: of this answer, or as the upstream's Content-Type says.
    private var ownCharset: ByteView? {
        if let known = value.response.charset { return known }
        return value.response.contentType.flatMap { ContentTypeText.charset(of: $0) }
    }

    /// `type; charset=x` becomes `type`: another charset takes its place.
    private func dropCharsetParameter() {
        guard let type = value.response.contentType, let start = ContentTypeText.charsetParameterStart(of: type) else { return }
        value.response.contentType = type.prefix(start)
        value.response.contentTypeBare = type.prefix(start)
    }

    private func setCharset(_ name: ByteView) {
        guard isMain else { return }
        value.response.charset = value.response.status == 301 || value.response.status == 302 ? nil : name
    }
}

/// The charset parameter of a Content-Type.
enum ContentTypeText {
    /// Where `; charset=` begins; nil if there is none.
    static func charsetParameterStart(of type: ByteView) -> Int? { find(type)?.start }

    /// The charset, without quotes.
    static func charset(of type: ByteView) -> ByteView? {
        guard let found = find(type) else { return nil }
        var name = type.dropFirst(found.value)
        if name.first == 0x22 { name = name.dropFirst() }
        if name.last == 0x22 { name = name.dropLast() }
        return name.isEmpty ? nil : name
    }

    private static func find(_ type: ByteView) -> (start: Int, value: Int)? {
        var from = 0
        while let semicolon = type.firstIndex(of: 0x3b, from: from) {
            var position = semicolon + 1
            while position < type.count, type[position] == 0x20 { position += 1 }
            if type.dropFirst(position).prefix(8).equalsIgnoringCase("charset=") { return (semicolon, position + 8) }
            from = semicolon + 1
        }
        return nil
    }
}
