import Config
package import Wire

/// Asks name servers for the addresses of names: one `resolver` of the configuration, in one worker. Pure: time and
/// randomness are parameters, and who drives it sends and receives.
///
/// ```
/// lookUp ─► .known (cache) / .waits(query)          every new query: action .ask
///              │ receive: complete answer ──────────► action .finish
///              │ receive: an alias without addresses ► asks for that name: action .ask
///              │ receive: truncated ─────────────────► the same server again, over TCP: action .ask
///              │ receive: server failure ┐
///              │ broken, timer ──────────┴───────────► the next server: .ask; .finish when all failed or the time is over
/// ```
/// Requests for a name that is being asked for join its query. What a server answers is believed only if it comes
/// over the query's own socket, with one of its two random ids, and repeats the question; the driver uses a new
/// socket, so a new random port, for each `.ask`.
///
/// An answer with addresses of one family does not wait long for the other: at the first repeat it counts alone.
/// Complexity: O(waiting) at the end of a query, else O(1) and the length of a message. Allocates; it is not part of
/// what each request does.
package struct NameResolver: ~Copyable {
    /// What the directive says.
    package let settings: ResolverMachineSettings
    var cache: NameCache
    var queries: [ResolverQuery?] = []
    var byName: [DNSName: Int] = [:]
    var actions: [ResolverAction] = []
    /// Servers are asked in turn, as nginx does.
    var nextServer = 0

    package init(settings: ResolverMachineSettings) {
        self.settings = settings
        cache = NameCache(capacity: settings.namesMax)
    }

    /// Names in the cache, some of them perhaps out of date.
    package var cachedCount: Int { cache.count }
    /// Names that are being asked for.
    package var queryCount: Int { byName.count }

    /// Looks a name up.
    /// - Parameters:
    ///   - waiter: comes back with the outcome if it is not known yet.
    ///   - timeout: the query is given up after this time, if nobody who came later waits longer.
    package mutating func lookUp(
        _ name: DNSName, waiter: UInt64, timeout: Milliseconds, now: Milliseconds,
        random: inout some RandomNumberGenerator
    ) -> ResolverLookUp {
        if let known = cache.find(name, now: now) { return .known(rotated(known, &random)) }
        let deadline = now + max(1, timeout)
        if let running = byName[name] {
            queries[running]!.waiters.append(waiter)
            queries[running]!.deadline = max(queries[running]!.deadline, deadline)
            return .waits
        }
        guard byName.count < settings.queriesMax else { return .known(.failed(.overloaded)) }
        let free = queries.firstIndex { $0 == nil }
        let number = free ?? queries.count
        var query = ResolverQuery(name: name, waiter: waiter, deadline: deadline, server: nextServer)
        nextServer = (nextServer + 1) % settings.serverCount
        ask(number, &query, now, &random)
        if free == nil { queries.append(query) } else { queries[number] = query }
        byName[name] = number
        return .waits
    }

    /// Somebody does not wait any longer. O(waiting), mostly O(1): those who came first go first.
    package mutating func leave(_ name: DNSName, waiter: UInt64) {
        guard let number = byName[name], let place = queries[number]?.waiters.firstIndex(of: waiter) else { return }
        queries[number]!.waiters.remove(at: place)
    }

    /// What is to be done, in order; nil: nothing more.
    package mutating func takeAction() -> ResolverAction? { actions.isEmpty ? nil : actions.removeFirst() }

    /// A message came over a query's socket. Anything that is not its answer is ignored.
    package mutating func receive(
        _ bytes: ByteView, query number: Int, now: Milliseconds, random: inout some RandomNumberGenerator
    ) {
        guard var query = query(number), let message = DNSMessage(head: bytes), message.isResponse,
            let family = query.pending(id: message.id), message.question == query.question(family)
        else { return }
        defer { if queries[number] != nil { queries[number] = query } }
        if message.isTruncated, !query.usesStream {
            query.usesStream = true
            return ask(number, &query, now, &random)
        }
        switch message.code {
        case 0:
            if let (answers, negative) = message.records(bytes) {
                query.take(answers, negative, family)
            } else {
                query.take(.code(1), family)
            }
        case 3: query.take(nothing: message.records(bytes)?.negativeTimeToLive, family)
        default: query.take(.code(message.code), family)
        }
        guard query.isAnswered else { return }
        if let failure = query.failure { return failed(number, &query, failure, now, &random) }
        complete(number, &query, now, &random)
    }

    /// A socket of a query broke, or could not be opened.
    package mutating func broken(query number: Int, now: Milliseconds, random: inout some RandomNumberGenerator) {
        guard var query = query(number) else { return }
        defer { if queries[number] != nil { queries[number] = query } }
        if query.hasAddresses { return complete(number, &query, now, &random) }
        query.failures += 1
        guard query.failures >= settings.serverCount else { return askNext(number, &query, now, &random) }
        // None can be reached: that may pass, as when a name server starts anew.
        query.failures = 0
        actions.append(.wait(query: number, until: min(now + query.interval, max(query.deadline, now + 1))))
    }

    /// The time that `.ask` or `.wait` named has come.
    package mutating func timerFired(query number: Int, now: Milliseconds, random: inout some RandomNumberGenerator) {
        guard var query = query(number) else { return }
        defer { if queries[number] != nil { queries[number] = query } }
        if query.hasAddresses { return complete(number, &query, now, &random) }
        if now >= query.deadline { return finish(number, query, .failed(.timedOut), keepFor: 0, now, &random) }
        query.interval = min(query.interval * 2, ResolverMachineSettings.intervalMax)
        askNext(number, &query, now, &random)
    }

    private func query(_ number: Int) -> ResolverQuery? { queries.indices.contains(number) ? queries[number] : nil }
}

extension NameResolver {
    /// Sends the questions that are open to the query's server.
    private mutating func ask(
        _ number: Int, _ query: inout ResolverQuery, _ now: Milliseconds, _ random: inout some RandomNumberGenerator
    ) {
        query.open(settings, &random)
        let messages = query.openQuestions
        // A stream has to be connected first, which takes longer.
        let wait = query.usesStream ? ResolverMachineSettings.intervalMax : query.interval
        let deadline = min(now + wait, max(query.deadline, now + 1))
        actions.append(
            .ask(query: number, server: query.server, usesStream: query.usesStream, messages: messages, until: deadline)
        )
    }

    private mutating func askNext(
        _ number: Int, _ query: inout ResolverQuery, _ now: Milliseconds, _ random: inout some RandomNumberGenerator
    ) {
        query.server = (query.server + 1) % settings.serverCount
        query.usesStream = false
        query.openFailed()
        ask(number, &query, now, &random)
    }

    /// One server cannot tell: the next one may. When all have said so, their word is final.
    private mutating func failed(
        _ number: Int, _ query: inout ResolverQuery, _ why: ResolverFailure, _ now: Milliseconds,
        _ random: inout some RandomNumberGenerator
    ) {
        if query.hasAddresses { return complete(number, &query, now, &random) }
        query.failures += 1
        guard query.failures >= settings.serverCount else { return askNext(number, &query, now, &random) }
        finish(number, query, .failed(why), keepFor: 0, now, &random)
    }

    /// Both families are known, or one has to do.
    private mutating func complete(
        _ number: Int, _ query: inout ResolverQuery, _ now: Milliseconds, _ random: inout some RandomNumberGenerator
    ) {
        let addresses = query.addresses
        if !addresses.isEmpty {
            let validity = query.validity(settings)
            let name = ResolvedName(addresses: addresses, validUntil: now + validity)
            return finish(number, query, .addresses(name), keepFor: validity, now, &random)
        }
        if let target = query.alias, query.aliases < ResolverMachineSettings.aliasesMax {
            if let known = cache.find(target, now: now) {
                if case .addresses(var name) = known {
                    // The alias may move before its target does.
                    name.validUntil = min(name.validUntil, now + query.validity(settings))
                    return finish(number, query, .addresses(name), keepFor: name.validUntil - now, now, &random)
                }
                return finish(number, query, known, keepFor: 0, now, &random)
            }
            query.follow(target)
            return ask(number, &query, now, &random)
        }
        // "There is none" is kept for as long as its zone says, but briefly: who adds a name wants to see it.
        let seconds = min(query.negativeTimeToLive ?? 0, ResolverMachineSettings.negativeSecondsMax)
        finish(number, query, .failed(.notFound), keepFor: Milliseconds(seconds) * 1_000, now, &random)
    }

    private mutating func finish(
        _ number: Int, _ query: ResolverQuery, _ outcome: ResolverOutcome, keepFor: Milliseconds, _ now: Milliseconds,
        _ random: inout some RandomNumberGenerator
    ) {
        queries[number] = nil
        byName[query.name] = nil
        cache.keep(query.name, outcome, until: now + keepFor, now: now)
        actions.append(.finish(query: number, waiters: query.waiters, outcome: rotated(outcome, &random)))
    }

    /// Addresses begin at another place each time, so that all get their share (as nginx).
    private func rotated(_ outcome: ResolverOutcome, _ random: inout some RandomNumberGenerator) -> ResolverOutcome {
        guard case .addresses(var name) = outcome, name.addresses.count > 1 else { return outcome }
        let start = Int.random(in: 0..<name.addresses.count, using: &random)
        name.addresses = Array(name.addresses[start...] + name.addresses[..<start])
        return .addresses(name)
    }
}
