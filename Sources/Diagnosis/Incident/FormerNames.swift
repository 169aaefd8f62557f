import Machine

/// Names of incidents beyond those that they keep themselves: of an app that ends with every request each failure has one. A bounded map,
/// the oldest go first. Pure.
struct FormerNames: Sendable {
    static let namesMax = 4_096

    private var owners: [IncidentID: IncidentID] = [:]
    /// The names in the order of their coming; those before `first` are gone.
    private var order: [IncidentID] = []
    private var first = 0

    /// Notes names of an incident. O(names).
    /// - Returns: those that had to go for it.
    mutating func add(_ names: [IncidentID], of incident: IncidentID) -> [IncidentID] {
        for name in names where owners.updateValue(incident, forKey: name) == nil { order.append(name) }
        var gone: [IncidentID] = []
        while order.count - first > Self.namesMax {
            gone.append(order[first])
            owners[order[first]] = nil
            first += 1
        }
        if first > Self.namesMax {
            order.removeFirst(first)
            first = 0
        }
        return gone
    }

    /// Whose name it was, then whose name that one has become, and so on. O(1).
    func owners(of name: IncidentID) -> [IncidentID] {
        var list: [IncidentID] = []
        while list.count < 8, let owner = owners[list.last ?? name] { list.append(owner) }
        return list
    }
}
