import Foundation
import Machine

/// Lines that are one JSON object: Caddy, Traefik, journald, Envoy's JSON format.
enum JSONLogs {
    static func explain(_ line: LineText) -> Explanation? {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(line.bytes))) as? [String: Any] else {
            return nil
        }
        if object["__REALTIME_TIMESTAMP"] != nil || object["_TRANSPORT"] != nil, let text = object["MESSAGE"] as? String
        {
            return text.utf8.first == 123 ? nil : Explainer.explain(text)
        }
        // Docker's own file of what a container writes.
        if let text = object["log"] as? String, object["stream"] is String { return Explainer.explain(text) }
        if let flags = object["response_flags"] as? String {
            return EnvoyLog.explain(
                flags: flags, details: object["response_code_details"] as? String ?? "",
                peer: object["upstream_host"] as? String)
        }
        let logger = object["logger"] as? String ?? ""
        let origin: Explanation.Origin = logger.hasPrefix("http") || object["ts"] != nil ? .caddy : .go
        // The error alone does not say which of the two connections it was.
        if let text = object["msg"] as? String, text.hasPrefix("aborting with incomplete response"),
            let error = object["error"] as? String, let found = GoErrors.explain(LineText("\(text): \(error)"), origin: origin)
        {
            return found
        }
        for key in ["error", "err", "msg", "message", "err_trace"] {
            guard let text = object[key] as? String, !text.isEmpty,
                let found = GoErrors.explain(LineText(text), origin: origin)
            else { continue }
            return found
        }
        let status =
            (object["status"] as? NSNumber)?.intValue ?? (object["DownstreamStatus"] as? NSNumber)?.intValue ?? 0
        guard (502...504).contains(status) else { return nil }
        return Explanation(
            origin, rules: ["P30"], reason: .unknown, "Status \(status), and the line does not say why.",
            checks: ["the proxy's own log at level debug, at that time", "the application's log"])
    }
}
