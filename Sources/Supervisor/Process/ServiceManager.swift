internal import CLinux
internal import Config
internal import Glibc

/// The service manager that started this program (systemd, or another that speaks the protocol of sd_notify(3)).
struct ServiceManager {
    private let address: NetworkAddress?

    /// What can be said.
    enum News: Equatable {
        /// It serves. The process is the one to watch: after a binary upgrade that is another one.
        case ready(process: Int32, status: String)
        /// Another process is the one to watch.
        case mainProcess(Int32)
        /// A reload has begun, at this time of the monotonic clock.
        case reloading(microseconds: UInt64)
        /// The end has begun.
        case stopping(status: String)

        /// The datagram.
        var text: String {
            switch self {
            case .ready(let process, let status): "MAINPID=\(process)\nREADY=1\nSTATUS=\(Self.line(status))"
            case .mainProcess(let process): "MAINPID=\(process)"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)\nSTATUS=reading the configuration"
            case .stopping(let status): "STOPPING=1\nSTATUS=\(Self.line(status))"
            }
        }

        /// A status is one line: what follows a line end would be an order to the service manager.
        private static func line(_ text: String) -> String { String(text.prefix { $0 != "\n" && $0 != "\r\n" }) }
    }

    /// - Parameter socket: the content of NOTIFY_SOCKET: a path, or `@` and an abstract name. Anything else: nobody is told.
    init(socket: String?) {
        var bytes = Array((socket ?? "").utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        address = bytes.count > 1 && (bytes[0] == 0 || bytes[0] == UInt8(ascii: "/")) ? .unix(bytes) : nil
    }

    /// Tells it, if it listens. Whether it does is not our business: an error costs nothing.
    func tell(_ news: News) {
        guard let address, let socket = try? System.datagramSocket(to: address) else { return }
        try? System.send(Array(news.text.utf8), descriptors: [], over: socket.number)
    }
}
