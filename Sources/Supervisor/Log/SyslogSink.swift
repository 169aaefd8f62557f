internal import Config
internal import CLinux
internal import Glibc

/// Sends the supervisor's own lines to a syslog server, in the form that nginx has. Never blocks; a line that cannot be sent is lost.
final class SyslogSink {
    private let settings: SyslogSettings
    private let address: NetworkAddress?
    private var socket: Descriptor?

    init(_ settings: SyslogSettings) {
        self.settings = settings
        if case .literal(let address) = settings.server { self.address = address } else { address = settings.resolved.first }
    }

    /// - Parameter line: without line end.
    func send(_ level: LogLevel, _ line: ArraySlice<UInt8>) {
        let packet = Array(head(severity: Int(max(1, level.rawValue)) - 1).utf8) + line.prefix(60_000)
        // An error may be that of an earlier datagram (ECONNREFUSED): once more with a new socket.
        for _ in 0..<2 {
            if socket == nil { socket = address.flatMap { try? System.datagramSocket(to: $0) } }
            guard let socket else { return }
            // SAFETY: the array lives during the call, and its length is told.
            if unsafe cs_send(socket.number, packet, packet.count, 0) >= 0 { return }
            self.socket = nil
        }
    }

    /// `<189>Nov 22 08:25:04 host nginx: `
    private func head(severity: Int) -> String {
        let host = settings.omitsHostName ? "" : System.hostName.lowercased() + " "
        return "<\(Int(settings.facility) * 8 + severity)>\(System.syslogTime) \(host)\(settings.tag): "
    }
}
