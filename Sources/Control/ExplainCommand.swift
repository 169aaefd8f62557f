import ArgumentParser
import Diagnosis
import Foundation

/// `goodgate explain`: lines of error logs from standard input, each explained.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain error-log lines of nginx, HAProxy, Caddy, Envoy, systemd, the kernel … read from standard input.")

    @Flag(help: "Print one JSON object per line that was recognised.")
    var json = false

    @Flag(help: "Print each line that was not recognised, too.")
    var all = false

    func run() throws {
        var recognised = 0, lines = BoundedLines(max: 16_384)
        let encoder = APICoding.encoder
        var key: SecretMask.OpenKey?
        func take(_ line: String) throws {
            let shown = TextEscape.terminal(SecretMask.mask(line, in: &key))
            guard let explanation = Explainer.explain(line) else {
                if all { print(shown + "\n  not recognised\n") }
                return
            }
            recognised += 1
            if json {
                print(String(decoding: try encoder.encode(explanation), as: UTF8.self))
            } else {
                print(shown)
                print(ExplanationText.render(explanation))
            }
        }
        // What has come, as it comes: the input may be a log that is being written.
        while case let piece = FileHandle.standardInput.availableData, !piece.isEmpty { try lines.feed(piece, each: take) }
        try lines.end(each: take)
        if recognised == 0 {
            FileHandle.standardError.write(Data("goodgate explain: no line was recognised\n".utf8))
            throw ExitCode(1)
        }
    }
}
