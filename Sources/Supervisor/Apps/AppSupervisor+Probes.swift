internal import Config
internal import CLinux
internal import Glibc
internal import Machine

/// Finding out where an instance listens, that it is itself who listens there, and how much it uses.
extension AppSupervisor {
    /// A wrong place is believed after this time: an app may open a second port first.
    private static let elsewhereTime: Duration = .seconds(1)

    /// Somebody else at the right place is believed after this time.
    private static let takenTime: Duration = .milliseconds(200)

    func beginProbe(_ instance: AppInstance, app: ManagedApp) {
        guard instance.probe == .idle else { return }
        if app.specification(of: instance.release).listen == .nowhere {
            instance.probe = .confirmed
            pending.append((app.name, instance.key, .portAccepts))
            return
        }
        instance.probe = .waiting(nextAt: host.now, attempts: 0, elsewhereSince: nil)
    }

    func endProbe(_ instance: AppInstance, app: ManagedApp) {
        instance.probe = .idle
        instance.knock = nil
        if instance.healthCheck != nil {
            instance.healthCheck = nil
            host.endHealthCheck(app: app.name, instance: instance.key)
        }
    }

    /// Looks once.
    func probe(_ instance: AppInstance, app: ManagedApp) {
        guard case .waiting(_, let attempts, let elsewhereSince) = instance.probe else { return }
        guard let expected = instance.expected else { return probeAnywhere(instance, app: app, attempts: attempts, since: elsewhereSince) }
        var since = elsewhereSince
        switch look(instance, at: expected, app: app, attempts: attempts) {
        case .expected: return confirm(instance, at: SocketTable.dialable(expected), app: app)
        case .elsewhere(let address):
            since = since ?? host.now
            if host.now - (since ?? host.now) >= Self.elsewhereTime {
                tellElsewhere(instance, expected, address, app)
                return confirm(instance, at: address, app: app)
            }
        case .taken(let inode):
            if instance.taken?.socket != inode { instance.taken = (inode, host.now) }
            // The socket of one that is just ending is nobody's for a moment.
            if !instance.hasToldTaken, host.now - (instance.taken?.since ?? host.now) >= Self.takenTime {
                instance.hasToldTaken = true
                notice(app, instance, "\(expected.listenKey), where it should listen, is taken by "
                    + Self.describeOwner(ofSocket: inode), .error)
            }
        case .notYet: since = nil
        case nil: break
        }
        // Quick for half a minute, because requests may be parked; then less so, because some apps take minutes. Where many start at
        // once each has to wait longer, so that looking takes no more than a part of the time.
        // Whoever else listens there is not to be bothered.
        let pause: Duration = instance.hasToldTaken ? .milliseconds(250) : attempts < 3000 ? .milliseconds(10) : .milliseconds(50)
        instance.probe = .waiting(nextAt: host.now + pause + probeCrowd, attempts: attempts + 1, elsewhereSince: since)
    }

    /// One that was taken over from a supervisor of an older version, without the state file: it is where it listens for a while. Its first
    /// port may be its debugger's.
    private func probeAnywhere(_ instance: AppInstance, app: ManagedApp, attempts: Int, since: Duration?) {
        let address = instance.state.flatMap { listeningPlace(of: $0) }
        let since = address == nil ? nil : since ?? host.now
        guard let address, let since, host.now - since >= Self.elsewhereTime else {
            instance.probe = .waiting(nextAt: host.now + .milliseconds(100), attempts: attempts + 1, elsewhereSince: since)
            return
        }
        if let port = address.port {
            ports.reserve(port)
            instance.port = port
        }
        confirm(instance, at: address, app: app)
    }

    /// A quarter of a millisecond for each instance that is starting.
    private var probeCrowd: Duration {
        let count = apps.values.reduce(0) { sum, app in
            sum + app.instances.values.count { if case .waiting = $0.probe { true } else { false } }
        }
        return .microseconds(250 * (count - 1))
    }

    /// - Returns: nil: not where it should be, and other places were not looked at this time.
    private func look(
        _ instance: AppInstance, at expected: NetworkAddress, app: ManagedApp, attempts: Int
    ) -> SocketTable.Verdict? {
        if case .unix(let path) = expected { return lookAtPath(String(decoding: path, as: UTF8.self), instance, app) }
        if case .descriptor = app.specification(of: instance.release).listen { return knock(instance, at: expected, app: app) }
        // Where it should not be is looked at less often: that costs more, and is not urgent.
        let isFull = attempts % 10 == 9
        guard isFull || !Self.isRefused(expected) else { return nil }
        let table = sockets.recent()
        var verdict = table.verdict(expected: expected, own: ProcessFacts.socketInodes(of: instance.process))
        if verdict != .expected {
            // Perhaps a process that it started.
            let family = processTree.recent().family(app: instance.process, keeper: instance.state?.keeperProcess ?? -1)
            let inodes = family.reduce(into: Set<UInt64>()) { $0.formUnion(ProcessFacts.socketInodes(of: $1)) }
            verdict = table.verdict(expected: expected, own: inodes)
        }
        // An IPv6 wildcard may be for IPv6 only, which /proc does not tell.
        if verdict == .expected, Self.isRefused(expected), let port = expected.port {
            let other = NetworkAddress.ipv6(high: 0, low: 1, port: port)
            return Self.isRefused(other) ? .notYet : .elsewhere(other)
        }
        return verdict
    }

    /// A socket file: it listens when a connect is not refused; then the workers must be able to connect, too.
    ///
    /// The folder is the app's: whatever stands at the path, now or a moment later, may lead to a socket of somebody else, which this
    /// process could open to everybody. So it is held, judged, and named by its descriptor from then on.
    private func lookAtPath(_ path: String, _ instance: AppInstance, _ app: ManagedApp) -> SocketTable.Verdict {
        guard let entry = try? System.openEntry(path), let facts = try? System.facts(of: entry) else { return .notYet }
        if let reason = instance.objection(to: facts) {
            if !instance.hasToldTaken { notice(app, instance, "\"\(path)\" \(reason): it is not used", .error) }
            instance.hasToldTaken = true
            return .notYet
        }
        let held = "/proc/self/fd/\(entry.number)"
        guard !Self.isRefused(.unix(Array(held.utf8))) else { return .notYet }
        try? System.changeMode(held, to: 0o666)
        return .expected
    }

    /// `listen fd`: the socket listens before the app does. A connection of ours that does not wait in the queue any
    /// more shows that the app accepts; with a check, the check shows it.
    private func knock(_ instance: AppInstance, at expected: NetworkAddress, app: ManagedApp) -> SocketTable.Verdict {
        if app.specification(of: instance.release).health != nil || instance.saidReady { return .expected }
        if instance.knock != nil { return SocketTable.read().waiting(at: expected) == 0 ? .expected : .notYet }
        instance.knock = Self.connected(to: expected)
        return .notYet
    }

    /// The instance serves at this address: check it, or take it for ready.
    private func confirm(_ instance: AppInstance, at address: NetworkAddress, app: ManagedApp) {
        instance.probe = .confirmed
        instance.knock = nil
        instance.address = address
        followHealth(of: instance, app: app, isReady: false)
        if instance.saidReady { pending.append((app.name, instance.key, .notified(.ready))) }
        pending.append((app.name, instance.key, .portAccepts))
        changed()
    }

    /// Begins, changes or ends the checks of an instance, as its block says now.
    func followHealth(of instance: AppInstance, app: ManagedApp, isReady: Bool) {
        guard instance.probe == .confirmed, let address = instance.address else { return }
        let health = app.specification(of: instance.release).health
        guard health != instance.healthCheck else { return }
        instance.healthCheck = health
        if let health {
            host.beginHealthCheck(app: app.name, instance: instance.key, address: address, health, isReady: isReady)
        } else {
            host.endHealthCheck(app: app.name, instance: instance.key)
            // What waited for its first pass is ready without.
            pending.append((app.name, instance.key, .portAccepts))
        }
    }

    private func tellElsewhere(
        _ instance: AppInstance, _ expected: NetworkAddress, _ address: NetworkAddress, _ app: ManagedApp
    ) {
        let hint = address.port == expected.port ? "" : "; it seems to ignore $PORT"
        notice(app, instance, "listens at \(address.listenKey) instead of \(expected.listenKey) and is dialled there\(hint)",
               .warning)
    }

    func notice(_ app: ManagedApp, _ instance: AppInstance, _ text: String, _ level: LogLevel) {
        host.notice(app: app.name, text: "app \(app.name).\(instance.key.slot)#\(instance.key.serial): \(text)", level: level)
    }

    // MARK: - Connecting

    /// A connection that was begun; on the loopback it is decided at once.
    private static func connected(to address: NetworkAddress) -> Descriptor? {
        guard let socket = try? System.streamSocket(for: address) else { return nil }
        return (try? System.connect(socket.number, to: address)) == nil ? nil : socket
    }

    /// Whether nobody listens at the address.
    static func isRefused(_ address: NetworkAddress) -> Bool {
        guard let socket = try? System.streamSocket(for: address) else { return false }
        do throws(SystemError) {
            try System.connect(socket.number, to: address)
        } catch {
            // At a path there may be a socket of another type, or none; a full queue is one that listens.
            if case .unix = address { return error.code != EAGAIN }
            return error.code == ECONNREFUSED
        }
        return cs_socket_error(socket.number) == ECONNREFUSED
    }

    // MARK: - Memory

    /// Compares each instance's memory with `memory_recycle`, and with `memory_max` where no cgroup enforces it.
    func sampleMemory() {
        sampleAt = nil
        for app in apps.values {
            guard app.watchesMemory else { continue }
            // A stopped one may be started at any time.
            sampleAt = host.now + Self.sampleInterval
            guard app.machine.isRunning else { continue }
            for instance in app.instances.values where instance.process > 0 && !instance.isEmptied {
                sample(instance, app: app)
            }
        }
    }

    private func sample(_ instance: AppInstance, app: ManagedApp) {
        let specification = app.specification(of: instance.release)
        let used = CgroupTree.memoryUsed(in: instance.cgroups)
            ?? ProcessFacts.residentBytes(
                of: processTree.recent().family(app: instance.process, keeper: instance.state?.keeperProcess ?? -1))
        if let limit = specification.memoryMax, !instance.isLimited, used > limit {
            pending.append((app.name, instance.key, .memoryExceeded))
        } else if let mark = specification.memoryRecycle, used > mark, !app.machine.isRolling {
            let slot = instance.key.slot
            var answer = AppMachine.Answer.refused
            act(app) { machine, now, actions in answer = machine.recycle(slot: slot, now: now, actions: &actions) }
            guard answer == .accepted else { return }
            notice(app, instance, "uses \(used >> 20) MB, more than memory_recycle: it is replaced", .notice)
        }
    }
}
