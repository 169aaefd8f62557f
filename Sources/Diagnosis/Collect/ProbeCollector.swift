/// A connection tried now, and, after a protocol error, the peer's first bytes.
package struct ProbeCollector: Collector {
    /// Milliseconds for the connection and for the answer together.
    package var deadline: Int
    /// One that is in a hurry says nothing of a peer that does not answer at once; the other asks only where the first found nothing out.
    package var isVolatile: Bool
    package init(deadline: Int = 1_000, isVolatile: Bool = false) { self.deadline = deadline; self.isVolatile = isVolatile }
    /// As `Collector` says.
    package var name: String { "a test connection" }

    /// Most peers answer, or refuse, in a moment; a silent one is waited for later, so that the first verdict does not wait for it.
    static let quick = ProbeCollector(deadline: 25, isVolatile: true)
    static let patient = ProbeCollector(deadline: 500)

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let peer = subject.peer, peer.isIP || peer.isUnixSocket, isVolatile || evidence.probe.value == nil else { return }
        let outcome = system.probe(peer, sending: nil, deadline: deadline)
        let isSilent = outcome.result.errorNumber == 110
        evidence.probe = isSilent && isVolatile ? .notCollected : .known(outcome.result, source: "connect() to \(peer.text)")
    }

    /// Asks the peer for what no application acts on, and looks at what comes: `OPTIONS *`, or, of a peer that should speak TLS, a
    /// ClientHello. A TLS port answers text with text at many servers (400, "plain HTTP request was sent to HTTPS port").
    package func sample(_ peer: PeerAddress, inTLS: Bool, from system: some SystemReader, into evidence: inout EvidenceSet) {
        let question = inTLS ? Self.clientHello : Array("OPTIONS * HTTP/1.0\r\n\r\n".utf8)
        let outcome = system.probe(peer, sending: question, deadline: deadline)
        guard outcome.result.errorNumber == 0 else { return }
        evidence.sample = .known(WireSample(bytes: outcome.answer, isOfTLS: inTLS), source: "first bytes of \(peer.text)")
    }

    /// TLS 1.2 with four usual suites and no name: who speaks TLS answers with a handshake or an alert.
    static let clientHello: [UInt8] = {
        let suites: [UInt8] = [0xc0, 0x2f, 0xc0, 0x2b, 0xc0, 0x30, 0xc0, 0x2c]
        // Groups x25519 and P-256, uncompressed points, RSA-PSS, RSA and ECDSA with SHA-256.
        let extensions: [UInt8] = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 8, 0, 6, 8, 4, 4, 1, 4, 3]
        var body: [UInt8] = [3, 3]
        body += Array(1...32)
        body += [0, 0, UInt8(suites.count)] + suites
        body += [1, 0, 0, UInt8(extensions.count)] + extensions
        return [0x16, 3, 1, 0, UInt8(body.count + 4), 1, 0, 0, UInt8(body.count)] + body
    }()
}
