extension SupervisorMachine {
    /// Names the worker that runs the health checks: one ready worker of the generation that serves, and the same one as long as it is
    /// that. After each event, so that at no time two are named, and none is missing while one could be.
    mutating func nameChecker(in actions: inout [SupervisorAction]) {
        let able = generations.first { $0.number == current && !$0.isEnding }?.workers.filter { $0.state == .ready } ?? []
        if let checker, able.contains(where: { $0.id == checker }) { return }
        // Loading a configuration can take its time (names are resolved): the checks do not wait for it.
        var place = actions.firstIndex(of: .loadConfiguration) ?? actions.count
        if let checker, isAlive(checker) {
            actions.insert(.endChecks(checker), at: place)
            place += 1
        }
        checker = able.first?.id
        guard let checker else { return }
        checkTerm += 1
        actions.insert(.beginChecks(checker, term: checkTerm), at: place)
    }

    private func isAlive(_ id: WorkerID) -> Bool {
        generations.contains { $0.workers.contains { $0.id == id && $0.isAlive } }
    }
}
