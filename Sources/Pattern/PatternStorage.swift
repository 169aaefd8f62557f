internal import CPCRE2
internal import Config
internal import Wire

/// The C objects of one pattern.
@unsafe
struct PatternStorage {
    let code: OpaquePointer
    let matchData: OpaquePointer
    let context: OpaquePointer
    /// Nil if the JIT compiler is not available, or not wanted.
    let jitStack: OpaquePointer?
    let captureCount: Int
    /// The names point into the code.
    let names: [(name: ByteView, number: Int)]

    init(_ pattern: ByteView, _ options: Pattern.Options, _ limits: Pattern.Limits, usesJIT: Bool) throws(PatternError) {
        var flags: UInt32 = 0
        if options.contains(.caseless) { flags |= UInt32(PCRE2_CASELESS) }
        if options.contains(.multiline) { flags |= UInt32(PCRE2_MULTILINE) }
        var error: Int32 = 0
        var offset = 0
        let bytes = unsafe pattern.rawBuffer
        // SAFETY: the pattern outlives the call; PCRE2 copies what it needs.
        guard
            let code = unsafe pcre2_compile_8(
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, flags, &error, &offset, nil)
        else { throw unsafe PatternError(message: Self.message(error), offset: offset) }
        guard let matchData = unsafe pcre2_match_data_create_from_pattern_8(code, nil),
            let context = unsafe pcre2_match_context_create_8(nil)
        else {
            unsafe pcre2_code_free_8(code)
            throw PatternError(message: "no memory", offset: 0)
        }
        // SAFETY: the three objects were just made and are not shared.
        unsafe pcre2_set_match_limit_8(context, limits.steps)
        unsafe pcre2_set_depth_limit_8(context, limits.depth)
        unsafe pcre2_set_heap_limit_8(context, limits.heapKiB)
        var stack: OpaquePointer?
        if usesJIT, unsafe pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE)) == 0 {
            unsafe stack = pcre2_jit_stack_create_8(32 * 1024, 1024 * 1024, nil)
            unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
        }
        unsafe self.code = code
        unsafe self.matchData = matchData
        unsafe self.context = context
        unsafe jitStack = stack
        unsafe captureCount = Int(Self.number(code, UInt32(PCRE2_INFO_CAPTURECOUNT)))
        unsafe names = Self.names(code)
    }

    /// Frees everything; the value must not be used again.
    func free() {
        // SAFETY: nothing else owns the objects.
        unsafe pcre2_jit_stack_free_8(jitStack)
        unsafe pcre2_match_context_free_8(context)
        unsafe pcre2_match_data_free_8(matchData)
        unsafe pcre2_code_free_8(code)
    }

    private static func number(_ code: OpaquePointer, _ what: UInt32) -> UInt32 {
        var value: UInt32 = 0
        // SAFETY: the items asked for are uint32_t.
        _ = unsafe pcre2_pattern_info_8(code, what, &value)
        return value
    }

    /// The table has entries of one size: the number in two bytes, then the name, ended by NUL.
    private static func names(_ code: OpaquePointer) -> [(name: ByteView, number: Int)] {
        let count = unsafe Int(number(code, UInt32(PCRE2_INFO_NAMECOUNT)))
        let size = unsafe Int(number(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE)))
        var table: UnsafePointer<UInt8>?
        // SAFETY: the item is a pointer to `count * size` bytes that live as long as the code.
        guard count > 0, unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table) == 0,
            let start = unsafe table
        else { return [] }
        return (0..<count).map { index in
            let entry = unsafe ByteView(start: start + index * size, count: size)
            let name = entry.dropFirst(2)
            return (name.prefix(name.firstIndex(of: 0) ?? name.count), Int(entry[0]) << 8 | Int(entry[1]))
        }
    }

    private static func message(_ code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        // SAFETY: PCRE2 writes at most the count it is given, and a NUL.
        let length = unsafe pcre2_get_error_message_8(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix(length > 0 ? Int(length) : 0), as: UTF8.self)
    }
}
