/// A connection tried now, and, after a protocol error, the peer's first bytes.
package struct ProbeCollector: Collector {
    /// Milliseconds for the connection and for the answer together.
    package var deadline: Int
    package init(deadline: Int = 1_000) { self.deadline = deadline }
    /// As `Collector` says.
    package var name: String { "a test connection" }
    package var isVolatile: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let peer = subject.peer, peer.isIP || peer.isUnixSocket else { return }
        let outcome = system.probe(peer, sending: nil, deadline: deadline)
        evidence.probe = .known(outcome.result, source: "connect() to \(peer.text)")
    }

    /// Asks the peer for `OPTIONS *`, which no application acts on, and looks at what comes.
    package func sample(_ peer: PeerAddress, from system: some SystemReader, into evidence: inout EvidenceSet) {
        let question = Array("OPTIONS * HTTP/1.0\r\n\r\n".utf8)
        let outcome = system.probe(peer, sending: question, deadline: deadline)
        guard outcome.result.errorNumber == 0 else { return }
        evidence.sample = .known(WireSample(bytes: outcome.answer), source: "first bytes of \(peer.text)")
    }
}
