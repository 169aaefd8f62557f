internal import Config
internal import CLinux
internal import Glibc

extension ListenerTable {
    /// How often binding is tried while an address is in use, and the pause between, in milliseconds.
    private static let attempts = 5
    private static let pauseTime: Int32 = 500

    /// Opens what a configuration listens on.
    ///
    /// Sockets of `old` with the same address are taken over, so that no connection is refused; the others are bound. An address in use is
    /// tried again for two seconds, as nginx does; under `-t` it is no error.
    /// - Parameters:
    ///   - workerCount: number of sockets of a `reuseport` listener.
    ///   - isTest: `-t`: everything is closed again, and nothing that runs is disturbed.
    ///   - pause: waits so many milliseconds.
    static func open(
        _ listens: [ProcessSettings.Listen], reusing old: ListenerTable, workerCount: Int, isTest: Bool, log: ErrorLog,
        pause: (Int32) -> Void = System.sleep
    ) throws(PreparationError) -> ListenerTable {
        var made: [String: [Descriptor]] = [:]
        var isComplete = false
        defer {
            // What was bound for a table that never comes to be must not stay behind as a file.
            if !isComplete || isTest {
                for listen in listens where made[listen.key] != nil && old[listen.key] == nil {
                    if case .unix(let path) = listen.address { try? System.remove(String(decoding: path, as: UTF8.self)) }
                }
            }
        }
        for attempt in 1...attempts {
            var isBlocked = false
            for listen in listens where made[listen.key] == nil {
                if let sockets = try open(listen, reusing: old[listen.key], workerCount: workerCount, isTest: isTest, log: log) {
                    made[listen.key] = sockets
                } else if !isTest {
                    isBlocked = true
                }
            }
            if !isBlocked { break }
            guard attempt < attempts else {
                tellHolders(of: listens.filter { made[$0.key] == nil }, log: log)
                log.write(.emergency, "still could not bind()")
                throw PreparationError()
            }
            log.write(.notice, "try again to bind() after \(pauseTime)ms")
            pause(pauseTime)
        }
        isComplete = true
        var table = ListenerTable()
        for listen in listens {
            guard let sockets = made[listen.key] else { continue }
            configure(sockets, by: listen.options, key: listen.key, log: log)
            table.add(
                Listener(key: listen.key, address: listen.address, sockets: sockets, isInherited: old[listen.key]?.isInherited ?? false))
        }
        return table
    }

    /// Says which processes have the addresses that could not be had.
    private static func tellHolders(of listens: [ProcessSettings.Listen], log: ErrorLog) {
        let table = SocketTable.read()
        for listen in listens {
            guard let port = listen.address.port, let row = table.rows.first(where: { $0.local.port == port }) else { continue }
            log.write(.emergency, "\(listen.key) is in use by \(AppSupervisor.describeOwner(ofSocket: row.inode))")
        }
    }

    /// The sockets of one address; nil when it is in use.
    private static func open(
        _ listen: ProcessSettings.Listen, reusing old: Listener?, workerCount: Int, isTest: Bool, log: ErrorLog
    ) throws(PreparationError) -> [Descriptor]? {
        var sockets = old?.sockets ?? []
        let isShared = listen.options.isReusePort && !isTest && listen.address.port != nil
        let wanted = isShared ? workerCount : 1
        if isShared, sockets.count < wanted {
            // A socket that was alone has to agree to company before the others can be bound.
            for socket in sockets { try? System.setOption(socket.number, level: SOL_SOCKET, name: SO_REUSEPORT, to: 1) }
        }
        while sockets.count < wanted {
            guard let socket = try bind(listen, isShared: isShared, isTest: isTest, log: log) else { return nil }
            sockets.append(socket)
        }
        // Surplus sockets stay: connections may wait in them. The workers share them.
        return sockets
    }

    private static func bind(
        _ listen: ProcessSettings.Listen, isShared: Bool, isTest: Bool, log: ErrorLog
    ) throws(PreparationError) -> Descriptor? {
        var call = "socket() \(listen.key)"
        do throws(SystemError) {
            let socket = try System.streamSocket(for: listen.address)
            call = "setsockopt(SO_REUSEADDR) \(listen.key)"
            try System.setOption(socket.number, level: SOL_SOCKET, name: SO_REUSEADDR, to: 1)
            if isShared {
                call = "setsockopt(SO_REUSEPORT) \(listen.key)"
                try System.setOption(socket.number, level: SOL_SOCKET, name: SO_REUSEPORT, to: 1)
            }
            if case .ipv6 = listen.address {
                call = "setsockopt(IPV6_V6ONLY) \(listen.key)"
                try System.setOption(
                    socket.number, level: Int32(IPPROTO_IPV6), name: IPV6_V6ONLY, to: listen.options.isIPv6Only ? 1 : 0)
            }
            call = "bind() to \(listen.key)"
            try System.bind(socket.number, to: listen.address)
            if case .unix(let path) = listen.address {
                call = "chmod() \"\(listen.key.dropFirst(5))\""
                try System.changeMode(String(decoding: path, as: UTF8.self), to: 0o666)
            }
            call = "listen() to \(listen.key), backlog \(listen.options.backlog)"
            try System.listen(socket.number, backlog: listen.options.backlog)
            return socket
        } catch {
            let isInUse = error.code == EADDRINUSE
            if !isInUse || !isTest { log.write(.emergency, "\(call) failed", error) }
            guard isInUse else { throw PreparationError() }
            return nil
        }
    }

    /// Sets what may change from one configuration to the next. What the system refuses is told and left.
    private static func configure(_ sockets: [Descriptor], by options: ListenSettings.SocketOptions, key: String, log: ErrorLog) {
        for socket in sockets {
            func set(_ name: String, level: Int32, _ option: Int32, _ value: Int?) {
                guard let value else { return }
                do throws(SystemError) {
                    try System.setOption(socket.number, level: level, name: option, to: value)
                } catch {
                    log.write(.alert, "setsockopt(\(name), \(value)) \(key) failed, ignored", error)
                }
            }
            let isStream = !key.hasPrefix("unix:")
            set("SO_RCVBUF", level: SOL_SOCKET, SO_RCVBUF, options.receiveBuffer)
            set("SO_SNDBUF", level: SOL_SOCKET, SO_SNDBUF, options.sendBuffer)
            try? System.listen(socket.number, backlog: options.backlog)
            guard isStream else { continue }
            // Accepted sockets have it from their listener: no call for each connection.
            set("TCP_NODELAY", level: Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            switch options.keepalive {
            case .system: break
            case .off: set("SO_KEEPALIVE", level: SOL_SOCKET, SO_KEEPALIVE, 0)
            case .on(let idle, let interval, let count):
                set("SO_KEEPALIVE", level: SOL_SOCKET, SO_KEEPALIVE, 1)
                set("TCP_KEEPIDLE", level: Int32(IPPROTO_TCP), TCP_KEEPIDLE, idle)
                set("TCP_KEEPINTVL", level: Int32(IPPROTO_TCP), TCP_KEEPINTVL, interval)
                set("TCP_KEEPCNT", level: Int32(IPPROTO_TCP), TCP_KEEPCNT, count)
            }
            set("TCP_FASTOPEN", level: Int32(IPPROTO_TCP), TCP_FASTOPEN, options.fastOpenQueue)
            let isDeferred = ((try? System.option(socket.number, level: Int32(IPPROTO_TCP), name: TCP_DEFER_ACCEPT)) ?? 0) > 0
            if isDeferred != options.isDeferred {
                set("TCP_DEFER_ACCEPT", level: Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, options.isDeferred ? 1 : 0)
            }
        }
    }
}
