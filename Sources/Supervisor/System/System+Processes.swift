internal import CLinux
internal import Glibc

extension System {
    static var process: Int32 { cs_process() }
    static var parentProcess: Int32 { cs_parent_process() }
    static var isRoot: Bool { cs_effective_user() == 0 }
    static var effectiveUser: UInt32 { cs_effective_user() }
    static var effectiveGroup: UInt32 { cs_effective_group() }
    /// Milliseconds of the monotonic clock.
    static var now: UInt64 { cs_monotonic_ns() / 1_000_000 }
    /// Nanoseconds of the wall clock since 1970.
    static var wallClock: UInt64 { cs_realtime_ns() }

    static func sleep(milliseconds: Int32) { cs_sleep_ms(milliseconds) }
    static func kill(_ process: Int32, signal: Int32) throws(SystemError) { try check(cs_kill(process, signal)) }

    /// Readable when a process has ended, which need not be a child.
    static func endOfProcess(_ process: Int32) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check(cs_process_descriptor(process)))
    }

    /// An environment variable.
    static func environment(_ name: String) -> String? {
        // SAFETY: the string belongs to the environment and is copied at once.
        unsafe cs_getenv(name).map { unsafe String(cString: $0) }
    }

    /// Every environment variable as `NAME=VALUE`.
    static var environment: [String] {
        var list: [String] = []
        // SAFETY: the environment is an array of C strings that ends with a null pointer; nobody changes it meanwhile.
        guard var entry = unsafe cs_environment() else { return [] }
        while let text = unsafe entry.pointee {
            unsafe list.append(String(cString: text))
            unsafe entry += 1
        }
        return list
    }

    static func removeFromEnvironment(_ name: String) { _ = unsafe cs_unsetenv(name) }

    /// The descriptor that the program which started this one left open and named in the environment; nil: there is none.
    static func inheritedDescriptor(named name: String) -> Descriptor? {
        guard let number = environment(name).flatMap({ Int32($0) }) else { return nil }
        removeFromEnvironment(name)
        guard number > 2, cs_is_open(number) != 0 else { return nil }
        _ = cs_set_cloexec(number, 1)
        return Descriptor(owning: number)
    }

    /// What a child gets (see `cs_spawn`).
    struct Program {
        /// The executable, opened with O_PATH, so that an upgrade of the file does not change what is started; nil: by path only.
        var executable: Descriptor?
        var path: String
        var arguments: [String]
        var environment: [String]
        var directory: String?
        /// Becomes descriptor 3.
        var channel: Descriptor?
        /// Stay open under their own numbers; not together with `channel`.
        var inherited: [Int32] = []
        var descriptorsMax: Int?
        var coreBytesMax: Int?
    }

    /// Forks and executes.
    /// - Returns: the process id.
    /// - Throws: when anything up to and including exec failed.
    static func spawn(_ program: Program) throws(SystemError) -> Int32 {
        let result = unsafe withCStrings(program.arguments) { arguments in
            unsafe withCStrings(program.environment) { environment in
                unsafe program.path.withCString { path in
                    unsafe withOptionalCString(program.directory) { directory in
                        unsafe program.inherited.withUnsafeBufferPointer { inherited in
                            // SAFETY: every pointer lives until the closure returns, and cs_spawn keeps none.
                            var what = unsafe cs_spawn()
                            unsafe what.executable = program.executable?.number ?? -1
                            unsafe what.path = path
                            unsafe what.arguments = arguments
                            unsafe what.environment = environment
                            unsafe what.directory = directory
                            unsafe what.channel = program.channel?.number ?? -1
                            unsafe what.inherited = inherited.baseAddress
                            unsafe what.inherited_count = Int32(inherited.count)
                            unsafe what.descriptors_max = Int64(program.descriptorsMax ?? -1)
                            unsafe what.core_bytes_max = Int64(program.coreBytesMax ?? -1)
                            return unsafe cs_spawn(&what)
                        }
                    }
                }
            }
        }
        return try check(result)
    }

    /// Replaces this process.
    /// - Returns: only when it failed.
    static func execute(_ path: String, arguments: [String]) -> SystemError {
        let result = unsafe withCStrings(arguments) { unsafe cs_exec(path, $0) }
        return SystemError(code: -result)
    }

    /// Detaches from the terminal and the parent: forks, and ends the parent's side by `parent`.
    /// - Returns: in the child only.
    static func fork(parent: (_ child: Int32) -> Never) throws(SystemError) {
        let child = try check(cs_fork())
        if child != 0 { parent(child) }
        try check(cs_setsid())
    }

    /// Closes what the starter left open: a daemon must not keep the pipes of a shell or a test alive.
    static func closeInherited() { cs_close_inherited() }

    struct Ended {
        var process: Int32
        var end: WorkerEnd
        var hasDumpedCore: Bool
    }

    /// Collects one ended child, if there is one.
    static func reap() -> Ended? {
        var out = cs_exit()
        guard unsafe cs_reap(&out) == 1 else { return nil }
        return Ended(
            process: out.process, end: out.exited != 0 ? .code(out.code) : .signal(out.signal), hasDumpedCore: out.core_dumped != 0)
    }

    /// Makes room for the descriptors of many apps; children get the limit that this process was started with.
    static func raiseDescriptorsMax() { _ = cs_raise_descriptors_max() }
    /// How many descriptors this process may have.
    static var descriptorsMax: Int { max(0, Int(cs_descriptors_max())) }
    /// How many it may ask for.
    static var descriptorsHardMax: Int { max(0, Int(cs_descriptors_hard_max())) }

    /// The processors that this process may use.
    static var processorCount: Int { Int(cs_processor_count()) }
    static var pageSize: Int { Int(cs_page_size()) }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        let capacity = buffer.count
        // SAFETY: at most `capacity` bytes are written, the last one zero.
        guard unsafe cs_host_name(&buffer, capacity) >= 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Local time as the error log writes it.
    static var logTime: String {
        var buffer = [CChar](repeating: 0, count: 20)
        // SAFETY: the function writes 20 bytes, the last one zero.
        unsafe cs_log_time(&buffer)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Local time as syslog lines have it: `Nov 22 08:25:04`, the day padded with a space.
    static var syslogTime: String {
        let text = Array(logTime.utf8)
        guard text.count >= 19 else { return "Jan  1 00:00:00" }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = (Int(text[5]) - 0x30) * 10 + Int(text[6]) - 0x30
        let day = text[8] == 0x30 ? [0x20, text[9]] : [text[8], text[9]]
        let name = months.indices.contains(month - 1) ? months[month - 1] : months[0]
        return name + " " + String(decoding: day + text[10..<19], as: UTF8.self)
    }

    /// Copies the arguments and the environment out of the way of `setTitle`.
    static func prepareTitle() { cs_title_prepare() }
    /// What ps shows.
    static func setTitle(_ title: String) { unsafe cs_title_set(title) }

    private static func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }

    /// An array of C strings that ends with a null pointer, for the time of a call.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        // SAFETY: strdup's copies are freed after the call; the array holds them with a null pointer at its end.
        var pointers = unsafe strings.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { for unsafe pointer in unsafe pointers { unsafe free(pointer) } }
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }
}

extension System {
    /// A pipe: its reading and its writing end.
    static func pipe() throws(SystemError) -> (reader: Descriptor, writer: Descriptor) {
        var numbers: [Int32] = [-1, -1]
        try check(unsafe cs_pipe(&numbers, 0))
        return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
    }

    /// Ends this process when the other side of a pipe has written a byte (status 0) or is gone (status 1).
    static func endAfterWord(from reader: Descriptor, closing writer: Descriptor) -> Never {
        _ = cs_close(writer.number)
        var byte: UInt8 = 0
        // SAFETY: one byte of room.
        let count = unsafe cs_read(reader.number, &byte, 1)
        cs_exit_now(count == 1 ? 0 : 1)
    }
}
