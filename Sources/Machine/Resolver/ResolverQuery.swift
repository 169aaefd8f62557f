import Config
import Wire

/// A name that is being asked for.
struct ResolverQuery {
    /// What is known of one family of addresses.
    struct Family {
        var type: DNSType
        /// Id of the question under way; nil: none.
        var id: UInt16?
        var isAnswered = false
        /// The answer was that the server cannot tell.
        var failure: ResolverFailure?
        var addresses: [NetworkAddress] = []
    }

    let name: DNSName
    /// The name being asked for now: `name`, or what it is an alias of.
    var target: DNSName
    var waiters: [UInt64]
    /// When nobody waits any longer.
    var deadline: Milliseconds
    var server: Int
    var usesStream = false
    var interval = ResolverMachineSettings.intervalMin
    /// Servers that could not tell.
    var failures = 0
    /// Aliases followed so far.
    var aliases = 0
    var families: [Family] = []
    /// What the target is an alias of, if an answer said so without giving addresses.
    var alias: DNSName?
    /// The smallest of all records used, in seconds.
    var timeToLive = UInt32.max
    var negativeTimeToLive: UInt32?

    init(name: DNSName, waiter: UInt64, deadline: Milliseconds, server: Int) {
        self.name = name
        target = name
        waiters = [waiter]
        self.deadline = deadline
        self.server = server
    }

    var isAnswered: Bool { families.allSatisfy(\.isAnswered) }
    var hasAddresses: Bool { families.contains { !$0.addresses.isEmpty } }
    var addresses: [NetworkAddress] { families.flatMap(\.addresses) }
    var failure: ResolverFailure? { families.compactMap(\.failure).first }

    /// How long the aliases so far count.
    func validity(_ settings: ResolverMachineSettings) -> Milliseconds {
        settings.valid ?? Milliseconds(min(timeToLive, ResolverMachineSettings.secondsMax)) * 1_000
    }

    func question(_ family: Int) -> DNSMessage.Question {
        DNSMessage.Question(name: target, type: families[family].type)
    }

    /// The family whose question under way has this id.
    func pending(id: UInt16) -> Int? { families.firstIndex { $0.id == id && !$0.isAnswered } }

    /// Gives every family that is not answered an id. It stays the same when the question is repeated, so that a late
    /// answer to an earlier one counts.
    mutating func open(_ settings: ResolverMachineSettings, _ random: inout some RandomNumberGenerator) {
        if families.isEmpty {
            if settings.usesIPv4 { families.append(Family(type: .a)) }
            if settings.usesIPv6 { families.append(Family(type: .aaaa)) }
        }
        for index in families.indices where families[index].id == nil {
            var id = UInt16.random(in: .min ... .max, using: &random)
            if index > 0, families[0].id == id { id ^= 1 }
            families[index].id = id
        }
    }

    /// Makes what a server could not tell a matter of the next one.
    mutating func openFailed() {
        for index in families.indices where families[index].failure != nil {
            families[index].isAnswered = false
            families[index].failure = nil
        }
    }

    var openQuestions: [[UInt8]] {
        families.indices.compactMap { index in
            guard !families[index].isAnswered, let id = families[index].id else { return nil }
            return DNSMessage.query(id: id, question(index))
        }
    }

    /// Takes the addresses of the target, or of what it is an alias of, from the answers; an alias alone is noted.
    mutating func take(_ answers: [DNSRecord], _ negative: UInt32?, _ family: Int) {
        var names: Set<DNSName> = [target]
        var last = target
        var found: [NetworkAddress] = []
        var least = UInt32.max
        // A chain of aliases may stand in any order; each record is used once at most, so this ends.
        var rest = answers
        while let index = rest.firstIndex(where: { if case .alias = $0.data { $0.owner == last } else { false } }) {
            let record = rest.remove(at: index)
            guard case .alias(let next) = record.data, names.insert(next).inserted else { break }
            last = next
            least = min(least, record.timeToLive)
        }
        for record in answers where names.contains(record.owner) && found.count < ResolverMachineSettings.addressesMax {
            switch (record.data, families[family].type) {
            case (.ipv4(let address), .a): found.append(.ipv4(address, port: 0))
            case (.ipv6(let high, let low), .aaaa): found.append(.ipv6(high: high, low: low, port: 0))
            default: continue
            }
            least = min(least, record.timeToLive)
        }
        families[family].isAnswered = true
        families[family].addresses = found
        if found.isEmpty, last == target { return take(nothing: negative, family) }
        if found.isEmpty { alias = last }
        timeToLive = min(timeToLive, least)
    }

    /// The server cannot tell.
    mutating func take(_ failure: ResolverFailure, _ family: Int) {
        families[family].isAnswered = true
        families[family].failure = failure
    }

    /// There is no address of the family.
    mutating func take(nothing negative: UInt32?, _ family: Int) {
        families[family].isAnswered = true
        if let negative { negativeTimeToLive = min(negativeTimeToLive ?? negative, negative) }
    }

    /// Asks for another name from now on.
    mutating func follow(_ name: DNSName) {
        target = name
        aliases += 1
        alias = nil
        usesStream = false
        for index in families.indices { families[index] = Family(type: families[index].type) }
    }
}
