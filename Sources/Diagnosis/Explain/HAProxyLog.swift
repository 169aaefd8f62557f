import Machine

/// Termination states of HAProxy's HTTP and TCP logs (configuration manual, "Session state at disconnection").
enum HAProxyLog {
    /// Finds `STATUS BYTES … STATE` after the accept date and timers. A TCP line has no status.
    static func explain(_ line: LineText) -> Explanation? {
        // "[22/Nov/2026:10:03:04.123] frontend backend/server Tq/Tw/Tc/Tr/Tt status bytes - - SC-- 1/1/1/1/0 0/0"
        guard let accepted = acceptDateEnd(line) else { return shorter(line) }
        let fields = LineText(line.bytes[(accepted + 2)...]).fields(16)
        guard fields.count >= 5, fields[1].contains("/"), fields[2].contains("/") else { return nil }
        let server = fields[1].string
        for index in 3..<min(fields.count, 9) {
            let state = Array(fields[index].bytes)
            guard state.count == 2 || state.count == 4, isState(state), index + 1 < fields.count,
                fields[index + 1].contains("/")
            else { continue }
            let status = fields[3].number ?? 0
            return explain(state, status: status, server: server)
        }
        return nil
    }

    /// Where the `] ` after the accept date stands; a syslog head has brackets of its own.
    private static func acceptDateEnd(_ line: LineText) -> Int? {
        var from = line.bytes.startIndex, tries = 0
        while tries < 4, let open = line.find("[", from: from), let end = line.find("] ", from: open) {
            if end - open < 40, isDate(LineText(line.bytes[(open + 1)..<end])) { return end }
            from = open + 1
            tries += 1
        }
        return nil
    }

    /// Lines of the server's own state: `Server app/s1 is DOWN, reason: …`.
    private static func shorter(_ line: LineText) -> Explanation? {
        if let name = line.between("backend ", " has no server available!") {
            return Explanation(
                .haproxy, rules: ["P09"], reason: .poolEmpty,
                "No server of \(name.string) is left: the lines before it tell why each went down.",
                checks: RuleChecks.checks([9], peer: nil))
        }
        guard let rest = line.after("Server "), rest.contains(" is DOWN"), rest.contains("reason: ") else { return nil }
        let reason = rest.after("reason: ")?.upTo(",").string ?? ""
        let rules =
            reason.hasPrefix("Layer4 connection")
            ? [1, 20] : reason.hasPrefix("Layer4 timeout") ? [19] : reason.hasPrefix("Layer6") ? [26] : [28, 7]
        return Explanation(
            .haproxy, rules: rules.map(RuleNames.id), reason: nil,
            "The health check of \(rest.word.string) failed: \(reason).",
            checks: RuleChecks.checks(rules, peer: nil))
    }

    private static func isDate(_ text: LineText) -> Bool {
        let b = Array(text.bytes)
        return b.count >= 20 && b[2] == 47 && b[6] == 47 && b[11] == 58
    }

    private static func isState(_ s: [UInt8]) -> Bool {
        "CSPLRIDUKcs-".utf8.contains(s[0]) && "RQCHDLT-".utf8.contains(s[1])
            && s.dropFirst(2).allSatisfy { $0 == 45 || $0 >= 65 && $0 <= 90 }
    }

    private static func explain(_ state: [UInt8], status: Int, server: String) -> Explanation? {
        let two = String(decoding: state.prefix(2), as: UTF8.self)
        func make(_ rules: [Int], _ reason: ReasonCode, _ text: String) -> Explanation {
            Explanation(
                .haproxy, rules: rules.map(RuleNames.id), reason: reason, "\(two) at \(server): \(text)",
                checks: RuleChecks.checks(rules, peer: nil), phase: two)
        }
        let isNoServer = server.hasSuffix("/<NOSRV>")
        switch two {
        case "SC" where isNoServer: return make([9], .poolEmpty, "no server was left to pick.")
        case "SC":
            return make([1, 20, 17], .connectRefused, "the server, or something before it, refused the connection.")
        case "sC":
            return make(
                [19], .connectTimeout, "the server did not answer the connection request within timeout connect.")
        case "SH":
            return make(
                [7, 6, 10], .connEndBeforeHead, "the server closed or reset the connection before a complete header.")
        case "sH": return make([28], .responseTimeout, "the server did not answer within timeout server.")
        case "SD":
            return make(
                [7, 10], .bodyTruncated, "the server closed or reset the connection in the middle of its answer.")
        case "sD": return make([28], .bodyTimeout, "the server stopped in the middle of its answer.")
        case "PH":
            return make(
                [24, 23, 25], .responseInvalid, "the proxy refused the answer: invalid, too large or denied by a rule.")
        case "PD":
            return make([24], .responseIllegalFraming, "the proxy ended the answer after its header: its framing is illegal.")
        case "PC" where isNoServer: return make([9], .poolEmpty, "no server was left to pick.")
        case "PC", "RC":
            return make(
                [22, 21], .localDescriptors, "the proxy had no socket, port or memory left for the connection.")
        case "sQ":
            return make([28], .queueTimeout, "the request waited for a free connection for longer than timeout queue.")
        case "SQ", "PQ", "RQ": return make([28], .queueFull, "the queue was full or ended.")
        case "UC", "UH", "UD":
            return make([9], .poolEmpty, "the server was marked down while the request was under way.")
        case "DC", "DH", "DD", "KC", "KH", "KD":
            return make([9, 13], .connReset, "the session was ended because its server went down or was shut down.")
        case "CD", "CH", "CC", "CQ", "CR", "cD", "cH", "cR", "cC", "cQ":
            return make([], .clientGone, "the client went away or was too slow; no fault of the server.")
        case "--" where (502...504).contains(status):
            return make([30], .appAnswered, "a complete answer with status \(status): the application itself said it.")
        case "PR" where (502...504).contains(status):
            return make([], .unknown, "the proxy itself answered \(status) without asking a server.")
        default: return nil
        }
    }
}
