extension ConfigurationReader {
    /// Gathers the `listen`s of all servers by address, with nginx's checks across servers.
    func buildListeners() {
        var indices: [NetworkAddress: Int] = [:]
        var protocols: [Int: ProtocolHistory] = [:]
        var servers: [[Int]] = []
        for server in http.servers.indices {
            for listen in http.servers[server].listens {
                guard let index = indices[listen.address] else {
                    indices[listen.address] = http.listeners.count
                    var listener = ListenerSettings(
                        address: listen.address, defaultServer: server, location: listen.location)
                    listener.socket = listen.socket
                    listener.acceptsProxyProtocol = listen.acceptsProxyProtocol
                    listener.hasDefaultServer = listen.isDefaultServer
                    http.listeners.append(listener)
                    servers.append([server])
                    continue
                }
                servers[index].append(server)
                merge(listen, of: server, into: index, &protocols[index, default: ProtocolHistory()])
            }
        }
        for index in http.listeners.indices {
            buildHosts(of: index, servers: servers[index])
        }
        assignSockets()
    }

    /// What nginx remembers to warn of servers that differ in `proxy_protocol` on one address.
    private struct ProtocolHistory {
        var previous = false
        var isSet = false
        var isChanged = false
    }

    private func merge(
        _ listen: ListenSettings, of server: Int, into index: Int, _ history: inout ProtocolHistory
    ) {
        let text = listen.address.text
        let wasExplicit = http.listeners[index].socket.isExplicit
        let before = http.listeners[index].acceptsProxyProtocol
        if listen.socket.isExplicit {
            if wasExplicit {
                report("duplicate listen options for \(text)", at: listen.location, directive: "listen")
                return
            }
            http.listeners[index].socket = listen.socket
        }
        if listen.isDefaultServer {
            if http.listeners[index].hasDefaultServer {
                report("a duplicate default server for \(text)", at: listen.location, directive: "listen")
                return
            }
            http.listeners[index].hasDefaultServer = true
            http.listeners[index].defaultServer = server
        }
        let now = listen.acceptsProxyProtocol
        let isRedefined: Bool
        if now, !before {
            isRedefined = wasExplicit && !listen.socket.isExplicit || history.isChanged
            history = ProtocolHistory(previous: before, isSet: true, isChanged: true)
        } else if before, !now {
            isRedefined = listen.socket.isExplicit || history.isSet && now != history.previous
            history = ProtocolHistory(previous: now, isSet: true, isChanged: true)
        } else {
            isRedefined = listen.socket.isExplicit && history.isChanged || history.isSet && now != history.previous
            history = ProtocolHistory(previous: now, isSet: true, isChanged: history.isChanged)
        }
        if isRedefined {
            diagnostics.append(
                Diagnostic(
                    .warning, "protocol options redefined for \(text)", at: listen.location, directive: "listen"))
        }
        http.listeners[index].acceptsProxyProtocol = before || now
    }

    /// The name tables of one address; like nginx, a sole server is not checked for conflicts.
    private func buildHosts(of index: Int, servers: [Int]) {
        let text = http.listeners[index].address.text
        for server in servers {
            let settings = http.servers[server]
            for name in settings.names {
                guard let key = name.text else {
                    if case .pattern(let id) = name { http.listeners[index].hosts.patterns.append((id, server)) }
                    continue
                }
                let insertion = http.listeners[index].hosts.names.add(key, server)
                guard insertion != .added, servers.count > 1 else { continue }
                let shown = String(decoding: key, as: UTF8.self)
                let isInvalid = insertion == .invalid
                let message = isInvalid
                    ? "invalid server name or wildcard \"\(shown)\" on \(text)"
                    : "conflicting server name \"\(shown)\" on \(text), ignored"
                diagnostics.append(
                    Diagnostic(
                        isInvalid ? .emergency : .warning, message, at: settings.location, directive: "server_name"))
            }
        }
    }

    /// A wildcard address of a port takes the connections of the port's other addresses, unless these `bind` themselves.
    private func assignSockets() {
        var wildcards: [UInt32: Int] = [:]
        for (index, listener) in http.listeners.enumerated() where listener.address.isWildcard {
            wildcards[Self.portKey(listener.address)] = index
        }
        for index in http.listeners.indices {
            let listener = http.listeners[index]
            guard let wildcard = wildcards[Self.portKey(listener.address)], wildcard != index,
                !listener.socket.bindsSeparately
            else { continue }
            http.listeners[index].arrivesAt = wildcard
        }
    }

    /// Family and port in one number; Unix-domain addresses have no wildcard.
    private static func portKey(_ address: NetworkAddress) -> UInt32 {
        switch address {
        case .ipv4(_, let port): 0x4_0000 | UInt32(port)
        case .ipv6(_, _, let port): 0x6_0000 | UInt32(port)
        case .unix: 0
        }
    }
}
