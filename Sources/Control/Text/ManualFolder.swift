import Foundation

/// Where `make install` has put the documents that verdicts name.
enum ManualFolder {
    /// With its final slash; "" when there is none, as in a checkout, where the names count from its folder.
    static let path: String = {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let share = program.deletingLastPathComponent().appendingPathComponent("../../share/goodgate").standardizedFileURL.path + "/"
        return FileManager.default.fileExists(atPath: share + "docs/verdicts") ? share : ""
    }()
}
