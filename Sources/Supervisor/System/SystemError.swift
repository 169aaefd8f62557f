internal import CLinux

/// A system call that failed.
package struct SystemError: Error, Equatable, Sendable {
    /// errno, > 0.
    package var code: Int32

    package init(code: Int32) { self.code = code }

    /// nginx's form of an error number at the end of a message: `(98: Address already in use)`.
    package var text: String { "(\(code): \(System.errorText(code)))" }
}

/// The system calls of the supervisor with Swift types. Each function is one call; errors are thrown, interruptions are hidden.
enum System {
    static func errorText(_ code: Int32) -> String {
        // SAFETY: strerror gives a string that is valid until its next call; it is copied at once, and there is one thread.
        unsafe String(cString: cs_error_text(code))
    }

    /// Turns the wrappers' convention, a value >= 0 or -errno, into Swift's.
    @discardableResult
    static func check(_ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(code: -result) }
        return result
    }

    @discardableResult
    static func check(_ result: Int) throws(SystemError) -> Int {
        guard result >= 0 else { throw SystemError(code: Int32(truncatingIfNeeded: -result)) }
        return result
    }
}
