/// Who or what to look at.
package struct Culprit: Sendable, Hashable, Codable {
    /// What sort of thing it is.
    package enum Kind: String, Sendable, Codable {
        case process, unit, release, configuration, name, network, firewall, securityPolicy = "security-policy",
            gatewayLimit = "gateway-limit",
            request, supervisor, application, unknown
    }
    /// What sort of thing it is.
    package var kind: Kind
    /// For example `app.service`, `node (pid 4711)`, `nginx.conf:12`.
    package var name: String
    package init(_ kind: Kind, _ name: String) { self.kind = kind; self.name = name }
}
