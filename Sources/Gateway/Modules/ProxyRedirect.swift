import Config
import Loop
import Wire

/// proxy_redirect, proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags: texts in answers that name the upstream.
extension Ref where Value == Request {
    /// Location with the upstream's own prefix replaced.
    func redirected(_ target: ByteView) -> ByteView? {
        for rule in location.value.settings.value.proxy.redirectRules {
            if let result = apply(rule, target) { return result }
        }
        return nil
    }

    private func apply(_ rule: TextRewrite, _ target: ByteView) -> ByteView? {
        switch rule.match {
        case .text(let template):
            let prefix = evaluate(template)
            guard target.hasPrefix(prefix) else { return nil }
            return joined(evaluate(rule.replacement), target.dropFirst(prefix.count))
        case .pattern(let id):
            guard match(worker.value.http.value.patterns[id.index], target) else { return nil }
            return evaluate(rule.replacement)
        }
    }

    func redirectedRefresh(_ target: ByteView) -> ByteView {
        var index = 0
        while index + 4 <= target.count {
            if target[index..<(index + 4)].equalsIgnoringCase("url=") {
                let url = target.dropFirst(index + 4)
                guard let changed = redirected(url) else { return target }
                return joined(target.prefix(index + 4), changed)
            }
            index += 1
        }
        return target
    }
}
