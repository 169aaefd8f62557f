/// All rules, in the order of their numbers.
package enum Rulebook {
    package static let all: [Rule] = [
        P01NothingListens.rule, P02AddressFamily.rule, P10OutOfMemory.rule, P16SocketMissing.rule, P27PortTaken.rule,
    ]

    /// The rule with an id such as `P06`.
    package static func rule(_ id: some StringProtocol) -> Rule? { all.first { $0.id == id } }
}
