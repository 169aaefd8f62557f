import Machine

/// A test of each upstream as it is now: its address, who listens, its health URI, its certificate.
extension Doctor {
    /// TLS handshakes and health URIs asked at most, each.
    private static var questionsMax: Int { 16 }
    /// Milliseconds.
    private static var handshakeMax: Int { 3_000 }
    private static var answerMax: Int { 2_000 }

    mutating func testUpstreams(_ site: NginxSite) {
        guard options.testsUpstreams else { return }
        var left = (handshakes: Self.questionsMax, health: Self.questionsMax)
        for facts in site.upstreams {
            for server in facts.servers where !server.isDown && report.upstreams.count < 128 {
                for address in addresses(of: server) {
                    var test = test(facts, server, address)
                    if test.isReachable {
                        askHealth(facts, &test, &left.health)
                        shakeHands(facts, server, &test, &left.handshakes)
                    }
                    report.upstreams.append(test)
                }
            }
        }
        if left.handshakes < 0 { report.gaps.append("more than \(Self.questionsMax) servers with TLS: no handshake with the others") }
        if left.health < 0 { report.gaps.append("more than \(Self.questionsMax) servers with a health URI: the others were not asked") }
    }

    private func test(_ facts: UpstreamFacts, _ server: UpstreamFacts.Server, _ address: PeerAddress) -> DoctorReport.UpstreamTest {
        let outcome = system.probe(address, sending: nil, deadline: 1_000).result
        let owner = evidence.listeners(for: address).first?.owner?.text
        let reason = ReasonCode.immediate(
            phase: .connecting, errorNumber: outcome.errorNumber, isUnixSocket: address.isUnixSocket, bytesRead: 0, reused: false)
        let detail = outcome.errorNumber == 0 ? owner.map { "\($0) listens" } ?? "connected" : "\(reason.name)"
        return DoctorReport.UpstreamTest(
            upstream: facts.name, server: facts.isImplicit ? facts.name : server.text, address: address, place: server.place,
            isReachable: outcome.errorNumber == 0, detail: detail,
            microseconds: outcome.errorNumber == 0 ? outcome.microseconds : nil, errorNumber: outcome.errorNumber)
    }

    func addresses(of server: UpstreamFacts.Server) -> [PeerAddress] {
        guard case .name(let host, let port) = server.address else { return [server.address] }
        return (names[host] ?? []).prefix(8).map { $0.withPort(port) }
    }

    // MARK: health

    /// Asks what `health_check` asks all the time.
    private func askHealth(_ facts: UpstreamFacts, _ test: inout DoctorReport.UpstreamTest, _ left: inout Int) {
        guard facts.scheme == "http", let check = facts.healthCheck else { return }
        left -= 1
        guard left >= 0 else { return }
        let question = "GET \(check.uri) HTTP/1.1\r\nHost: \(facts.written)\r\nUser-Agent: goodgate-doctor\r\nConnection: close\r\n\r\n"
        let address = check.port.map { test.address.withPort($0) } ?? test.address
        let outcome = system.probe(address, sending: Array(question.utf8), deadline: Self.answerMax)
        let what = "GET \(check.uri)" + (address == test.address ? "" : " at \(address.text)")
        let head = LineText(outcome.answer[...])
        if outcome.result.errorNumber != 0 {
            test.health = "\(what): not connected (error \(outcome.result.errorNumber))"
        } else if outcome.answer.isEmpty {
            test.health = "\(what): no answer within \(Self.answerMax / 1_000) s"
        } else if head.hasPrefix("HTTP/1."), let status = head.after(" ")?.number {
            test.health = "\(what): \(status)"
            // What a `match` wants is its own matter.
            test.isTroubled = check.hasMatch ? false : !(200...399).contains(status)
            return
        } else {
            test.health = "\(what): no HTTP"
        }
        test.isTroubled = true
    }

    // MARK: TLS

    /// A handshake as nginx makes it, by the openssl program: nothing is linked for it.
    private mutating func shakeHands(
        _ facts: UpstreamFacts, _ server: UpstreamFacts.Server, _ test: inout DoctorReport.UpstreamTest, _ left: inout Int
    ) {
        guard facts.scheme == "https" || facts.scheme == "grpcs", let settings = facts.tls else { return }
        left -= 1
        guard left >= 0 else { return }
        let words = Handshake.command(settings, to: test.address)
        do {
            let output = try system.run(words, deadline: Self.handshakeMax, limit: 1 << 18)
            let seen = Handshake(LineText(output[...]), now: report.time)
            (test.tls, test.isTroubled) = seen.told(settings, command: ShellCommand(words: words).text)
        } catch {
            guard error.errorNumber == 110 else {
                report.gaps.append("TLS of upstreams: \(error.errorNumber == 2 ? "openssl is not installed" : error.text)")
                left = 0
                return
            }
            (test.tls, test.isTroubled) = ("no TLS handshake within \(Self.handshakeMax / 1_000) s", true)
        }
    }
}
