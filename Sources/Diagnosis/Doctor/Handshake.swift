import Machine

/// What `openssl s_client` tells of a peer's TLS.
struct Handshake {
    /// Whether there was one, and how far the peer's certificate is good.
    let isDone: Bool
    /// OpenSSL's number for the last thing that is wrong with the certificate; 0: nothing.
    let code: Int
    /// Its text.
    let complaint: String
    /// When the certificate ends, and whether it has.
    let end: Timestamp?
    let isExpired: Bool

    /// Hostname and address that are not in the certificate.
    private static let mismatches = [62, 64]
    private static let expired = 10, notYet = 9

    init(_ output: LineText, now: Timestamp) {
        isDone = !output.contains("Cipher is (NONE)") && output.contains("Cipher is ")
        let result = output.after("Verify return code: ")
        code = result?.number ?? 0
        complaint = result?.between("(", ")")?.string ?? ""
        // The peer's own is the first of the chain.
        end = (output.after("NotAfter: ")?.upTo("\n")).flatMap(Self.time)
        isExpired = code == Self.expired || (end.map { $0 < now } ?? false)
    }

    /// `Nov  4 05:35:52 2026 GMT`.
    private static func time(_ text: LineText) -> Timestamp? {
        let words = text.fields().map(\.string)
        guard words.count >= 4 else { return nil }
        let day = words[1].count == 1 ? "0" + words[1] : words[1]
        return LogTime.common(Array("\(day)/\(words[0])/\(words[3]):\(words[2]) +0000".utf8)[...])
    }

    /// The words to type: the name and the authorities that nginx uses.
    static func command(_ settings: UpstreamFacts.TLS, to address: PeerAddress) -> [String] {
        var words = ["openssl", "s_client"]
        if let path = address.path { words += ["-unix", path] } else { words += ["-connect", address.text] }
        if settings.sendsName, let name = settings.name { words += ["-servername", name] } else { words.append("-noservername") }
        if let name = settings.name, settings.verifies || settings.isNameOfHost {
            words += [PeerAddress(parsing: name).isIP ? "-verify_ip" : "-verify_hostname", name]
        }
        if let file = settings.authorities { words += ["-CAfile", file] }
        return words
    }

    /// A sentence for the report, and whether requests fail of it.
    func told(_ settings: UpstreamFacts.TLS, command: String) -> (text: String, isTrouble: Bool) {
        guard isDone else {
            let hint = settings.sendsName ? "" : " (proxy_ssl_server_name is off: no name is sent)"
            return ("the TLS handshake fails\(hint): \(command) </dev/null", true)
        }
        let until = end.map { " until \($0.text.prefix(10))" } ?? ""
        var wrong: [String] = []
        if isExpired { wrong.append(end.map { "expired on \($0.text.prefix(10))" } ?? "expired") }
        if Self.mismatches.contains(code) { wrong.append("not for \(settings.name ?? "that name")") }
        if code == Self.notYet { wrong.append("not valid yet") }
        // An authority of one's own is usual where nobody checks.
        if code != 0, wrong.isEmpty, settings.verifies { wrong.append(complaint) }
        guard !wrong.isEmpty else { return ("TLS, certificate\(until)", false) }
        let text = "TLS, certificate \(wrong.joined(separator: ", "))"
        return settings.verifies ? (text + ": proxy_ssl_verify refuses it", true) : (text + " (proxy_ssl_verify is off)", false)
    }
}
