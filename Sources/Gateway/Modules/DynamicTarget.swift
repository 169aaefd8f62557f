import Loop
import Wire

/// proxy_pass with variables: the target is known only per request.
extension Ref where Value == Request {
    /// The upstream for an evaluated target, or nil after the request was answered.
    func resolveTarget(_ proxy: Ref<ProxyRuntime>) -> Ref<Upstream>? {
        guard let target = proxy.value.target else { return nil }
        let url = evaluate(target)
        log(.error, "no resolver defined to resolve \(url.string)")
        finish(.status(502))
        return nil
    }
}
