internal import Glibc

// The state of the apps: a file for the next supervisor, which a reboot may take away, and one for the time after it.
extension AppDirectories {
    /// A usable file, and where it is.
    struct SavedState {
        let path: String
        let state: AppState
    }

    /// Reads the state.
    ///
    /// - Parameter isExpected: Instances run, so there was one.
    /// - Returns: The usable files, the newer one first: one that could not be written, or was put back, is the older.
    func load(isExpected: Bool, warn: (String) -> Void) -> [SavedState] {
        var usable: [SavedState] = []
        var isDamaged = false
        for path in [stateFile] + (lastingFile.map { [$0] } ?? []) {
            let (state, trouble) = Self.read(path)
            if let state { usable.append(SavedState(path: path, state: state)) }
            guard let trouble else { continue }
            warn("state file \"\(path)\" \(trouble)")
            isDamaged = isDamaged || path == stateFile
        }
        if usable.count == 2, usable[1].state.save > usable[0].state.save {
            usable.reverse()
            warn("state file \"\(stateFile)\" is older than \"\(usable[0].path)\", which is used: it could not be written, or was put back")
        }
        if usable.first?.path != stateFile, isDamaged || isExpected, usable.count < 2 {
            let missing = isDamaged ? "" : "state file \"\(stateFile)\" is missing: "
            let source = usable.first.map { "\"\($0.path)\"" } ?? "the configuration"
            warn(missing + "releases and scale of the apps are taken from \(source)")
        }
        return usable
    }

    /// - Returns: nil, and why; nil for both when there is no file.
    private static func read(_ path: String) -> (AppState?, trouble: String?) {
        do throws(SystemError) {
            let bytes = try System.readFile(path)
            do throws(AppState.Damage) {
                return (try AppState(decoding: bytes), nil)
            } catch { return (nil, "is damaged (\(error))") }
        } catch { return (nil, error.code == ENOENT ? nil : "cannot be read \(error.text)") }
    }

    /// Writes the state so that a crash leaves either the old file or the new one.
    func save(_ state: AppState) throws(SystemError) { try Self.write(state.encoded, to: stateFile, in: root) }

    /// Writes what has to last; without anything of that kind there is no file.
    func saveLasting(_ state: AppState) throws(SystemError) {
        guard let lasting, let lastingFile else { return }
        guard !state.apps.isEmpty else {
            do throws(SystemError) {
                try System.remove(lastingFile)
                _ = System.removeDirectory(lasting)
            } catch where [ENOENT, ENOTDIR, EACCES].contains(error.code) {}
            return
        }
        try Self.make(lasting, mode: 0o700)
        try Self.write(state.encoded, to: lastingFile, in: lasting)
    }

    private static func write(_ bytes: [UInt8], to path: String, in folder: String) throws(SystemError) {
        let temporary = path + ".new"
        let file = try System.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try System.write(bytes, to: file.number)
        if fsync(file.number) < 0 { throw SystemError(code: Glibc.errno) }
        try System.rename(temporary, to: path)
        let directory = try System.open(folder, flags: O_RDONLY)
        _ = fsync(directory.number)
    }
}
