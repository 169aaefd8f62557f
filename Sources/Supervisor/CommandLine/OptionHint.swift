internal import Config

/// What a user probably meant who wrote an option that is none of ours.
enum OptionHint {
    private static let letters = ["t", "T", "q", "v", "V", "h", "s", "p", "e", "c", "g"]

    /// Long names that people try, and what does it here.
    private static let longNames = [
        ("help", "--help"), ("version", "--version"), ("test", "-t"), ("check", "goodgate check"), ("dump", "-T"), ("quiet", "-q"),
        ("signal", "-s"), ("reload", "-s reload"), ("stop", "-s stop"), ("quit", "-s quit"), ("reopen", "-s reopen"),
        ("prefix", "-p"), ("error-log", "-e"), ("config", "-c"), ("conf", "-c"), ("configuration", "-c"), ("file", "-c"),
        ("directives", "-g"), ("globals", "-g"), ("foreground", "goodgate run"), ("run", "goodgate run"), ("status", "goodgate status"),
    ]

    /// - Parameter letter: what stood after one `-`: mostly the right letter in the wrong case.
    static func text(letter: String) -> String {
        ending(letters.first { $0 != letter && $0.lowercased() == letter.lowercased() }.map { "-" + $0 })
    }

    /// - Parameter long: what stood after `--`; a value behind `=` does not count.
    static func text(long: String) -> String {
        let name = long.split(separator: "=", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let nearest = EditDistance.nearest(to: name, in: longNames.map(\.0))
        return ending(longNames.first { $0.0 == nearest }?.1)
    }

    /// - Parameter signal: what stood after `-s`.
    static func text(signal: String) -> String {
        let names = CommandLineOptions.Signal.allCases.map(\.rawValue)
        let nearest = EditDistance.nearest(to: signal, in: names)
        return nearest.map { "; did you mean \"-s \($0)\"?" } ?? "; it is \(names.joined(separator: ", "))"
    }

    private static func ending(_ suggestion: String?) -> String {
        suggestion.map { "; did you mean \"\($0)\"?" } ?? "; \"goodgate --help\" lists the options"
    }
}
