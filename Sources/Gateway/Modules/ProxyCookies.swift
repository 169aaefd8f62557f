import Config
import Loop
import Wire

/// proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags: Set-Cookie fields of an answer, taken apart and put together anew.
extension Ref where Value == Request {
    private struct Attribute {
        var key: ByteView
        /// nil: no `=`.
        var text: ByteView?
    }

    /// The field with the configured rules applied; the same bytes if none matches.
    func rewrittenCookie(_ field: ByteView, _ proxy: Ref<ProxyRuntime>) -> ByteView {
        var attributes = split(field)
        guard attributes.first?.text != nil else { return field }
        let settings = location.value.settings
        var isChanged = false
        for index in attributes.indices.dropFirst() {
            guard let text = attributes[index].text else { continue }
            let rules: [TextRewrite]
            let isDomain = attributes[index].key.equalsIgnoringCase("domain")
            if isDomain {
                rules = settings.value.proxy.cookieDomains
            } else if attributes[index].key.equalsIgnoringCase("path") {
                rules = settings.value.proxy.cookiePaths
            } else {
                continue
            }
            guard let replaced = replace(text, rules, isDomain: isDomain) else { continue }
            attributes[index].text = replaced
            isChanged = true
        }
        if let rule = flagsRule(for: attributes[0].key) {
            apply(rule, to: &attributes)
            isChanged = true
        }
        return isChanged ? join(attributes) : field
    }

    private func split(_ field: ByteView) -> [Attribute] {
        var attributes: [Attribute] = []
        var start = 0
        while start <= field.count {
            let end = field.firstIndex(of: 0x3b, from: start) ?? field.count
            var piece = field[start..<end]
            while piece.first == 0x20 || piece.first == 0x09 { piece = piece.dropFirst() }
            while piece.last == 0x20 || piece.last == 0x09 { piece = piece.dropLast() }
            if let equals = piece.firstIndex(of: 0x3d) {
                attributes.append(Attribute(key: piece.prefix(equals), text: piece.dropFirst(equals + 1)))
            } else if !piece.isEmpty || attributes.isEmpty {
                attributes.append(Attribute(key: piece, text: nil))
            }
            start = end + 1
        }
        return attributes
    }

    private func join(_ attributes: [Attribute]) -> ByteView {
        compose { out in
            for (index, attribute) in attributes.enumerated() {
                if index > 0 { out.append("; ") }
                out.append(attribute.key)
                guard let text = attribute.text else { continue }
                out.append(0x3d)
                out.append(text)
            }
        }
    }

    /// The first rule that matches: a domain as a whole without its leading dot, a path at its start.
    private func replace(_ text: ByteView, _ rules: [TextRewrite], isDomain: Bool) -> ByteView? {
        for rule in rules {
            switch rule.match {
            case .pattern(let id):
                guard match(worker.value.http.value.patterns[id.index], text) else { continue }
                return evaluate(rule.replacement)
            case .text(let template):
                let wanted = evaluate(template)
                if isDomain {
                    guard withoutDot(text).equalsIgnoringCase(withoutDot(wanted)) else { continue }
                    // The dot of the cookie itself stays, the dot of the rule does not count.
                    let replacement = evaluate(rule.replacement)
                    return text.first == 0x2e ? compose { $0.append("."); $0.append(replacement) } : replacement
                }
                guard text.hasPrefix(wanted) else { continue }
                let replacement = evaluate(rule.replacement)
                return compose { out in
                    out.append(replacement)
                    out.append(text.dropFirst(wanted.count))
                }
            }
        }
        return nil
    }

    private func withoutDot(_ domain: ByteView) -> ByteView { domain.first == 0x2e ? domain.dropFirst() : domain }

    private func flagsRule(for name: ByteView) -> CookieFlagsRule? {
        for rule in location.value.settings.value.proxy.cookieFlags {
            switch rule.match {
            case .text(let template): if evaluate(template).equalsIgnoringCase(name) { return rule }
            case .pattern(let id): if match(worker.value.http.value.patterns[id.index], name) { return rule }
            }
        }
        return nil
    }

    private func apply(_ rule: CookieFlagsRule, to attributes: inout [Attribute]) {
        for source in rule.flags {
            switch source {
            case .constant(let flag): apply(flag, to: &attributes)
            case .dynamic(let template): if let flag = CookieFlagsRule.Flag(text: evaluate(template).array) { apply(flag, to: &attributes) }
            }
        }
    }

    private func apply(_ flag: CookieFlagsRule.Flag, to attributes: inout [Attribute]) {
        switch flag {
        case .secure: set("Secure", nil, in: &attributes)
        case .noSecure: remove("Secure", from: &attributes)
        case .httpOnly: set("HttpOnly", nil, in: &attributes)
        case .noHTTPOnly: remove("HttpOnly", from: &attributes)
        case .sameSiteStrict: set("SameSite", "Strict", in: &attributes)
        case .sameSiteLax: set("SameSite", "Lax", in: &attributes)
        case .sameSiteNone: set("SameSite", "None", in: &attributes)
        case .noSameSite: remove("SameSite", from: &attributes)
        }
    }

    /// An attribute that is there with the same text keeps its spelling.
    private func set(_ key: ByteView, _ text: ByteView?, in attributes: inout [Attribute]) {
        guard let index = attributes.indices.dropFirst().first(where: { attributes[$0].key.equalsIgnoringCase(key) }) else {
            attributes.append(Attribute(key: key, text: text))
            return
        }
        guard let text, attributes[index].text?.equalsIgnoringCase(text) != true else { return }
        attributes[index] = Attribute(key: key, text: text)
    }

    private func remove(_ key: ByteView, from attributes: inout [Attribute]) {
        let name = attributes[0]
        attributes = [name] + attributes.dropFirst().filter { !$0.key.equalsIgnoringCase(key) }
    }
}
