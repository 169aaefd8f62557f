import Testing
import TestKit

@Suite("The tree", .blocking)
struct TidyTests {
    @Test("has no style finding")
    func tidy() throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let result = try RunningProcess.run(root + "/Scripts/tidy", [], directory: root, seconds: 60)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }
}
