import Config
import Loop
import Wire

/// One syslog server that lines go to, by datagrams over UDP or a unix socket (RFC 3164 form, as nginx writes it).
struct SyslogTarget: ~Copyable {
    let settings: SyslogSettings
    let address: SocketAddress?
    /// Host name in lower case and tag, with the space and colon around them.
    let label: ByteView
    /// -1: to be opened with the next line.
    var descriptor: Int32 = -1
    /// Lines that could not be sent, and when it was last said.
    var lostCount: UInt64 = 0
    var complainedAt: UInt64 = 0

    /// - Parameter hostName: of this machine.
    init(_ settings: SyslogSettings, hostName: String) {
        self.settings = settings
        if case .literal(let address) = settings.server { self.address = SocketAddress(address) } else {
            address = settings.resolved.first.flatMap { SocketAddress($0) }
        }
        let host = settings.omitsHostName ? "" : hostName.lowercased() + " "
        label = ByteView.immortal(Array("\(host)\(settings.tag): ".utf8))
    }
}

extension Ref where Value == Worker {
    /// Sends a line. A server that does not listen costs the line, and is told of in the other error logs once a minute.
    /// - Parameters:
    ///   - severity: 0...7.
    ///   - body: appends the message.
    func sendSyslog(severity: UInt8, target index: Int, _ body: (Ref<Buffer>) -> Void) {
        let target = value.log.syslogs[index]
        guard let address = target.value.address else { return }
        let packet = value.pool.value.take(4096)
        defer { value.pool.value.give(packet) }
        packet.append(0x3c)
        packet.append(decimal: UInt64(target.value.settings.facility) * 8 + UInt64(severity))
        packet.append(0x3e)
        packet.append(syslogTime)
        packet.append(0x20)
        packet.append(target.value.label)
        body(packet)
        // The largest datagram; a longer line is cut.
        let bytes = packet.view.prefix(65_000)
        var failure = 0
        for _ in 0..<2 {
            if target.value.descriptor < 0 { target.value.descriptor = DatagramSocket.connect(to: address) }
            guard target.value.descriptor >= 0 else {
                failure = Int(target.value.descriptor)
                target.value.descriptor = -1
                break
            }
            failure = Socket.send(target.value.descriptor, bytes)
            if failure >= 0 { return }
            // No room: the line is lost, the socket is good.
            if failure == Socket.wouldBlock { break }
            // The error may be that of an earlier datagram (ECONNREFUSED): once more with a new socket.
            Socket.close(target.value.descriptor)
            target.value.descriptor = -1
        }
        complain(target, errno: Int32(-failure))
    }

    private func complain(_ target: Ref<SyslogTarget>, errno code: Int32) {
        target.value.lostCount += 1
        guard target.value.complainedAt == 0 || now >= target.value.complainedAt + 60_000 else { return }
        target.value.complainedAt = max(1, now)
        guard logs(.error) else { return }
        let others = value.log.errorLogs.withoutSyslog
        write(.error, "send() failed, \(target.value.lostCount) lines lost", code, 0, to: others) { line in
            line.append(" while logging to syslog")
        }
    }

    /// `Nov 22 09:57:59`, local time, the day padded with a space.
    private var syslogTime: ByteView {
        let second = value.loop.wallClock / 1000
        if second != value.log.syslogSecond {
            value.log.syslogSecond = second
            value.log.syslogTime.clear()
            LocalTime.append(second, format: "%b %e %H:%M:%S", isUTC: false, to: value.log.syslogTime)
        }
        return value.log.syslogTime.view
    }
}

extension FixedList where Element == ErrorLogTarget {
    /// The logs that are no syslog.
    var withoutSyslog: FixedList<ErrorLogTarget> {
        var others: [ErrorLogTarget] = []
        for index in indices {
            if case .syslog = self[index].sink { continue }
            others.append(self[index])
        }
        return FixedList(others)
    }
}

extension Ref where Value == Request {
    func sendAccessToSyslog(_ log: AccessLog) {
        let severity = worker.value.log.syslogs[Int(log.syslog)].value.settings.severity
        worker.sendSyslog(severity: severity, target: Int(log.syslog)) { appendLine(log, to: $0) }
    }
}
