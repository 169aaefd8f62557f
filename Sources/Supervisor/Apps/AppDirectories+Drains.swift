internal import Glibc
internal import Messages

// What is drained stays so when another supervisor takes over: somebody works there. A line each, fields as in the state of the apps.
extension AppDirectories {
    /// Writes the list; an empty one leaves no file.
    func save(drains: [ServerDrain]) throws(SystemError) {
        guard !drains.isEmpty else {
            do throws(SystemError) { try System.remove(drainFile) } catch where error.code == ENOENT {}
            return
        }
        try makeRoot()
        let text = drains.map { "\(AppState.escaped($0.upstream)) \(AppState.escaped($0.server))\n" }.joined()
        let temporary = drainFile + ".new"
        let file = try System.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try System.write(Array(text.utf8), to: file.number)
        try System.rename(temporary, to: drainFile)
    }

    /// What the supervisor before this one had; lines that make no sense are none.
    func loadDrains() -> [ServerDrain] {
        let bytes = (try? System.readFile(drainFile)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(AppState.unescaped)
            return fields.count == 2 ? ServerDrain(upstream: fields[0], server: fields[1], isDraining: true) : nil
        }
    }
}
