internal import CPCRE2
package import Config
package import Wire

/// A compiled regular expression (PCRE2, the dialect of nginx). One of a configuration is never freed; others by `destroy`.
///
/// A copy is one pointer. Matching allocates nothing: match data and JIT stack are made once, with the pattern. Because
/// they are used by each match, a pattern is for one thread.
@safe
package struct Pattern: @unchecked Sendable {
    private let storage: UnsafePointer<PatternStorage>

    package struct Options: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Letters match in any case (`~*`).
        package static var caseless: Options { Options(rawValue: 1) }
        /// "^" and "$" match at line ends too.
        package static var multiline: Options { Options(rawValue: 2) }
    }

    /// What a match may cost; beyond it the result is `limitExceeded`.
    package struct Limits: Sendable {
        /// Steps of backtracking.
        package var steps: UInt32 = 1_000_000
        /// Nested backtracking points (interpreter only).
        package var depth: UInt32 = 250_000
        /// Heap of one match in KiB (interpreter only).
        package var heapKiB: UInt32 = 4096

        package init() {}
    }

    /// Compiles, with the JIT compiler where the system has one.
    ///
    /// - Throws: `PatternError` if the pattern is not one.
    package init(
        _ pattern: ByteView, options: Options = [], limits: Limits = Limits()
    ) throws(PatternError) {
        let compiled = try unsafe PatternStorage(pattern, options, limits, usesJIT: true)
        // SAFETY: never written to again, and freed by `destroy` only.
        let memory = UnsafeMutablePointer<PatternStorage>.allocate(capacity: 1)
        unsafe memory.initialize(to: compiled)
        unsafe storage = UnsafePointer(memory)
    }

    /// Frees everything: no copy of this value is used again.
    package func destroy() {
        unsafe storage.pointee.free()
        // SAFETY: it was allocated by `init`.
        let memory = unsafe UnsafeMutablePointer(mutating: storage)
        unsafe memory.deinitialize(count: 1)
        unsafe memory.deallocate()
    }

    /// Number of capturing groups, without group 0.
    package var captureCount: Int { unsafe storage.pointee.captureCount }

    /// Named groups, sorted by name; a name may occur with several numbers.
    package var names: [(name: ByteView, number: Int)] { unsafe storage.pointee.names }

    package enum MatchResult: Equatable, Sendable {
        /// - count: the highest group that took part, plus 1.
        case match(count: Int)
        case noMatch
        /// Too many steps, see `Limits`.
        case limitExceeded
        /// PCRE2's number; only patterns with (*UTF) on invalid UTF-8, and bugs.
        case error(code: Int32)
    }

    /// Matches once, anywhere in the subject. Does not allocate, once `captures` has been used with this pattern.
    ///
    /// - Parameters:
    ///   - subject: any bytes, at most UInt32.max.
    ///   - start: where to begin; what is before it is seen by lookbehinds and "^".
    ///   - captures: the groups' places in the subject; emptied if there is no match.
    package func match(_ subject: ByteView, from start: Int = 0, captures: inout CaptureOffsets) -> MatchResult {
        captures.removeAll()
        let code = run(subject, start)
        guard code > 0 else { return Self.result(code) }
        // SAFETY: after a match the vector holds `code` pairs, which the match data own.
        let vector = unsafe pcre2_get_ovector_pointer_8(storage.pointee.matchData)!
        captures.fill(count: Int(code)) { index in
            unsafe (vector[2 * index], vector[2 * index + 1])
        }
        return .match(count: Int(code))
    }

    /// Matches once, without captures.
    package func matches(_ subject: ByteView) -> MatchResult {
        let code = run(subject, 0)
        return code > 0 ? .match(count: Int(code)) : Self.result(code)
    }

    private func run(_ subject: ByteView, _ start: Int) -> Int32 {
        guard start >= 0, start <= subject.count, subject.count <= Int(UInt32.max) else { return PCRE2_ERROR_BADOFFSET }
        let bytes = unsafe subject.rawBuffer
        // SAFETY: the subject outlives the call; code, match data and context live for ever.
        return unsafe pcre2_match_8(
            storage.pointee.code, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, start, 0,
            storage.pointee.matchData, storage.pointee.context)
    }

    private static func result(_ code: Int32) -> MatchResult {
        switch code {
        case PCRE2_ERROR_NOMATCH: .noMatch
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_JIT_STACKLIMIT:
            .limitExceeded
        default: .error(code: code)
        }
    }

    /// What groups a pattern has. Keeps nothing, and does without the JIT compiler, whose code nobody would run.
    package static func inspect(_ pattern: [UInt8], options: Options = []) throws(PatternError) -> PatternInfo {
        // SAFETY: PCRE2 copies what it needs of the pattern; the names are copied before the code is freed.
        try unsafe pattern.withUnsafeBufferPointer { (bytes) throws(PatternError) -> PatternInfo in
            let view = unsafe bytes.baseAddress.map { unsafe ByteView(start: $0, count: bytes.count) } ?? ByteView()
            let storage = try unsafe PatternStorage(view, options, Limits(), usesJIT: false)
            defer { unsafe storage.free() }
            let names = unsafe storage.names.map { PatternInfo.Name(name: $0.name.string, index: $0.number) }
            return unsafe PatternInfo(captureCount: storage.captureCount, captureNames: names)
        }
    }
}
