/// What all clients of the drill's load share: which fault is at work, and the results so far.
actor LoadAccount {
    private(set) var isOpen = true
    private var fault = 0
    private var serial = 0
    private var results: [LoadResult] = []
    /// Requests under way, by the fault they began in.
    private var underway: [Int: Int] = [:]

    /// Counts a request that begins now.
    func begin(isPost: Bool) -> LoadResult {
        serial += 1
        underway[fault, default: 0] += 1
        let now = ContinuousClock.now
        return LoadResult(id: "drill-\(serial)", isPost: isPost, fault: fault, began: now, ended: now, ending: .refused)
    }

    /// Takes its end.
    func end(_ begun: LoadResult, _ ending: LoadResult.Ending) {
        var result = begun
        result.ended = .now
        result.ending = ending
        underway[result.fault, default: 0] -= 1
        results.append(result)
    }

    /// What begins from now on belongs to this fault.
    func enter(fault: Int) { self.fault = fault }

    /// Requests that began in a fault and have not ended.
    func pending(fault: Int) -> Int { underway[fault] ?? 0 }

    /// The results of a fault; they are given away.
    func take(fault: Int) -> [LoadResult] {
        defer { results.removeAll { $0.fault == fault } }
        return results.filter { $0.fault == fault }
    }

    /// No new requests.
    func close() { isOpen = false }
}
