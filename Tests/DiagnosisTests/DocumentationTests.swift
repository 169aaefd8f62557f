import Foundation
import Machine
import Testing

@testable import Diagnosis

@Suite struct DocumentationTests {
    @Test(arguments: Rulebook.all.map(\.id))
    func `every rule has its page with all sections`(id: String) throws {
        let rule = try #require(Rulebook.rule(id))
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent(rule.page), encoding: .utf8)
        #expect(text.hasPrefix("# \(id): \(rule.title)\n"))
        for section in ["What you see", "Why", "How Goodgate knows", "Fix"] {
            #expect(text.contains("\n## \(section)\n"), "\(section)")
        }
        let codes = rule.reasons.sorted { $0.rawValue < $1.rawValue }.map { "\($0.name)" }.joined(separator: ", ")
        #expect(text.split(separator: "\n")[1] == "Reason codes: `\(codes)`")
    }
}
