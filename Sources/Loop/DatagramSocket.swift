import CLinux
import Glibc

/// A connected socket for datagrams, UDP or unix. Nothing here blocks.
public enum DatagramSocket {
    /// - Returns: the descriptor or -errno.
    public static func connect(to address: SocketAddress) -> Int32 {
        let descriptor = cs_socket(address.family, Int32(SOCK_DGRAM.rawValue))
        guard descriptor >= 0 else { return descriptor }
        // SAFETY: the structure is at least `length` bytes long.
        let status = unsafe withUnsafeBytes(of: address.storage) { unsafe cs_connect(descriptor, $0.baseAddress!, address.length) }
        guard status < 0 else { return descriptor }
        _ = cs_close(descriptor)
        return status
    }
}
