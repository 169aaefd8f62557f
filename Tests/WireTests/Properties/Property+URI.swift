internal import Wire

extension Property {
    /// Paths, escapes, arguments. The first byte chooses the kinds.
    package static func uri(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        let input = Array(input.dropFirst())
        return withView(input) { view in
            normalised(view, merge: choice & 1 != 0) ?? escaped(view, choice) ?? unsafe(view) ?? parts(view)
        }
    }

    private static func normalised(_ view: ByteView, merge: Bool) -> String? {
        var result = URI.NormaliseResult.invalid
        let path = writing(view.count + 1) { writer in
            result = URI.normalise(view, mergeSlashes: merge, into: &writer)
            if case .path = result { return true }
            return false
        }
        guard case .path(let length, let query, _, _) = result, let path else {
            return result == .full ? "the path did not fit" : nil
        }
        if length != path.count || path.first != 0x2f { return "a wrong path" }
        if path.contains(0) { return "a NUL in the path" }
        if let query, query.end > view.count { return "a query outside the target" }
        let parts = path.split(separator: 0x2f, omittingEmptySubsequences: false).dropFirst()
        if parts.contains([0x2e]) || parts.contains([0x2e, 0x2e]) { return "a dot segment is left" }
        if merge, parts.dropLast().contains([]) { return "two slashes are left" }
        // Escaped again it means the same path.
        let again = withView(path) { view in
            writing(view.count * 3) { URI.escape(view, .uri, into: &$0) }.flatMap { escaped in
                withView(escaped) { target in
                    writing(target.count + 1) { writer in
                        if case .path = URI.normalise(target, mergeSlashes: merge, into: &writer) { return true }
                        return false
                    }
                }
            }
        }
        return again == path ? nil : "escaped and cleaned again it differs"
    }

    private static let kinds: [URI.EscapeKind] = [.uri, .args, .uriComponent, .html, .refresh, .requestLine]

    private static func escaped(_ view: ByteView, _ choice: UInt8) -> String? {
        let kind = kinds[Int(choice >> 1) % kinds.count]
        guard let escaped = writing(view.count * 3, { URI.escape(view, kind, into: &$0) }) else {
            return "the escape did not fit"
        }
        if escaped.count != view.count + 2 * URI.escapeCount(view, kind) { return "a wrong length" }
        if escaped.contains(where: { $0 <= 0x20 }) { return "a control byte is left" }
        // "%" is not escaped by the last two, so only the others can be undone.
        if kind != .refresh, kind != .requestLine {
            let plain = withView(escaped) { view in writing(view.count) { URI.unescape(view, .all, into: &$0) } }
            if plain != view.array { return "an escape cannot be undone" }
        }
        for kind in [URI.UnescapeKind.all, .uri, .redirect]
        where writing(view.count, { URI.unescape(view, kind, into: &$0) }) == nil { return "decoding made it longer" }
        guard let json = writing(view.count * 6, { URI.escapeJSON(view, into: &$0) }) else { return "JSON did not fit" }
        if json.contains(where: { $0 < 0x20 }) { return "a control byte in JSON" }
        guard let html = writing(view.count * 6, { URI.escapeHTML(view, into: &$0) }) else { return "HTML did not fit" }
        return html.contains(where: { $0 == 0x3c || $0 == 0x3e || $0 == 0x22 }) ? "markup is left" : nil
    }

    private static func unsafe(_ view: ByteView) -> String? {
        var path: [UInt8]?
        _ = writing(view.count) { writer in
            path = URI.checkUnsafe(view, into: &writer)?.path.array
            return true
        }
        guard let path else { return nil }
        if path.isEmpty || path.contains(0) { return "an unsafe path" }
        return path.split(separator: 0x2f).contains([0x2e, 0x2e]) ? "a parent in a safe path" : nil
    }

    private static func parts(_ view: ByteView) -> String? {
        let (path, query) = URI.split(view)
        if path.count + (query.map { $0.count + 1 } ?? 0) != view.count { return "a split lost bytes" }
        if URI.fileExtension(of: path).contains(0x2f) { return "a slash in an extension" }
        if let value = URI.argument("a", in: query ?? view), value.contains(0x26) { return "two arguments in one" }
        return nil
    }
}
