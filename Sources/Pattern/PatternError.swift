/// Why a pattern does not compile.
package struct PatternError: Error, Equatable, Sendable {
    /// PCRE2's words, without the pattern.
    package var message: String
    /// Offset in the pattern, in bytes.
    package var offset: Int
}
