import Testing

@testable import Diagnosis

@Suite struct FilePatchTests {
    private static let text = (1...20).map { "line \($0)" }.joined(separator: "\n") + "\n"

    private func patch(_ changes: [UnifiedDiff.Change], file: String = "/etc/a.conf") throws -> FilePatch {
        let diff = try #require(UnifiedDiff.make(file: file, text: Self.text, changes: changes))
        return try #require(FilePatch(diff))
    }

    private func expected(_ change: (inout [String]) -> Void) -> String {
        var lines = Self.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        change(&lines)
        return lines.joined(separator: "\n")
    }

    @Test(arguments: [
        [UnifiedDiff.Change(line: 1, inserting: ["new"])], [.init(line: 20, inserting: ["new", "newer"])],
        [.init(line: 5, removing: 0, inserting: ["new"])], [.init(line: 21, removing: 0, inserting: ["at the end"])],
        [.init(line: 3, removing: 2, inserting: [])], [.init(line: 4, inserting: ["a"]), .init(line: 5, inserting: ["b"])],
        [.init(line: 2, inserting: ["a"]), .init(line: 18, removing: 0, inserting: ["b", "c"])],
    ])
    func `a diff does to the text what it was made for`(changes: [UnifiedDiff.Change]) throws {
        let patch = try patch(changes)
        #expect(patch.file == "/etc/a.conf")
        let after = FilePatch.apply([patch], to: Self.text)
        #expect(after == expected { lines in
            for change in changes.reversed() {
                lines.replaceSubrange((change.line - 1)..<(change.line - 1 + change.removing), with: change.inserting)
            }
        })
    }

    @Test func `several of one text go together, equal ones once`() throws {
        let first = try patch([.init(line: 3, inserting: ["three"])])
        let second = try patch([.init(line: 10, removing: 0, inserting: ["ten"])])
        #expect(FilePatch.apply([second, first, second], to: Self.text) == expected { $0[2] = "three"; $0.insert("ten", at: 9) })
    }

    @Test func `what does not fit is refused as a whole`() throws {
        let first = try patch([.init(line: 3, removing: 2, inserting: ["three"])])
        let other = try patch([.init(line: 4, inserting: ["four"])])
        #expect(FilePatch.apply([first, other], to: Self.text) == nil)
        #expect(FilePatch.apply([first], to: Self.text.replacing("line 4", with: "changed")) == nil)
        #expect(FilePatch.apply([first], to: "short\n") == nil)
        let tail = try patch([.init(line: 21, removing: 0, inserting: ["x"])])
        #expect(FilePatch.apply([tail], to: "short\n") == nil)
    }

    @Test(arguments: [1, 2, 10, 19, 20])
    func `an insertion whose surroundings have moved or changed is refused`(line: Int) throws {
        let patch = try patch([.init(line: line, removing: 0, inserting: ["new"])])
        #expect(FilePatch.apply([patch], to: Self.text) != nil)
        #expect(FilePatch.apply([patch], to: "another line\n" + Self.text) == nil)
        #expect(FilePatch.apply([patch], to: Self.text.replacing("line \(line)\n", with: "line \(line) changed\n")) == nil)
    }

    @Test(arguments: ["", "+worker_rlimit_nofile 65536;", "-    server a;\n+    server b;", "--- a/x\n+++ b/y\n@@ -1,1 +1,1 @@\n-a\n+b\n",
        "--- a/x\n+++ b/x\nnonsense", "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n same\n", "[Service]\nRestart=always"])
    func `hints are no patches`(text: String) { #expect(FilePatch(text) == nil) }
}
