internal import Machine
internal import Messages

// What the control process found out about open incidents, on its way to the workers' pages.
extension Supervisor {
    /// Some location of the configuration in force has `verdict_to`.
    private var showsVerdicts: Bool { configurations[current]?.settings.showsVerdicts ?? false }

    /// The control process has news. It reads what applications write and may be in strange hands: what is more than it ever has to say is
    /// dropped, and so is what nobody is to see.
    func relay(_ news: VerdictNews) {
        guard showsVerdicts, verdictBudget.take(now: Milliseconds(clamping: System.now)) else { return }
        spread(news)
    }

    /// Who knew is gone, or nobody is to see it any more.
    func forgetVerdicts() {
        if !verdicts.rows.isEmpty { spread(.allClosed) }
    }

    /// The configuration in force changed.
    func configureVerdicts() {
        if !showsVerdicts { forgetVerdicts() }
    }

    /// Tells a worker what the others know.
    func tellVerdicts(to worker: WorkerProcess) {
        for headline in verdicts.rows { worker.send(.verdict(.headline(headline))) }
    }

    /// News for a worker that does not keep up are dropped: its pages then say what the worker itself saw.
    private func spread(_ news: VerdictNews) {
        verdicts.take(news)
        for worker in workers.values where !worker.isFarBehind {
            worker.send(.verdict(news))
            watch(worker)
        }
    }
}
