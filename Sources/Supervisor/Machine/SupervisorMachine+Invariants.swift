extension SupervisorMachine {
    /// What is always true between two events. Checked in debug builds and in the simulation.
    func checkInvariants() {
        assert(generations.count(where: \.isStarting) <= 1, "one generation starts at a time")
        assert(generations.count(where: { $0.phase == .serving }) <= 1, "one generation serves at a time")
        assert(zip(generations, generations.dropFirst()).allSatisfy { $0.number < $1.number }, "generations are in order")
        let alive = generations.flatMap { $0.workers.filter(\.isAlive) }
        let columns = alive.compactMap(\.column)
        assert(Set(columns).count == columns.count, "no column has two writers")
        assert(Set(alive.map(\.id)).count == alive.count, "no worker is counted twice")
        assert(!isEnding || generations.allSatisfy(\.isEnding), "nobody starts on the way out")
        let able = generations.filter { $0.number == current && !$0.isEnding }.flatMap { $0.workers.filter { $0.state == .ready } }
        assert(able.isEmpty ? checker == nil : able.contains { $0.id == checker }, "one worker that can runs the checks")
        assert(!newBinaryLives || !isLoading && !(hasServed && generations.contains(where: \.isStarting)), "no reload beside a new binary")
        for generation in generations where generation.phase == .serving && phase == .serving {
            let places = generation.workers.filter { !$0.isEnding }.map(\.place).sorted()
            assert(places == Array(0..<generation.plan.workerCount), "a serving generation has all its places")
        }
    }
}
