/// How a variable's bytes are written into a log line (`log_format … escape=`).
package enum LogEscape: UInt8, Sendable {
    /// `"`, `\`, bytes below 0x20 and from 0x7f on as `\xHH`, upper case.
    case `default`
    /// The inside of a JSON string.
    case json
    /// As they are.
    case none

    /// Appends the escaped bytes; false if they do not fit (at most six times as many).
    @discardableResult
    package func write(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool { false }
}
