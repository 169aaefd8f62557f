/// What the name service says about a host now.
package struct NameFacts: Sendable, Hashable {
    /// The name as configured.
    package var host: String
    /// What the C library's resolver answers now, in its order.
    package var addresses: [PeerAddress]
    /// Its error when there was no answer.
    package var failure: String?
    /// Of a resolver that says nothing at all: whether the name exists is not known.
    package static let noAnswer = "no answer in 3 s"
    /// Addresses `/etc/hosts` gives.
    package var fromHosts: [PeerAddress] = []
    /// `nameserver` lines of resolv.conf.
    package var nameservers: [String] = []

    package init(host: String, addresses: [PeerAddress], failure: String? = nil, fromHosts: [PeerAddress] = []) {
        self.host = host; self.addresses = addresses; self.failure = failure; self.fromHosts = fromHosts
    }

    /// Whether it has IPv4 and IPv6 addresses.
    package var hasBothFamilies: Bool { addresses.contains(where: \.isIPv4) && addresses.contains(where: \.isIPv6) }
}
