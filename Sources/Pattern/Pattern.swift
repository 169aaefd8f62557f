internal import CPCRE2
package import Wire

/// A compiled regular expression (PCRE2, the dialect of nginx). Immortal: it belongs to configuration.
///
/// Matching allocates nothing; match data and JIT stack are made once per pattern, so a pattern is for one thread.
@safe
package struct Pattern: @unchecked Sendable {
    /// Number of capturing groups, without group 0.
    package let captureCount: Int
    /// Names of groups with their numbers, sorted by name.
    package let names: [(name: ByteView, number: Int)]

    package struct Options: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// `~*`
        package static let caseless = Options(rawValue: 1)
        package static let multiline = Options(rawValue: 2)
    }

    /// Why a pattern does not compile.
    package struct CompileError: Error, Equatable, Sendable {
        /// PCRE2's words.
        package var message: String
        /// Offset in the pattern, in bytes.
        package var offset: Int
    }

    /// Compiles.
    ///
    /// - Throws: `CompileError` if the pattern is not one.
    package init(_ pattern: ByteView, options: Options = []) throws(CompileError) {
        throw CompileError(message: "not built", offset: 0)
    }

    package enum MatchResult: Equatable, Sendable {
        /// - count: groups that took part, group 0 included (highest number + 1).
        case match(count: Int)
        case noMatch
        /// Too many steps: `limits`.
        case limitExceeded
        case error(code: Int32)
    }

    /// Matches once, unanchored.
    ///
    /// - Parameters:
    ///   - subject: any bytes.
    ///   - captures: filled on a match; keeps its memory.
    package func match(_ subject: ByteView, captures: inout CaptureOffsets) -> MatchResult { .noMatch }

    /// Whether a pattern compiles; for the configuration checker. Frees what it made.
    package static func check(_ pattern: ByteView, options: Options = []) -> CompileError? { nil }
}
