import Foundation
import Testing
import TestKit

@Suite("The examples", .blocking)
struct Examples {
    private static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/examples"
    private static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?
        .filter { $0.hasSuffix(".conf") }.sorted() ?? []

    @Test("are good configurations", arguments: Examples.names)
    func good(_ name: String) throws {
        let text = try String(contentsOfFile: Examples.folder + "/" + name, encoding: .utf8)
        // What nginx cannot know is ours alone.
        if !Target.isGoodgate && text.contains("\napp ") { return }
        let copy = try TemporaryDirectory()
        try copy.write(name, text)
        try copy.write("errors/502.html", "x")
        try FileManager.default.createDirectory(atPath: copy.path + "/logs", withIntermediateDirectories: true)
        let result = try RunningProcess.run(
            GatewayProcess.binary, ["-t", "-p", copy.path + "/", "-c", name, "-e", "error.log", "-g", "pid \(copy.path)/x.pid;"])
        let isDuplicatePid = result.errors.contains("\"pid\" directive is duplicate")
        #expect(result.succeeded || isDuplicatePid, "\(result.errors)")
    }
}
