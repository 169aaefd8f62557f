/// Hides what must not leave the host in a verdict: credentials in URLs, headers, environments, query arguments and command lines.
package enum SecretMask {
    private static let names: [String] = [
        "password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "access_key", "private_key",
        "authorization", "cookie",
        "session", "credential", "signature", "jwt", "auth", "pwd", "passphrase",
    ]

    /// Replaces secret values by `***`. One pass, O(n · names); text without `=`, `:` or `@` is returned as it is.
    package static func mask(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(where: { $0 == 61 || $0 == 58 || $0 == 64 || $0 == 32 }) else { return text }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0, wordStart = 0
        while index < bytes.count {
            let byte = bytes[index]
            out.append(byte)
            index += 1
            if byte == 61 || byte == 58 || byte == 32 {  // = : space
                let name = bytes[wordStart..<(index - 1)]
                let isOption = name.starts(with: [45, 45])
                if isSecretName(name), byte != 32 || isOption { index = skipValue(bytes, from: index, into: &out) }
            }
            if !isWord(byte) { wordStart = index }
            if byte == 47, out.count >= 3, out[out.count - 2] == 47, out[out.count - 3] == 58 {  // "://"
                index = skipUserInfo(bytes, from: index, into: &out)
                wordStart = index
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isWord(_ b: UInt8) -> Bool {
        b >= 48 && b <= 57 || b >= 65 && b <= 90 || b >= 97 && b <= 122 || b == 95 || b == 45
    }

    private static func isSecretName(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.count >= 3, name.count <= 64 else { return false }
        let lower = String(decoding: name.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }, as: UTF8.self)
        return names.contains { lower.contains($0) }
    }

    private static func skipValue(_ bytes: [UInt8], from start: Int, into out: inout [UInt8]) -> Int {
        var index = start
        while index < bytes.count, bytes[index] == 32 { out.append(32); index += 1 }
        var end = index
        var skippedScheme = false
        while end < bytes.count {
            let b = bytes[end]
            // `Authorization: Bearer x`: the scheme stays, the rest goes.
            if b == 32, !skippedScheme, end - index <= 8, end > index, isScheme(bytes[index..<end]) {
                out.append(contentsOf: bytes[index...end])
                index = end + 1; end = index; skippedScheme = true
                continue
            }
            if b == 32 || b == 38 || b == 34 || b == 39 || b == 44 || b == 59 || b == 10 { break }
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
