/// Secrets that are known by their own form, whatever name stands before them, and those in the options of usual programs.
enum SecretTokens {
    /// What tokens of well-known services begin with, and how long they are at least.
    private static let prefixes: [(text: [UInt8], length: Int)] = [
        ("ghp_", 20), ("gho_", 20), ("ghu_", 20), ("ghs_", 20), ("ghr_", 20), ("github_pat_", 30), ("glpat-", 20), ("sk_live_", 16),
        ("sk_test_", 16), ("rk_live_", 16), ("rk_test_", 16), ("xoxa-", 15), ("xoxb-", 15), ("xoxp-", 15), ("xoxr-", 15), ("xoxs-", 15),
        ("sk-ant-", 20), ("sk-proj-", 20), ("AIza", 35), ("npm_", 30), ("hf_", 30), ("SG.", 40),
    ].map { (Array($0.0.utf8), $0.1) }
    /// Programs with their option for a password, and whether its value may be a word of its own.
    private static let options: [(program: String, option: String, isApart: Bool)] = [
        ("mysql", "-p", false), ("mariadb", "-p", false), ("sshpass", "-p", true), ("redis-cli", "-a", true), ("curl", "-u", true),
        ("curl", "--user", true), ("curl", "--proxy-user", true),
    ]

    /// Puts `***` in their place. O(n).
    static func hide(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [], index = 0, program: ArraySlice<UInt8> = []
        out.reserveCapacity(bytes.count)
        while index < bytes.count {
            let isFirst = index == 0 || bytes[index - 1] <= 32
            if isFirst, let secret = optionValue(bytes, at: index, of: program) {
                out.append(contentsOf: bytes[index..<secret.lowerBound])
                out.append(contentsOf: Array("***".utf8))
                index = secret.upperBound
                continue
            }
            guard isPart(bytes[index]) else {
                if bytes[index] == 10 { program = [] }
                out.append(bytes[index])
                index += 1
                continue
            }
            let end = bytes[index...].firstIndex { !isPart($0) } ?? bytes.count
            let part = bytes[index..<end]
            if let token = bearerToken(bytes, behind: part) {
                out.append(contentsOf: bytes[index...end])
                out.append(contentsOf: Array("***".utf8))
                index = token.upperBound
                continue
            }
            if options.contains(where: { part.starts(with: $0.program.utf8) }) { program = part }
            if isAccessKey(part) {
                out.append(contentsOf: Array("***".utf8))
                // `ID:SECRET`.
                let isPair = end < bytes.count && bytes[end] == 58
                index = isPair ? bytes[end...].firstIndex { $0 <= 32 || $0 == 34 || $0 == 39 } ?? bytes.count : end
                continue
            }
            out.append(contentsOf: isToken(part) ? Array("***".utf8)[...] : part)
            index = end
        }
        return out
    }

    /// `Bearer TOKEN` without the name of a header: what is long enough is no word of a sentence.
    private static func bearerToken(_ bytes: [UInt8], behind part: ArraySlice<UInt8>) -> Range<Int>? {
        let end = part.endIndex
        guard end < bytes.count, bytes[end] == 32, part.count == 6, part.map({ $0 | 0x20 }) == Array("bearer".utf8) else { return nil }
        let token = bytes[(end + 1)...].prefix { isPart($0) || $0 == 43 || $0 == 47 || $0 == 61 || $0 == 126 }
        return token.count >= 16 ? token.indices : nil
    }

    private static func isPart(_ b: UInt8) -> Bool {
        b >= 48 && b <= 57 || b >= 65 && b <= 90 || b >= 97 && b <= 122 || b == 95 || b == 45 || b == 46
    }

    private static func isToken(_ part: ArraySlice<UInt8>) -> Bool {
        guard part.count >= 15 else { return false }
        // A JSON web token: three parts in base64url, of which the first is a JSON object.
        if part.starts(with: [101, 121, 74]), part.count >= 20, part.count(where: { $0 == 46 }) >= 2 { return true }
        return prefixes.contains { part.count >= $0.length && part.starts(with: $0.text) }
    }

    /// `AKIA` and 16 capitals and digits.
    private static func isAccessKey(_ part: ArraySlice<UInt8>) -> Bool {
        part.count == 20 && (part.starts(with: Array("AKIA".utf8)) || part.starts(with: Array("ASIA".utf8)))
            && part.allSatisfy { $0 >= 48 && $0 <= 57 || $0 >= 65 && $0 <= 90 }
    }

    /// The password in the option that begins here, if a program takes one so.
    private static func optionValue(_ bytes: [UInt8], at start: Int, of program: ArraySlice<UInt8>) -> Range<Int>? {
        guard bytes[start] == 45, !program.isEmpty else { return nil }
        for known in options where program.starts(with: known.program.utf8) && bytes[start...].starts(with: known.option.utf8) {
            var from = start + known.option.utf8.count
            let isLong = known.option.hasPrefix("--")
            if from < bytes.count, bytes[from] == 32 || isLong && bytes[from] == 61 {
                guard known.isApart else { return nil }
                from += 1
            } else if isLong {
                continue
            }
            guard from < bytes.count, bytes[from] > 32 else { return nil }
            let quote = bytes[from] == 34 || bytes[from] == 39 ? bytes[from] : 0
            if quote != 0 { from += 1 }
            let end = bytes[from...].firstIndex { quote != 0 ? $0 == quote : $0 <= 32 || $0 == 34 || $0 == 39 } ?? bytes.count
            guard program.starts(with: "curl".utf8) else { return from..<end }
            // `user:password`.
            return bytes[from..<end].firstIndex(of: 58).map { ($0 + 1)..<end }
        }
        return nil
    }
}
