/// The configured host name, resolved now.
package struct NameCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the name service" }
    package var isVolatile: Bool { false }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let host = subject.host, !host.isEmpty else { return }
        var facts = NameFacts(host: host, addresses: [])
        do { facts.addresses = try system.resolve(host) } catch {
            facts.failure = error.errorNumber == 110 ? NameFacts.noAnswer : "host not found"
        }
        // getent folds localhost; the file tells what a proxy's own resolver sees.
        if let hosts = try? system.text("/etc/hosts") { facts.fromHosts = Self.addresses(of: host, in: hosts) }
        for address in facts.fromHosts where !facts.addresses.contains(address) { facts.addresses.append(address) }
        if let text = try? system.text("/etc/resolv.conf") {
            for line in text.split(separator: "\n") {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
                if words.first == "nameserver", words.count > 1 { facts.nameservers.append(String(words[1])) }
            }
        }
        if facts.addresses.isEmpty == false { facts.failure = nil }
        evidence.name = .known(facts, source: ShellCommand("getent ahosts \(host); /etc/hosts; /etc/resolv.conf").text)
    }

    static func addresses(of host: String, in hosts: String) -> [PeerAddress] {
        var found: [PeerAddress] = []
        for line in hosts.split(separator: "\n") {
            let words = (line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first ?? "")
                .split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = words.first, words.dropFirst().contains(where: { $0 == host }) else { continue }
            let address = PeerAddress(parsing: first.contains(":") ? "[\(first)]:0" : "\(first):0")
            if address.isIP, !found.contains(address) { found.append(address) }
        }
        return found
    }
}
