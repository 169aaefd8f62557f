/// Hides what must not leave the host in a verdict: credentials in URLs, headers, environments, query arguments and command lines.
package enum SecretMask {
    private static let names: [String] = [
        "password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "access_key", "private_key",
        "authorization", "cookie",
        "session", "credential", "signature", "jwt", "auth", "pwd", "passphrase",
    ]
    /// Ends of names: STRIPE_KEY, encryptionKey, DB_PASS, PGPASS.
    private static let ends: [String] = ["key", "pass"]
    /// Names whose value may be several words of a sentence: `password: two words`.
    private static let phrases: [String] = ["password", "passwd", "passphrase", "secret", "pwd"]

    /// Arguments of a query that let in whoever has them; elsewhere these names mean other things.
    private static let arguments: [String] = ["code", "sig", "state", "sid", "otp", "ticket", "key", "hash"]

    /// Replaces secret values by `***`. Two passes, O(n · names).
    package static func mask(_ text: String) -> String {
        if let hidden = hidingKeys(text) { return hidden }
        let bytes = SecretTokens.hide(Array(text.utf8))
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        // The last word, as long as nothing but quotes and spaces has followed it.
        var index = 0, word = 0..<0, before = 0..<0, isInWord = false
        while index < bytes.count {
            let byte = bytes[index]
            out.append(byte)
            index += 1
            if isWord(byte) {
                if !isInWord { before = word }
                word = (isInWord ? word.lowerBound : index - 1)..<index
                isInWord = true
                continue
            }
            let isSpace = isInWord && byte == 32
            let isOption = isSpace && bytes[word].starts(with: [45, 45])
            // `secure_link_secret VALUE`, and the name behind `set`, `…_header`, `…_param`.
            let isName = setsNext(bytes[before]) || bytes[word].suffix(7).elementsEqual("_secret".utf8)
            let isPhrase = isSpace && bytes[index...].first.map(isQuote) ?? false && phrases.contains(lowercased(bytes[word]))
            let isDirective = isPhrase || isSpace && isName && bytes[index...].first { $0 != 32 && $0 != 9 } != 36
            isInWord = false
            // `%3D` in a URI within a URI.
            let code = byte == 37 ? encoded(bytes, at: index - 1) : nil
            if code?.byte == 61, isSecretName(bytes[word]) || isArgument(bytes, word) {
                let end = index - 1 + (code?.length ?? 0)
                out.append(contentsOf: bytes[index..<end])
                index = skipValue(bytes, of: word, behind: 37, from: end, into: &out)
                word = index..<index
                continue
            }
            let isPlace = byte == 58 && word.upperBound == index - 1 && isPlace(bytes, behind: word, at: index)
            if !isPlace, byte == 61 || byte == 58 || byte == 126 || isOption || isDirective,  // = : ~
                isSecretName(bytes[word]) || byte == 61 && isArgument(bytes, word)
            {
                if byte == 61, index < bytes.count, bytes[index] == 62 { out.append(62); index += 1 }  // =>
                index = skipValue(bytes, of: word, behind: byte, from: index, into: &out)
                word = index..<index
            } else if byte == 47, out.suffix(3).elementsEqual([58, 47, 47]) {  // ://
                index = skipUserInfo(bytes, from: index, into: &out)
                word = index..<index
            } else if byte != 32, byte != 33, byte != 36, byte != 92, !isQuote(byte) {
                word = index..<index
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The same for lines that came one after the other: a private key goes on over several.
    package static func mask(lines: some Sequence<String>) -> [String] {
        var key: OpenKey?
        return lines.map { mask($0, in: &key) }
    }

    /// A private key whose end has not come yet. A log puts the same words before each line of it: a time, the process.
    package struct OpenKey {
        fileprivate var wordsBefore: Int
        /// Its first line was seen.
        fileprivate var hasBegun: Bool
        /// Lines of full length so far.
        fileprivate var fullLines = 0
        /// How many lines may still come that are none of the key: of others who write in between, and names of what it is encrypted by.
        fileprivate var strangersLeft: Int
    }

    /// Bytes of a whole line of a key, at least: PEM has 64, and older files 56 to 76.
    private static let fullLineMin = 56

    /// The next line of a text.
    /// - Parameter key: what the lines before it began; nil for the first.
    package static func mask(_ line: String, in key: inout OpenKey?) -> String {
        let words = line.split { $0 == " " || $0 == "\t" }
        if let begin = words.lastIndex(where: { $0.contains("-----BEGIN") }), line.contains("PRIVATE KEY-----") {
            // With more behind it, it is a key in one line, or a text about one.
            let isFirstLine = trimmed(line).suffix(16).elementsEqual("PRIVATE KEY-----".utf8)
            key = isFirstLine ? OpenKey(wordsBefore: begin, hasBegun: true, strangersLeft: 6) : nil
            return mask(line)
        }
        if line.contains("-----END ") { key = nil }
        if let open = key {
            if let hidden = hidingLine(line, words, of: open) {
                if trimmed(String(words.last ?? "")).count >= fullLineMin { key?.fullLines += 1 }
                return hidden
            }
            key = open.strangersLeft > 0 ? open : nil
            key?.strangersLeft -= 1
        }
        if key == nil, hidingLongWord(line, words) != nil {
            // Its beginning may have been cut off.
            key = OpenKey(wordsBefore: words.count - 1, hasBegun: false, fullLines: 1, strangersLeft: 0)
        }
        return mask(line)
    }

    /// A line that belongs to an open key, without it; nil: it does not. All lines of one are full but the last.
    private static func hidingLine(_ line: String, _ words: [Substring], of key: OpenKey) -> String? {
        // In a list the first line has a mark before it that the others have not.
        guard words.count == key.wordsBefore + 1 || key.hasBegun && words.count == 1 else { return nil }
        let bytes = trimmed(String(words.last ?? ""))
        let isShort = bytes.count < fullLineMin, isWhole = bytes.count % 4 == 0
        let isLast = key.hasBegun ? isWhole || key.fullLines == 0 && bytes.count >= 16 : isWhole && (key.fullLines > 1 || bytes.last == 61)
        return !isShort || isLast ? hidingLastWord(line, words) : nil
    }

    /// A line without its last word, if that is in base64; nil: it is not.
    private static func hidingLastWord(_ line: String, _ words: [Substring]) -> String? {
        guard let last = words.last else { return nil }
        let bytes = trimmed(String(last))
        guard !bytes.isEmpty, bytes.allSatisfy(isBase64) else { return nil }
        let before = line[..<last.startIndex]
        return before.contains { !$0.isWhitespace } ? mask(String(before)) + "***" : "***"
    }

    /// A line without its last word, if that may be a line of a key by itself: behind a time and a process, as logs have it.
    private static func hidingLongWord(_ line: String, _ words: [Substring]) -> String? {
        let kinds: [(Character) -> Bool] = [\.isUppercase, \.isLowercase, \.isNumber]
        // A path behind other words is none.
        guard (1...12).contains(words.count), let last = words.last, words.count == 1 || last.first != "/",
            trimmed(String(last)).count >= fullLineMin, kinds.allSatisfy({ last.contains(where: $0) })
        else { return nil }
        return hidingLastWord(line, words)
    }

    /// Without the spaces, quotes and commas around it, as a list or a YAML file has them.
    private static func trimmed(_ text: String) -> ArraySlice<UInt8> {
        func isAround(_ byte: UInt8) -> Bool { byte <= 32 || byte == 44 || isQuote(byte) }
        var bytes = Array(text.utf8)[...].drop(while: isAround)
        while let last = bytes.last, isAround(last) { bytes.removeLast() }
        return bytes
    }

    private static func isBase64(_ b: UInt8) -> Bool { isWord(b) && b != 45 && b != 95 || b == 43 || b == 47 || b == 61 }

    private static func isQuote(_ b: UInt8) -> Bool { b == 34 || b == 39 }

    private static func isWord(_ b: UInt8) -> Bool {
        b >= 48 && b <= 57 || b >= 65 && b <= 90 || b >= 97 && b <= 122 || b == 95 || b == 45
    }

    private static func isSecretName(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.count >= 3, name.count <= 64 else { return false }
        let lower = lowercased(name)
        return names.contains { lower.contains($0) } || ends.contains { lower.hasSuffix($0) }
    }

    /// The byte that a URI has as `%3D`, or, in a URI within a URI, as `%253D`, and how long that is.
    private static func encoded(_ bytes: [UInt8], at percent: Int) -> (byte: UInt8, length: Int)? {
        var index = percent + 1
        while bytes[index...].starts(with: [50, 53]), index - percent < 9 { index += 2 }
        guard let high = bytes[index...].first, let low = bytes[index...].dropFirst().first,
            let byte = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
        else { return nil }
        return (byte, index + 2 - percent)
    }

    /// Whether a name stands behind the `?` or `&` of a query.
    private static func isInQuery(_ bytes: [UInt8], _ name: Range<Int>) -> Bool {
        name.lowerBound > 0 && (bytes[name.lowerBound - 1] == 63 || bytes[name.lowerBound - 1] == 38)
    }

    /// Whether a name stands behind the `?` or `&` of a query, as it is or encoded, and lets somebody in.
    private static func isArgument(_ bytes: [UInt8], _ name: Range<Int>) -> Bool {
        if isInQuery(bytes, name) { return arguments.contains(lowercased(bytes[name])) }
        guard name.lowerBound > 0, bytes[name.lowerBound - 1] == 37, let code = encoded(bytes, at: name.lowerBound - 1),
            code.byte == 63 || code.byte == 38, name.lowerBound - 1 + code.length <= name.upperBound
        else { return false }
        return arguments.contains(lowercased(bytes[(name.lowerBound - 1 + code.length)..<name.upperBound]))
    }

    /// Where a list of values ends: at the bracket behind a quote, or at the first one if nothing is quoted.
    private static func listEnd(_ bytes: [UInt8], from open: Int) -> Int {
        var last: UInt8 = 0, quotes = 0
        for index in bytes.indices[(open + 1)...] {
            let byte = bytes[index]
            if byte == 93, quotes == 0 || isQuote(last) || quotes % 2 == 0 { return index }
            if isQuote(byte) { quotes += 1 }
            if byte != 32 { last = byte }
        }
        return bytes.count
    }

    /// Whether a name with a colon is a host with a port (`http://oauth2-proxy:4180`) or a group with a process of it
    /// (`auth:auth_00`): both may be called after a secret, and are none.
    private static func isPlace(_ bytes: [UInt8], behind name: Range<Int>, at index: Int) -> Bool {
        let rest = bytes[index...]
        if rest.starts(with: bytes[name] + [95]) { return true }
        let digits = rest.prefix(6).prefix { $0 >= 48 && $0 <= 57 }
        guard (1...5).contains(digits.count), !contains(bytes[name], anyOf: phrases + ["pass"]) else { return false }
        // ) , / : ; ? ]
        return bytes[digits.endIndex...].first.map { $0 <= 32 || isQuote($0) || [41, 44, 47, 58, 59, 63, 93].contains($0) } ?? true
    }

    /// Whether the word after next is the value of the next one: `proxy_set_header NAME VALUE`, `fastcgi_param`, `set $NAME VALUE`.
    private static func setsNext(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 3, word.count <= 64 else { return false }
        let lower = lowercased(word)
        return lower == "set" || ["_header", "_param"].contains { lower.hasSuffix($0) }
    }

    /// A private key, or the lines of one: nil if the text holds none.
    private static func hidingKeys(_ text: String) -> String? {
        let words = text.utf8.count < fullLineMin ? [] : text.split { $0 == " " || $0 == "\t" }
        if let hidden = hidingLongWord(text, words) { return hidden }
        guard let mark = text.firstRange(of: "PRIVATE KEY-----") else { return nil }
        let head = mask(String(text[..<mark.lowerBound])) + "PRIVATE KEY-----***"
        guard let end = text[mark.upperBound...].firstRange(of: "PRIVATE KEY-----") else { return head }
        return head + mask(String(text[end.upperBound...]))
    }

    private static func lowercased(_ name: ArraySlice<UInt8>) -> String {
        String(decoding: name.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }, as: UTF8.self)
    }

    private static func contains(_ name: ArraySlice<UInt8>, anyOf parts: [String]) -> Bool {
        let lower = lowercased(name)
        return parts.contains { lower.contains($0) }
    }

    /// Puts `***` for a value: a quoted one ends at its quote, a header's at the end of the line, any other at a space or at what separates
    /// arguments.
    ///
    /// - Returns: where the text goes on.
    private static func skipValue(
        _ bytes: [UInt8], of name: Range<Int>, behind separator: UInt8, from start: Int, into out: inout [UInt8]
    ) -> Int {
        var index = start
        func pass(to end: Int) { out.append(contentsOf: bytes[index..<end]); index = end }
        if separator == 126, index < bytes.count, bytes[index] == 42 { pass(to: index + 1) }
        pass(to: bytes[index...].firstIndex { $0 != 32 } ?? bytes.count)
        if index < bytes.count, bytes[index] == 91, separator != 32 {  // [
            pass(to: index + 1)
            out.append(contentsOf: Array("***".utf8))
            return listEnd(bytes, from: index - 1)
        }
        var quote: UInt8 = 0, isEscaped = false
        if index + 1 < bytes.count, bytes[index] == 92, isQuote(bytes[index + 1]) {  // a text within a text
            isEscaped = true
            pass(to: index + 1)
        }
        if index < bytes.count, isQuote(bytes[index]) {
            quote = bytes[index]
            pass(to: index + 1)
        }
        // `Authorization: Bearer x`: the scheme stays, the rest goes.
        if let space = bytes[index...].prefix(9).firstIndex(of: 32), isScheme(bytes[index..<space]) { pass(to: space + 1) }
        var end = index
        let isHeader = contains(bytes[name], anyOf: ["cookie", "authorization"])
        let isPhrase = separator == 58 && index > start && contains(bytes[name], anyOf: phrases)
        // A query goes on to its next argument, whatever signs the value holds.
        let isInQuery = separator == 37 || separator == 61 && isInQuery(bytes, name)
        let around = name.lowerBound > 0 && isQuote(bytes[name.lowerBound - 1]) ? bytes[name.lowerBound - 1] : 10
        while end < bytes.count, bytes[end] != 10 {
            let byte = bytes[end]
            if quote != 0 {
                if byte == quote { break }
                if byte == 92, !isEscaped, end + 1 < bytes.count { end += 1 }
            } else if isHeader {
                if byte == around { break }
            } else if isInQuery {
                let isNext = separator == 37 && byte == 37 && encoded(bytes, at: end)?.byte == 38
                if byte <= 32 || byte == 38 || byte == 35 || isQuote(byte) || isNext { break }
            } else if byte == 32 && !isPhrase || byte == 38 || isQuote(byte) || byte == 44 || byte == 59 {
                break
            }
            end += 1
        }
        if end > index { out.append(contentsOf: Array("***".utf8)) }
        return end
    }

    private static func isScheme(_ bytes: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        return text == "bearer" || text == "basic" || text == "digest"
    }

    private static func skipUserInfo(_ bytes: [UInt8], from start: Int, into out: inout [UInt8]) -> Int {
        var end = start
        while end < bytes.count, end - start < 256 {
            let b = bytes[end]
            if b == 64 {
                out.append(contentsOf: Array("***@".utf8))
                return end + 1
            }
            if b == 47 || b == 32 || b == 34 || b == 63 || b == 35 { return start }
            end += 1
        }
        return start
    }
}
