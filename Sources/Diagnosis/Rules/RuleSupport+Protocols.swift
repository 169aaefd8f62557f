/// What differs by the protocol that the proxy speaks to an upstream.
extension RuleSupport {
    /// The module whose directives count for an upstream: `proxy`, `fastcgi`, `uwsgi`, `scgi` or `grpc`.
    static func module(_ evidence: EvidenceSet) -> String {
        switch evidence.upstream.value?.scheme {
        case "fastcgi": "fastcgi"
        case "uwsgi", "suwsgi": "uwsgi"
        case "scgi": "scgi"
        case "grpc", "grpcs": "grpc"
        default: "proxy"
        }
    }

    /// Prints the head of an answer, and the body too if wanted, as the application itself sends it; nil when no usual program can.
    static func rawAnswer(_ failure: FailureCase, _ evidence: EvidenceSet, body: Bool) -> ShellCommand? {
        switch module(evidence) {
        case "proxy":
            let scheme = evidence.upstream.value?.scheme == "https" ? "https" : "http"
            let how: ShellCommand = body ? "curl -si --raw" : "curl -sD - -o /dev/null"
            guard let path = failure.peer?.path else { return "\(how) \(ShellCommand(words: ["\(scheme)://\(failure.peerText)/"]))" }
            return "\(how) --unix-socket \(path) \(ShellCommand(words: ["\(scheme)://localhost/"]))"
        case "fastcgi":
            let place = failure.peer?.path ?? failure.peerText
            return "REQUEST_METHOD=GET SCRIPT_FILENAME=/PATH/TO/index.php cgi-fcgi -bind -connect \(place)"
        default: return nil
        }
    }
}
