package import Config

/// What is known of a name.
package struct ResolvedName: Equatable, Sendable {
    /// IPv4 first, each in the order of the answer; port 0.
    package var addresses: [NetworkAddress]
    /// When they have to be asked for again.
    package var validUntil: Milliseconds

    package init(addresses: [NetworkAddress], validUntil: Milliseconds) {
        self.addresses = addresses
        self.validUntil = validUntil
    }
}

/// How a look-up ended.
package enum ResolverOutcome: Equatable, Sendable {
    case addresses(ResolvedName)
    case failed(ResolverFailure)
}
