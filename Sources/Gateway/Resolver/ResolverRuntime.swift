import Config
import Loop
import Machine
import Wire

/// One `resolver` of the configuration: the machine that decides whom to ask, and the sockets it asks over. Immortal.
struct ResolverRuntime: ~Copyable {
    let settings: ResolverSettings
    /// As the machine numbers them.
    let servers: [SocketAddress]
    var machine: NameResolver
    /// By number of a query, its sockets, the newest last.
    var conversations: [[ResolverConversationRef]] = []

    /// Sockets that one query may have: when it opens another, the oldest goes.
    static var conversationsMax: Int { 4 }
}

extension Ref where Value == ResolverRuntime {
    /// Looks a name up.
    /// - Parameter waiter: the request, or the server of an upstream, that gets the outcome if it is not known yet.
    func lookUp(_ name: DNSName, waiter: Token, timeout: UInt64, _ worker: WorkerRef) -> ResolverLookUp {
        var random = SystemRandomNumberGenerator()
        let found = value.machine.lookUp(
            name, waiter: waiter.rawValue, timeout: Machine.Milliseconds(clamping: timeout), now: now(worker),
            random: &random)
        if found == .waits { act(worker) }
        return found
    }

    /// A message, of `count` bytes from the start of a buffer, came for a query.
    func receive(_ bytes: ByteView, query: Int, _ worker: WorkerRef) {
        var random = SystemRandomNumberGenerator()
        value.machine.receive(bytes, query: query, now: now(worker), random: &random)
        act(worker)
    }

    private func broken(query: Int, _ worker: WorkerRef) {
        var random = SystemRandomNumberGenerator()
        value.machine.broken(query: query, now: now(worker), random: &random)
        act(worker)
    }

    func timerFired(query: Int, _ worker: WorkerRef) {
        var random = SystemRandomNumberGenerator()
        value.machine.timerFired(query: query, now: now(worker), random: &random)
        act(worker)
    }

    private func now(_ worker: WorkerRef) -> Machine.Milliseconds { Machine.Milliseconds(worker.now) }

    /// Does what the machine wants.
    private func act(_ worker: WorkerRef) {
        while let action = value.machine.takeAction() {
            switch action {
            case .ask(let query, let server, let usesStream, let messages, let until):
                let conversation = begin(query, until: until, worker)
                if conversation?.open(to: value.servers[server], usesStream, messages, worker) != true {
                    if let conversation { drop(conversation) }
                    // Another server may be reachable; when none is, the machine waits, which ends this loop.
                    var random = SystemRandomNumberGenerator()
                    value.machine.broken(query: query, now: now(worker), random: &random)
                }
            case .wait(let query, let until): _ = begin(query, until: until, worker)
            case .finish(let query, let waiters, let outcome):
                close(query)
                for waiter in waiters { worker.nameResolved(Token(rawValue: waiter), outcome) }
            }
        }
    }

    /// A conversation that has the query's timer and no socket yet; nil if there are too many.
    private func begin(_ query: Int, until: Machine.Milliseconds, _ worker: WorkerRef) -> ResolverConversationRef? {
        while value.conversations.count <= query { value.conversations.append([]) }
        for earlier in value.conversations[query] { earlier.stopTimer() }
        if value.conversations[query].count >= ResolverRuntime.conversationsMax {
            value.conversations[query].removeFirst().close()
        }
        guard let conversation = worker.value.resolverConversations.take() else { return nil }
        conversation.begin(self, query, until: UInt64(until), worker)
        value.conversations[query].append(conversation)
        return conversation
    }

    private func drop(_ conversation: ResolverConversationRef) {
        value.conversations[conversation.value.query].removeAll { $0 == conversation }
        conversation.close()
    }

    private func close(_ query: Int) {
        guard query < value.conversations.count else { return }
        let open = value.conversations[query]
        value.conversations[query] = []
        for conversation in open { conversation.close() }
    }

    /// The socket broke: the machine decides what next.
    func broken(_ conversation: ResolverConversationRef, _ worker: WorkerRef) {
        let query = conversation.value.query
        drop(conversation)
        broken(query: query, worker)
    }
}

extension Ref where Value == Worker {
    /// Gives the outcome of a look-up to who waits for it, if it still does.
    fileprivate func nameResolved(_ waiter: Token, _ outcome: ResolverOutcome) {
        switch waiter.kind {
        case EventKind.request: value.requests.find(waiter)?.nameResolved(outcome)
        case EventKind.followedServer:
            if Int(waiter.slot) < value.followedServers.count { value.followedServers[Int(waiter.slot)].take(outcome) }
        default: break
        }
    }
}
