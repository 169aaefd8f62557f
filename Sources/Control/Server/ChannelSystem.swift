import CLinux
import Foundation
import Glibc

/// The system calls of the control process that neither Foundation nor NIO has.
enum ChannelSystem {
    /// What a packet brought. `.ended`: the other side is gone.
    enum Received: Sendable {
        case nothing, ended
        case packet([UInt8], descriptors: [Int32])
    }

    /// The next packet; waits for it if the socket is a blocking one.
    static func receive(from channel: Int32, capacity: Int) -> Received {
        var bytes = [UInt8](repeating: 0, count: capacity)
        var descriptors = [Int32](repeating: -1, count: Int(CS_DESCRIPTORS_MAX))
        var count = Int32(descriptors.count)
        // SAFETY: both arrays are as long as the call is told.
        let result = unsafe cs_receive_packet(channel, &bytes, capacity, &descriptors, &count)
        if result == -Int(EAGAIN) { return .nothing }
        // A packet that was cut is none of ours; the next one may be.
        if result == -Int(EMSGSIZE) { return receive(from: channel, capacity: capacity) }
        guard result > 0 else { return .ended }
        return .packet(Array(bytes.prefix(result)), descriptors: Array(descriptors.prefix(Int(count))))
    }

    /// Sends a packet.
    /// - Returns: 0, or EAGAIN when there is no room now, or why it cannot be sent.
    static func send(_ packet: [UInt8], over channel: Int32) -> Int32 {
        // SAFETY: the array lives during the call, and its length is told.
        let result = unsafe cs_send_packet(channel, packet, packet.count, nil, 0)
        return result < 0 ? Int32(-result) : 0
    }

    /// Who listens at a Unix-domain socket.
    /// - Returns: his process id (0: unknown), nil when nobody does.
    /// - Throws: when that cannot be found out.
    static func listener(at path: String) throws(ControlFailure) -> Int32? {
        var process: Int32 = 0
        let result = unsafe cs_probe_socket(path, &process)
        guard result >= 0 else { throw ControlFailure("control socket \"\(path)\" cannot be used: \(errorText(-result))") }
        return result == 1 ? process : nil
    }

    /// Keeps other control processes out of a directory while a socket in it is being made.
    static func lock(directory: String) throws(ControlFailure) -> Int32 {
        let result = unsafe cs_lock_directory(directory)
        guard result >= 0 else { throw ControlFailure("directory \"\(directory)\" cannot be locked: \(errorText(-result))") }
        return result
    }

    static func close(_ descriptor: Int32) { _ = cs_close(descriptor) }
    static func isOpen(_ descriptor: Int32) -> Bool { cs_is_open(descriptor) != 0 }
    static func setBlocking(_ descriptor: Int32) { _ = cs_set_nonblocking(descriptor, 0) }
    static func ignore(_ signals: [Int32]) { for number in signals { _ = Glibc.signal(number, SIG_IGN) } }
    /// Ends the process at once.
    static func exit(_ status: Int32) -> Never { cs_exit_now(status) }
    static var user: UInt32 { cs_effective_user() }
    static var process: Int32 { cs_process() }

    /// The words for an error number.
    static func errorText(_ number: Int32) -> String {
        // SAFETY: the text is a constant of the C library, copied at once.
        unsafe String(cString: cs_error_text(number))
    }
}

/// Something that keeps the control process from its work, in words for the error log.
struct ControlFailure: Error, Equatable {
    var message: String
    init(_ message: String) { self.message = message }
}
