internal import Config
internal import Machine

// Why an instance did not get ready: the machine knows only that it did not.
extension AppSupervisor {
    /// What was waited for in vain, in words; nil: nothing is known.
    func reasonUnready(of instance: AppInstance, _ app: ManagedApp) -> String? {
        let listen = app.specification(of: instance.release).listen
        switch instance.probe {
        case .idle: return nil
        case .confirmed: return instance.healthCheck.map { "its check \($0.uri): \(whyUnproven(by: $0.passes, instance))" }
        case .waiting where listen == .descriptor && !instance.saidReady:
            return "it accepts no connection from the socket that it was given"
        case .waiting: return whereItListens(instance)
        }
    }

    /// Only failures are told, so those that passed may be some.
    private func whyUnproven(by passes: Int, _ instance: AppInstance) -> String {
        guard passes > 1 else { return instance.complaint ?? "no answer has come yet" }
        let rule = "it must pass \(passes) times in a row"
        return instance.complaint.map { "\(rule); when it failed last, \($0)" } ?? "\(rule), and has not yet (none has failed)"
    }

    private func whereItListens(_ instance: AppInstance) -> String {
        let said = instance.saidReady ? "it said READY=1, but " : ""
        guard let expected = instance.expected else { return said + "it listens nowhere" }
        let place = SocketTable.dialable(expected).listenKey
        let family = ProcessFacts.family(app: instance.process, keeper: instance.state?.keeperProcess ?? -1)
        let inodes = family.reduce(into: Set<UInt64>()) { $0.formUnion(ProcessFacts.socketInodes(of: $1)) }
        let table = SocketTable.read()
        let verdict = table.verdict(expected: expected, own: inodes)
        switch verdict {
        case .taken: return said + "another process listens at \(place)"
        case .expected: return said + "its port does not accept connections at \(place)"
        case .elsewhere(let address): return said + "it listens at \(address.listenKey), not at \(place)"
        case .notYet: break
        }
        // At the right path too, if what is there cannot be used: that was told.
        let path = SocketTable.unixPaths(of: inodes).first
        let found = path.map { "it listens at unix:\($0)" } ?? "it listens nowhere"
        return path.map { "unix:" + $0 } == place ? said + found : said + found + ", expected at \(place)"
    }
}
