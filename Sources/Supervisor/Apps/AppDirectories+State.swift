internal import Glibc

// The state of the apps: a file for the next supervisor, which a reboot may take away, and one for the time after it.
extension AppDirectories {
    /// Reads the state.
    ///
    /// - Parameter isExpected: Instances run, so there was one.
    /// - Returns: nil when there is no usable one.
    func load(isExpected: Bool, warn: (String) -> Void) -> AppState? {
        let (state, trouble) = Self.read(stateFile)
        if let state { return state }
        if let trouble { warn("state file \"\(stateFile)\" \(trouble)") }
        if let lastingFile {
            let (state, trouble) = Self.read(lastingFile)
            if let state { return state }
            if let trouble { warn("state file \"\(lastingFile)\" \(trouble)") }
        }
        if trouble != nil || isExpected {
            let missing = trouble == nil ? "state file \"\(stateFile)\" is missing: " : ""
            warn(missing + "releases and scale of the apps are taken from the configuration")
        }
        return nil
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
