extension ConfigurationReader {
    /// `charset_map SOURCE TARGET { HEX HEX; … }`.
    func readCharsetMap(_ directive: Directive) throws(DirectiveError) {
        let (source, target) = (directive.text(1), directive.text(2))
        let (sourceKey, targetKey) = (source.lowercased(), target.lowercased())
        if sourceKey == targetKey {
            throw DirectiveError(
                "\"charset_map\" between the same charsets \"\(source)\" and \"\(target)\"")
        }
        if sourceKey == "utf-8" {
            throw DirectiveError("\"charset_map\" with \"utf-8\" charset should be given in the second column")
        }
        for map in http.charsetMaps {
            let known = [map.source.lowercased(), map.target.lowercased()]
            if known == [sourceKey, targetKey] || known == [targetKey, sourceKey] {
                throw DirectiveError("duplicate \"charset_map\" between \"\(source)\" and \"\(target)\"")
            }
        }
        var forms: [Bytes] = (0..<256).map { [$0 < 128 ? UInt8($0) : UInt8(ascii: "?")] }
        var back: [Bytes: UInt8] = [:]
        for byte in UInt8(0)..<128 { back[[byte]] = byte }
        let formLengthMax = targetKey == "utf-8" ? 4 : 1
        readLines(directive) { (line) throws(DirectiveError) in
            guard line.argumentCount == 1 else { throw DirectiveError("invalid parameters number") }
            guard let from = Self.hexadecimal(line[0]), from.count == 1 else {
                throw DirectiveError("invalid value", quoting: line[0])
            }
            guard let form = Self.hexadecimal(line[1]), form.count <= formLengthMax else {
                throw DirectiveError("invalid value", quoting: line[1])
            }
            forms[Int(from[0])] = form
            back[form] = from[0]
        }
        http.charsetMaps.append(CharsetMap(source: source, target: target, toTarget: forms, toSource: back))
    }

    /// Pairs of hexadecimal digits; a single digit counts as a byte.
    private static func hexadecimal(_ word: Bytes) -> Bytes? {
        let digits = word.count == 1 ? [UInt8(ascii: "0")] + word : word
        guard !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        var result: Bytes = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x57
        default: nil
        }
    }

    /// A recoding that is asked for must have a map.
    func finishCharsets() {
        guard !scope.isFirst("charset") || !scope.isFirst("source_charset") else { return }
        guard case .constant(let source) = scope.settings.charset.source,
            case .constant(let target) = scope.settings.charset.charset
        else { return }
        let (from, to) = (String(decoding: source, as: UTF8.self), String(decoding: target, as: UTF8.self))
        let location = scope.location
        guard from.lowercased() != to.lowercased() else { return }
        deferredToEnd.append { reader in
            let pair: Set = [from.lowercased(), to.lowercased()]
            let isKnown = reader.http.charsetMaps.contains { [$0.source.lowercased(), $0.target.lowercased()] == pair }
            if !isKnown {
                reader.report("no \"charset_map\" between the charsets \"\(from)\" and \"\(to)\"", at: location)
            }
        }
    }
}
