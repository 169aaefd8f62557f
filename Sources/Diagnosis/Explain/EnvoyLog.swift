import Machine

/// Envoy's access log: `[time] "METHOD path PROTOCOL" status FLAGS [details] …`.
enum EnvoyLog {
    static func explain(_ line: LineText) -> Explanation? {
        guard line.bytes.first == 91, let close = line.find("] \""), close - line.bytes.startIndex < 40,
            line.bytes[line.bytes.startIndex + 1] == 50,
            let end = line.find("\" ", from: close + 3)
        else { return nil }
        let fields = LineText(line.bytes[(end + 2)...]).fields(6)
        guard fields.count >= 2, let status = fields[0].number, (100...599).contains(status) || status == 0, isFlags(fields[1]) else {
            return nil
        }
        let details = fields.count > 2 ? fields[2].string : ""
        if fields[1].string == "-", (502...504).contains(status), details.hasPrefix("via_upstream") {
            return Explanation(
                .envoy, rules: ["P30"], reason: .appAnswered, "A complete answer with status \(status): the application itself said it.",
                phase: details)
        }
        return explain(flags: fields[1].string, details: details, peer: nil)
    }

    private static func isFlags(_ text: LineText) -> Bool {
        text.bytes.count <= 24
            && text.bytes.allSatisfy { $0 == 45 || $0 == 44 || $0 >= 65 && $0 <= 90 || $0 >= 97 && $0 <= 122 }
    }

    static func explain(flags: String, details: String, peer: String?) -> Explanation? {
        for flag in flags.split(separator: ",") {
            guard let (reason, rules, text) = meaning(flag, LineText(details)) else { continue }
            return Explanation(
                .envoy, rules: rules.map(RuleNames.id), reason: reason, "\(flag): \(text)",
                checks: RuleChecks.checks(rules, peer: nil),
                peer: peer.map { PeerAddress(parsing: $0) }, phase: details.isEmpty ? nil : details)
        }
        return nil
    }

    private static func meaning(_ flag: Substring, _ details: LineText) -> (ReasonCode?, [Int], String)? {
        switch flag {
        case "UF":
            if details.contains("TLS_error") {
                return (.tlsHandshake, [26], "the TLS handshake with the upstream failed.")
            }
            if details.contains("timeout") { return (.connectTimeout, [19], "connecting to the upstream timed out.") }
            return (.connectRefused, [1, 19, 20], "connecting to the upstream failed.")
        case "UC": return (.connEndBeforeHead, [6, 7, 10], "the upstream closed the connection.")
        case "UR": return (.connReset, [7, 6], "the upstream reset the stream.")
        case "UH", "NH": return (.poolEmpty, [9], "no healthy upstream host.")
        case "UT": return (.responseTimeout, [28], "the upstream did not answer in time.")
        case "UO":
            return (
                .queueFull, [22, 28],
                "a circuit breaker was full (max_connections, max_pending_requests, max_requests)."
            )
        case "URX": return (.connReset, [1, 7], "the retry limit was reached; the attempts before it tell why.")
        case "UPE": return (.responseInvalid, [24, 25], "the upstream's answer broke the protocol.")
        case "DF": return (.dnsFailed, [5], "the upstream's name did not resolve.")
        case "OM": return (.localMemory, [22], "Envoy's overload manager turned the request away.")
        case "NR": return (nil, [], "no route matches the request: Envoy's own configuration, no upstream was asked.")
        case "NC": return (nil, [], "the route's cluster does not exist: Envoy's own configuration, no upstream was asked.")
        case "DPE": return (.clientGone, [], "the client broke the protocol; no fault of the upstream.")
        case "DC", "DR": return (.clientGone, [], "the client went away before the answer was complete; no fault of the upstream.")
        case "LH": return (.poolEmpty, [9], "the upstream's health check failed.")
        case "LR": return (.connReset, [7], "Envoy reset the connection itself.")
        case "RL", "RLSE": return (.requestLimited, [28], "a rate limit turned the request away.")
        default: return nil
        }
    }
}
