import Foundation

/// A folder with an application in it, as `goodgate init` looks at it. Reads only.
struct ProjectFolder {
    /// Full path, without a final slash.
    let path: String
    /// Names in it, sorted.
    let names: [String]
    /// Where programs are looked for, after the folder's own.
    let searchPath: [String]

    /// A file larger than this is nothing that a person wrote as a configuration.
    private static let sizeMax = 1 << 20

    /// - Parameters:
    ///   - path: full path.
    ///   - searchPath: directories of programs, as in PATH.
    init(_ path: String, searchPath: [String]) {
        self.path = path
        self.searchPath = searchPath
        names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    /// The text of a file, each line's end a mere LF; nil when there is none.
    func text(_ name: String) -> String? {
        let full = path + "/" + name
        guard let size = (try? FileManager.default.attributesOfItem(atPath: full))?[.size] as? Int, size <= Self.sizeMax,
            let data = FileManager.default.contents(atPath: full)
        else { return nil }
        return String(decoding: data, as: UTF8.self).replacing("\r\n", with: "\n")
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// Whether there is a file, and no folder, at a path: a full one, or one within the folder.
    func isFile(at name: String) -> Bool {
        let place = URL(fileURLWithPath: name.hasPrefix("/") ? name : path + "/" + name).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: place)
        return attributes.map { $0[.type] as? FileAttributeType == .typeRegular } ?? false
    }

    /// Names that end so.
    func names(endingIn suffix: String) -> [String] { names.filter { $0.hasSuffix(suffix) } }

    /// Full path of a program: of the folder's own environment (a virtual environment, node_modules), or of the system; nil: not installed.
    func program(_ name: String) -> String? {
        let own = [".venv/bin", "venv/bin", "env/bin", "node_modules/.bin"].map { path + "/" + $0 }
        return (own + searchPath).map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// As `program`, or a likely place when it is not installed.
    func programOrGuess(_ name: String) -> String { program(name) ?? "/usr/bin/" + name }

    /// Whether any of the usual lists of Python packages names one.
    func requires(python package: String) -> Bool {
        ["requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py"].contains { file in
            (text(file) ?? "").lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" }.contains(package[...])
        }
    }
}

extension ProjectFolder {
    /// Whether a name is an executable program of the machine itself (ELF), no library and no script.
    func isProgram(_ name: String) -> Bool {
        let full = path + "/" + name
        guard FileManager.default.isExecutableFile(atPath: full), !name.contains(".so"), let file = FileHandle(forReadingAtPath: full)
        else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 4)).flatMap { $0 } == Data([0x7F, 0x45, 0x4C, 0x46])
    }
}
