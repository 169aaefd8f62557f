import CLinux
import Glibc
public import Wire

/// Calls on a socket descriptor. Each returns a value >= 0, or -errno; none blocks.
public enum Socket {
    /// `-EAGAIN`: nothing to read, or no room to write; wait for the next event.
    @inlinable public static var wouldBlock: Int { -11 } // EAGAIN on every Linux

    /// What a connecting socket is to have before it connects.
    public struct ConnectOptions {
        /// The kernel asks an idle peer whether it is still there (SO_KEEPALIVE).
        public var probesIdlePeer = false
        /// Bytes of the kernel's buffers; 0: its own choice.
        public var receiveBuffer = 0
        public var sendBuffer = 0
        /// The local address may be foreign (IP_TRANSPARENT).
        public var isTransparent = false

        public init() {}

        fileprivate func set(on descriptor: Int32) {
            if probesIdlePeer { _ = cs_set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1) }
            if receiveBuffer > 0 { _ = cs_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(clamping: receiveBuffer)) }
            if sendBuffer > 0 { _ = cs_set_option(descriptor, SOL_SOCKET, SO_SNDBUF, Int32(clamping: sendBuffer)) }
        }
    }

    /// The calls that `connect` makes.
    public enum ConnectStep { case socket, bind, connect }

    /// Opens a non-blocking stream socket and starts connecting.
    /// - Returns: the descriptor, the last call that was made, and what it said: 0 if connected at once, else -errno
    ///   (-EINPROGRESS of connect while it goes on).
    public static func connect(
        to address: SocketAddress, from local: SocketAddress?, options: ConnectOptions = ConnectOptions()
    ) -> (descriptor: Int32, step: ConnectStep, status: Int32) {
        let descriptor = cs_socket(address.family, Int32(SOCK_STREAM.rawValue))
        guard descriptor >= 0 else { return (descriptor, .socket, descriptor) }
        options.set(on: descriptor)
        if let local {
            if options.isTransparent {
                let isIPv4 = local.family == AF_INET
                _ = cs_set_option(descriptor, isIPv4 ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6), isIPv4 ? IP_TRANSPARENT_ : IPV6_TRANSPARENT_, 1)
            }
            _ = cs_set_option(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT_, 1)
            let bound = unsafe withUnsafeBytes(of: local.storage) { unsafe cs_bind(descriptor, $0.baseAddress!, local.length) }
            if bound < 0 { return (descriptor, .bind, bound) }
        }
        let status = unsafe withUnsafeBytes(of: address.storage) { unsafe cs_connect(descriptor, $0.baseAddress!, address.length) }
        return (descriptor, .connect, status)
    }

    /// Accepts one connection. Returns the descriptor or -errno.
    public static func accept(_ descriptor: Int32, address: inout SocketAddress) -> Int32 {
        unsafe cs_accept(descriptor, &address.storage, &address.length)
    }

    public static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        var address = SocketAddress()
        return unsafe cs_local_address(descriptor, &address.storage, &address.length) == 0 ? address : nil
    }

    /// Sends bytes.
    /// - Parameter more: more follows at once (MSG_MORE).
    @inline(__always)
    public static func send(_ descriptor: Int32, _ bytes: ByteView, more: Bool = false) -> Int {
        unsafe cs_send(descriptor, bytes.rawBuffer.baseAddress!, bytes.count, more ? 1 : 0)
    }

    /// Looks whether an idle connection was closed or has unasked-for data: 0 closed, > 0 data, -EAGAIN still idle.
    public static func peek(_ descriptor: Int32) -> Int {
        var byte: UInt8 = 0
        return unsafe cs_recv_peek(descriptor, &byte, 1)
    }

    public static func setBlocking(_ descriptor: Int32, _ on: Bool) { _ = cs_set_nonblocking(descriptor, on ? 0 : 1) }
    public static func close(_ descriptor: Int32) { _ = cs_close(descriptor) }
    public static func shutdownWrite(_ descriptor: Int32) { _ = cs_shutdown_write(descriptor) }
    /// Bytes written to a TCP socket that the other side's kernel has not acknowledged, or -errno. Also known after a reset.
    public static func unacknowledged(_ descriptor: Int32) -> Int { Int(cs_unacknowledged(descriptor)) }
    /// What the kernel knows of a TCP connection (TCP_INFO); nil for other sockets.
    public static func tcpInfo(_ descriptor: Int32) -> TCPInfo? {
        var values: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        // SAFETY: the call writes four values.
        let code = unsafe withUnsafeMutableBytes(of: &values) {
            unsafe cs_tcp_info(descriptor, $0.baseAddress!.assumingMemoryBound(to: UInt32.self))
        }
        guard code == 0 else { return nil }
        return TCPInfo(roundTripTime: values.0, roundTripVariation: values.1, sendWindow: values.2, receiveSpace: values.3)
    }
    /// The pending error of a socket (SO_ERROR), as a positive errno, 0 if none.
    public static func error(_ descriptor: Int32) -> Int32 { cs_socket_error(descriptor) }
    public static func setNoDelay(_ descriptor: Int32, _ on: Bool) { _ = cs_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, on ? 1 : 0) }
    /// close() will send RST and drop what is queued (nginx: reset_timedout_connection).
    public static func resetOnClose(_ descriptor: Int32) { _ = cs_set_linger_reset(descriptor) }

    /// The text of an errno as nginx prints it.
    public static func errorText(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// Linux's number; glibc's header that has it cannot be imported beside netinet/in.h.
private let IP_BIND_ADDRESS_NO_PORT_: Int32 = 24
private let IP_TRANSPARENT_: Int32 = 19
private let IPV6_TRANSPARENT_: Int32 = 75
