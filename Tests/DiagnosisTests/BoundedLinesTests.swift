import Testing

@testable import Diagnosis

@Suite struct BoundedLinesTests {
    @Test(arguments: [
        (["ab", "c\nde", "\r\n", "", "f"], ["abc", "de", "f"]), (["12345678901234567890\nx\n"], ["1234567890", "x"]),
        (["123456789", "0", "1", "\n", "\n"], ["1234567890", ""]), ([], []),
    ])
    func `lines are kept up to their bound`(pieces: [String], expected: [String]) {
        var lines = BoundedLines(max: 10), found: [String] = []
        for piece in pieces { lines.feed(Array(piece.utf8)) { found.append($0) } }
        lines.end { found.append($0) }
        #expect(found == expected)
    }
}
