internal import Config
internal import CLinux
internal import Glibc
internal import Machine

/// Addresses of instances: ports, listeners, socket paths.
extension AppSupervisor {
    /// What an instance gets.
    struct Place {
        /// nil: it listens nowhere.
        var address: NetworkAddress?
        var environment: AppEnvironment.Address
        /// Port to give back.
        var port: UInt16?
        /// The gateway's socket that becomes descriptor 3.
        var listener: Int32?
    }

    /// Finds the place of a new instance.
    func place(
        for key: InstanceKey, _ specification: AppSpecification, app: ManagedApp, account: AppAccount
    ) throws(Refusal) -> Place {
        switch specification.listen {
        case .port:
            guard let port = ports.take() else { throw Refusal(EADDRINUSE, "no port of \(ports.range) is free") }
            return Place(address: .ipv4(0x7F00_0001, port: port), environment: .port(port), port: port)
        case .descriptor: return try listener(for: key, app: app)
        case .unix: return try socketPath(for: key, app: app, account: account)
        case .nowhere: return Place(address: nil, environment: .none)
        case .fixed(let address):
            if let taken = owner(of: address) { throw Refusal(EADDRINUSE, "\(address.listenKey) is taken by \(taken)") }
            return Place(
                address: SocketTable.dialable(address),
                environment: address.port.map { .port($0) } ?? .none)
        }
    }

    /// Who listens at an address, in words; nil: nobody.
    private func owner(of address: NetworkAddress) -> String? {
        guard address.port != nil else { return nil }
        let verdict = SocketTable.read().verdict(expected: SocketTable.dialable(address), own: [])
        guard case .taken(let inode) = verdict else { return nil }
        return Self.describeOwner(ofSocket: inode)
    }

    /// `process 4711 (node)`.
    static func describeOwner(ofSocket inode: UInt64) -> String {
        guard let owner = ProcessFacts.owner(ofSocket: inode) else { return "a process that cannot be seen from here" }
        return "process \(owner.process) (\(owner.name))"
    }

    /// A listener of the slot that no instance has, or a new one.
    private func listener(for key: InstanceKey, app: ManagedApp) throws(Refusal) -> Place {
        if let index = app.listeners[key.slot]?.firstIndex(where: { $0.user == nil }), let free = app.listeners[key.slot]?[index] {
            app.listeners[key.slot]?[index].user = key
            return Place(address: free.address, environment: .port(free.port), listener: free.socket.number)
        }
        guard let port = ports.take() else { throw Refusal(EADDRINUSE, "no port of \(ports.range) is free") }
        let address = NetworkAddress.ipv4(0x7F00_0001, port: port)
        do throws(SystemError) {
            let socket = try System.streamSocket(for: address)
            try System.setOption(socket.number, level: SOL_SOCKET, name: SO_REUSEADDR, to: 1)
            try System.bind(socket.number, to: address)
            // The kernel lowers it to net.core.somaxconn.
            try System.listen(socket.number, backlog: 65_535)
            // Many apps expect a blocking listener; the gateway itself never reads it.
            _ = cs_set_nonblocking(socket.number, 0)
            app.listeners[key.slot, default: []].append(
                SlotListener(socket: socket, address: address, port: port, user: key))
            return Place(address: address, environment: .port(port), listener: socket.number)
        } catch {
            ports.release(port)
            throw Refusal(error.code, "its listener at \(address.listenKey) failed \(error.text)")
        }
    }

    /// A fresh path in the app's own directory, so that no file of a former instance is in the way.
    private func socketPath(for key: InstanceKey, app: ManagedApp, account: AppAccount) throws(Refusal) -> Place {
        let directory = directories.sockets + "/" + AppDirectories.fileName(app.name)
        do throws(SystemError) {
            if !System.exists(directory) { try System.makeDirectory(directory, mode: 0o711) }
            try System.changeMode(directory, to: 0o711)
            if let identity = account.identity {
                try System.changeOwner(directory, user: identity.user, group: identity.group)
            }
        } catch { throw Refusal(error.code, "directory \"\(directory)\" for its socket failed \(error.text)") }
        let path = directories.appSocket(app: app.name, key: key)
        try? System.remove(path)
        return Place(address: .unix(Array(path.utf8)), environment: .path(path))
    }

    /// Gives back what an instance had.
    func giveBack(place instance: AppInstance, app: ManagedApp) {
        if let port = instance.port { ports.release(port) }
        if case .unix(let path)? = instance.expected, String(decoding: path, as: UTF8.self).hasPrefix(directories.sockets) {
            try? System.remove(String(decoding: path, as: UTF8.self))
        }
        let slot = instance.key.slot
        for index in (app.listeners[slot] ?? []).indices where app.listeners[slot]?[index].user == instance.key {
            app.listeners[slot]?[index].user = nil
        }
        // During a roll a slot has two. The one whose instance went last may hold connections that wait: it is the one
        // to keep when no instance has any.
        let count = app.listeners[slot]?.count ?? 0
        if count > 1, !app.machine.isRolling {
            let isUsed = app.listeners[slot]?.contains { $0.user != nil } ?? false
            for index in (0..<count).reversed() where app.listeners[slot]?[index].user == nil {
                if let listener = app.listeners[slot]?[index], isUsed || index > 0 {
                    ports.release(listener.port)
                    app.listeners[slot]?.remove(at: index)
                }
            }
        }
    }
}
