import Loop
import Wire

/// Log lines to syslog over UDP or a unix socket.
extension Ref where Value == Worker {
    func sendSyslog(_ line: ByteView, severity: UInt8, target: Int) {}
}

extension Ref where Value == Request {
    func sendAccessToSyslog(_ log: AccessLog) {}
    func writeToDynamicPath(_ log: AccessLog) {}
}
