import Config
import Pattern
import Testing
import Wire

@Suite struct PatternTests {
    private func view(_ text: String) -> ByteView { .immortal(Array(text.utf8)) }

    @Test func `groups are reported as places in the subject`() throws {
        let pattern = try Pattern("^/(?<user>[a-z]+)/(x)?(\\d+)$")
        #expect(pattern.captureCount == 3)
        #expect(pattern.names.map(\.name.string) == ["user"] && pattern.names.map(\.number) == [1])
        var captures = CaptureOffsets()
        let subject = view("/bob/42")
        #expect(pattern.match(subject, captures: &captures) == .match(count: 4))
        #expect(captures.count == 4)
        #expect(captures.view(0, subject) == subject)
        #expect(captures.view(1, subject) == "bob")
        #expect(captures[2] == nil && captures[9] == nil && captures[-1] == nil)
        #expect(captures.view(3, subject) == "42")
        #expect(pattern.match("/BOB/42", captures: &captures) == .noMatch)
        #expect(captures.count == 0)
    }

    @Test func `options and start`() throws {
        #expect(try Pattern("abc", options: .caseless).matches("xABCx") == .match(count: 1))
        #expect(try Pattern("^b$", options: .multiline).matches("a\nb\nc") == .match(count: 1))
        #expect(try Pattern("^b$").matches("a\nb\nc") == .noMatch)
        var captures = CaptureOffsets()
        #expect(try Pattern("a").match("aba", from: 1, captures: &captures) == .match(count: 1))
        #expect(captures[0] == ByteRange(offset: 2, length: 1))
        #expect(try Pattern("").matches("") == .match(count: 1))
        #expect(try Pattern("a").match("a", from: 2, captures: &captures) == .error(code: -33))
    }

    @Test func `bytes are bytes: no UTF unless asked for`() throws {
        #expect(try Pattern("^.$").matches(.immortal([0xff])) == .match(count: 1))
        #expect(try Pattern("^..$").matches(view("\u{e9}")) == .match(count: 1))
        #expect(try Pattern("(*UTF8)^.$").matches(view("\u{e9}")) == .match(count: 1))
        guard case .error = try Pattern("(*UTF8)x").matches(.immortal([0xff])) else { Issue.record("no error"); return }
    }

    @Test func `runaway patterns stop at the limit`() throws {
        let subject = view(String(repeating: "a", count: 40) + "b")
        #expect(try Pattern("^(a+)+$").matches(subject) == .limitExceeded)
        var limits = Pattern.Limits()
        limits.steps = 10
        #expect(try Pattern("^(a|aa)+$", limits: limits).matches(subject) == .limitExceeded)
        #expect(try Pattern("^a+b$", limits: limits).matches(subject) == .match(count: 1))
    }

    @Test func `errors say what and where`() {
        func check(_ text: String) -> Result<PatternInfo, PatternError> {
            PatternCompiler().check(pattern: Array(text.utf8), caseless: true)
        }
        #expect(check("a(b") == .failure(PatternError(message: "missing closing parenthesis", offset: 3)))
        #expect(throws: PatternError.self) { try check("[z-a]").get() }
        #expect(check("a(b)(?<name>c)") == .success(PatternInfo(captureCount: 2, captureNames: [.init(name: "name", index: 2)])))
        #expect(check("") == .success(PatternInfo()))
        #expect(throws: PatternError.self) { try Pattern("*") }
    }

    @Test func `a pattern is one pointer`() {
        #expect(MemoryLayout<Pattern>.size == 8)
    }
}
