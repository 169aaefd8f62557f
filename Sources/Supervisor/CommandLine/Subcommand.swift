internal import Config

/// The words that may stand where nginx has only options.
package enum Subcommand: Equatable, Sendable {
    /// `run`: supervise in the foreground; the rest are nginx's options.
    case run
    /// `version`: as `-v`, on standard output.
    case version
    /// Any other known name: `goodgate-control` does it.
    case control
    /// An unknown name, and what was probably meant.
    case unknown(suggestion: String?)

    /// Names that `goodgate-control` handles.
    package static let controlNames = [
        "check", "compatibility", "demo-app", "status", "app", "deploy", "rollback", "drain", "undrain", "upgrade", "init", "drill",
        "incidents", "why", "explain", "doctor", "help",
    ]

    /// What the first argument means, nil when it is an option (or there is none).
    package init?(_ word: String?) {
        guard let word, !word.hasPrefix("-") else { return nil }
        if word == "run" {
            self = .run
        } else if word == "version" {
            self = .version
        } else if Self.controlNames.contains(word) {
            self = .control
        } else {
            let signals = CommandLineOptions.Signal.allCases.map(\.rawValue)
            let nearest = EditDistance.nearest(to: word, in: ["run", "version"] + Self.controlNames + signals)
            self = .unknown(suggestion: nearest.map { signals.contains($0) ? "-s " + $0 : $0 })
        }
    }
}
