/// Finds out from a source text whether a program reads its port from the environment, or has chosen one.
enum PortFinder {
    /// Words after which a number is a port.
    private static let marks = [
        "listen(", "port=", "port =", "port:", "port', ", "--port ", "--port=", "-p ", "localhost:", "127.0.0.1:", "0.0.0.0:",
        "\"\", ", "'', ", "\"127.0.0.1\", ", "'127.0.0.1', ", "\"0.0.0.0\", ", "'0.0.0.0', ", "\":", "port \\|\\| ",
    ]

    /// What stands before an address of its own.
    private static let ownSchemes = ["http", "https", "tcp", "ssl"]

    /// The port that a source chooses; nil when it reads $PORT, or none is found.
    static func fixedPort(in source: String) -> Int? {
        guard !readsPort(source) else { return nil }
        let text = source.lowercased()
        for mark in marks {
            var rest = text[...]
            while let range = rest.firstRange(of: mark) {
                let before = text[..<range.lowerBound]
                rest = rest[range.upperBound...]
                // A database, or a queue: it is dialled there.
                if before.hasSuffix("://") || before.hasSuffix("@"), !Self.ownSchemes.contains(where: { before.hasSuffix($0 + "://") }) {
                    continue
                }
                let digits = rest.prefix { $0.isNumber }
                if let port = Int(digits), (1024...65_535).contains(port) { return port }
            }
        }
        return nil
    }

    /// Whether it asks the environment.
    static func readsPort(_ source: String) -> Bool {
        ["env.PORT", "env['PORT']", "env[\"PORT\"]", "environ['PORT']", "environ[\"PORT\"]", "\"PORT\"", "'PORT'", "$PORT", "${PORT"]
            .contains { source.contains($0) }
    }
}
